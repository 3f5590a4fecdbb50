# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Print the names of the cases whose signature OpenSSL finds right; pyca stands in for ML-DSA (OpenSSL: from 3.5)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

PSS = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]


def pyca_accepts(key: Path, signature: Path, content: Path) -> bool:
    public_key: Any = load_pem_public_key(key.read_bytes())
    try:
        public_key.verify(signature.read_bytes(), content.read_bytes())
    except InvalidSignature:
        return False
    return True


def is_right(case: dict[str, Any], content: Path) -> bool:
    key, signature = Path(f"{case['name']}.pem"), Path(f"{case['name']}.sig")
    if case["judge"] == "ml-dsa":
        return pyca_accepts(key, signature, content)
    if case["judge"] == "ed25519":
        command = ["pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", content, "-sigfile", signature]
    else:
        padding = PSS if case.get("pss") else []
        command = ["dgst", f"-{case['judge']}", *padding, "-verify", key, "-signature", signature, content]
    return subprocess.run(["openssl", *command], capture_output=True, check=False).returncode == 0


def main() -> None:
    content, cases = Path(sys.argv[1]), json.loads(sys.argv[2])
    print(json.dumps([case["name"] for case in cases if is_right(case, content)]))


if __name__ == "__main__":
    main()
