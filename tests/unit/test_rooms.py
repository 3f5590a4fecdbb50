# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may import whom inside plugins/. One row per room; whatever a row does not name is refused."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
OURS = "ansible_collections.rootstock.pki.plugins."
ANSIBLE = ["ansible"]
AWS = ["boto3", "botocore", "ansible_collections.amazon.aws"]
CRYPTOGRAPHY = ["cryptography"]
PKI, KEYS, SIGNER, AWS_ROOM, LEDGER, LINT, CMS, OPERATIONS, MODULE = (
    f"{OURS}module_utils.{room}"
    for room in ("_pki", "_keys", "_signer", "_aws", "_ledger", "_lint", "_cms", "_operations", "_module")
)
ERRORS, PLAN = f"{PKI}.errors", f"{PKI}.plan"

# The rooms that meet neither files nor the network, and get the clock and randomness passed in.
PURE = ("module_utils/_pki", "module_utils/_keys", "module_utils/_cms")
IMPURE = {"os", "pathlib", "random", "secrets", "shutil", "socket", "subprocess", "tempfile", "time", "urllib.request"}

# Folder, or a single file with rights of its own -> what it may import besides the standard library.
MAY_IMPORT = {
    "module_utils/_pki": [*CRYPTOGRAPHY, PKI],
    "module_utils/_keys": [KEYS, ERRORS, PLAN],
    "module_utils/_signer": [*CRYPTOGRAPHY, SIGNER, ERRORS, f"{PKI}.ml_dsa", f"{PKI}.pss_keys"],
    "module_utils/_aws": [*AWS, AWS_ROOM, KEYS, ERRORS, PLAN],
    "module_utils/_ledger": [LEDGER, PKI],
    "module_utils/_ledger/dynamodb.py": [*AWS, LEDGER, PKI],
    "module_utils/_lint": ["pkilint", LINT, ERRORS],
    "module_utils/_cms": [*CRYPTOGRAPHY, CMS, SIGNER, ERRORS, f"{PKI}.der"],
    "module_utils/_operations": [*CRYPTOGRAPHY, OPERATIONS, PKI, KEYS, SIGNER, LEDGER],
    "module_utils/_module": [*ANSIBLE, MODULE, PKI, KEYS, f"{SIGNER}.algorithms", f"{SIGNER}.cms", f"{SIGNER}.specs"],
    "module_utils/__init__.py": [],
    "modules": [*ANSIBLE, *AWS, PKI, KEYS, SIGNER, AWS_ROOM, LEDGER, LINT, CMS, OPERATIONS, MODULE],
    "filter": [*ANSIBLE, PKI, f"{MODULE}.key_checks"],
    "lookup": [*ANSIBLE, *AWS, PKI, AWS_ROOM],
    "doc_fragments": [],
}


def test_every_room_imports_only_what_its_row_allows() -> None:
    assert list(problems(PLUGINS)) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("module_utils/_pki/clock.py", "import boto3"),
        ("module_utils/_pki/clock.py", "from .._keys.plan import Facet"),
        ("module_utils/_pki/clock.py", "from time import monotonic"),
        ("module_utils/_keys/plan.py", "import cryptography.x509"),
        ("module_utils/_keys/plan.py", "from .._pki import names"),
        ("module_utils/_aws/kms.py", "from .._signer.ports import SignReply"),
        ("module_utils/_ledger/files.py", "from botocore.exceptions import ClientError"),
        ("module_utils/_operations/sign_file.py", "from ansible.module_utils.basic import AnsibleModule"),
        ("module_utils/_operations/sign_file.py", "from .. import _aws"),
        ("module_utils/_operations/lint_certificate.py", "from .._lint.lint import lint"),
        ("module_utils/_pki/gate.py", "import pkilint"),
        ("module_utils/_operations/sign_cms.py", "from .._cms.codec import DerCodec"),
        ("module_utils/_cms/codec.py", "from .._pki.certificates import to_der"),
        ("module_utils/_module/aws.py", "from .._signer import session"),
        ("modules/kms_sign.py", f"from {OURS}modules import kms_key"),
        ("filter/order.py", f"from {MODULE}.files import write"),
    ],
)
def test_an_import_that_no_row_allows_is_shown_with_its_file_and_line(tmp_path: Path, path: str, line: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(f"import json\n{line}\n")
    assert [problem.partition(" ")[0] for problem in problems(tmp_path)][-1:] == [f"plugins/{path}:2"]


def test_a_file_outside_every_room_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "module_utils" / "helpers.py"
    file.parent.mkdir()
    file.touch()
    assert list(problems(tmp_path)) == ["plugins/module_utils/helpers.py:1 is in no room"]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("module_utils/_pki/names.py", "from cryptography import x509"),
        ("module_utils/_keys/plan.py", "from .._pki import errors, plan"),
        ("module_utils/_keys/plan.py", "from . import names"),
        ("module_utils/_aws/kms.py", "from .._pki.errors import AwsError"),
        ("module_utils/_ledger/dynamodb.py", "from botocore.exceptions import ClientError"),
        ("module_utils/_lint/lint.py", "from pkilint.loader import load_der_certificate"),
        ("modules/kms_sign.py", f"from {OPERATIONS}.sign_file import sign_file"),
    ],
)
def test_an_import_that_its_row_allows_passes(tmp_path: Path, path: str, line: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(f"{line}\n")
    assert list(problems(tmp_path)) == []


def problems(plugins: Path) -> Iterator[str]:
    """Yield `file:line what` for each import that is not allowed, and for each file that no row covers."""
    for file in sorted(plugins.rglob("*.py")):
        path = file.relative_to(plugins)
        row = next((str(place) for place in [path, *path.parents] if str(place) in MAY_IMPORT), None)
        if row is None:
            yield f"plugins/{path}:1 is in no room"
            continue
        for line, name in imports(path, ast.parse(file.read_text())):
            if not is_allowed(name, row):
                yield f"plugins/{path}:{line} imports {name}, which {row} may not"


def imports(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and full dotted name of everything that the file at *path* below plugins/ imports."""
    package = (OURS + ".".join(path.parent.parts)).split(".")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *filter(None, [node.module])])
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def is_allowed(name: str, row: str) -> bool:
    if row in PURE and is_below(name, IMPURE):
        return False
    return name.partition(".")[0] in sys.stdlib_module_names or is_below(name, MAY_IMPORT[row])


def is_below(name: str, prefixes: Iterable[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)
