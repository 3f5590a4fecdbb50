# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the second judge again and write down what it says; needs Node.js 20, npm and npm's registry."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.harness.environment import BUILD
from tests.unit.keys.second_judge.questions import Question, questions

HERE = Path(__file__).resolve().parent
VERDICTS = HERE / "verdicts.json"


def judge(asked: list[Question]) -> list[str]:
    """Return the verdicts on the questions."""
    folder = BUILD / "second_judge"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "judge.mjs"):
        shutil.copy(HERE / name, folder)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    told = json.dumps([question.simulation for question in asked])
    answer = subprocess.run(
        ["node", "judge.mjs"], cwd=folder, input=told, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    verdicts: list[str] = json.loads(answer)
    return verdicts


def main() -> int:
    asked = questions()
    verdicts = judge(asked)
    wrong = [q.name for q, verdict in zip(asked, verdicts, strict=True) if (verdict == "Allowed") is not q.allowed]
    broken = [f"{q.name}: {verdict}" for q, verdict in zip(asked, verdicts, strict=True) if "error" in verdict]
    recorded = {q.name: [q.digest(), verdict] for q, verdict in zip(asked, verdicts, strict=True)}
    VERDICTS.write_text(json.dumps(recorded, indent=0, sort_keys=True) + "\n")
    print(f"{len(asked)} questions, {len(wrong)} decided otherwise than the guide says")
    print("\n".join([*wrong, *broken]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
