#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the ledger of an authority, and repair it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: x509_ledger
short_description: Check the ledger of an authority, and repair it
version_added: 0.1.0
description:
  - Checks every line of a ledger. Where one cannot be read the task fails and names the lines, and nothing is rewritten
    without O(repair=true).
  - A last line that was torn by a crash is no damage. The next line that is recorded sets it aside.
  - Needs no AWS account and no credentials.
author:
  - rootstock.pki contributors (@rootstock-pki)
extends_documentation_fragment:
  - rootstock.pki.attributes
options:
  ledger_path:
    description: The ledger. Of a symbolic link, the file that it stands for is checked and repaired.
    type: path
    required: true
  repair:
    description:
      - Replace the ledger by one without its damaged lines. All others stay byte by byte as they are, and the file as
        it was is kept beside it. A byte order mark that an editor put at the start is no damage, and is taken off.
      - Take the ledger from Git or a backup instead where you can. What a damaged line said is lost to the ledger. If
        it was a revocation, the certificate is valid again until it is revoked once more. If it was a certificate that
        was issued, the next run of the task that issued it completes the record.
      - Lines that a newer version of this collection wrote are not damaged, and lines that contradict each other are
        for people to settle. Neither is touched.
    type: bool
    default: false
seealso:
  - module: rootstock.pki.x509_ledger_info
"""

EXAMPLES = r"""
- name: The ledger is sound
  rootstock.pki.x509_ledger:
    ledger_path: pki/services/ledger.jsonl

- name: A ledger that no backup has is repaired
  rootstock.pki.x509_ledger:
    ledger_path: pki/services/ledger.jsonl
    repair: true
  register: repaired

- name: It is known what was lost
  ansible.builtin.debug:
    var: repaired.damaged_lines
"""

RETURN = r"""
damaged_lines:
  description: The lines that were, or in check mode would be, set aside.
  returned: always
  type: list
  elements: dict
  contains:
    number:
      description: Number of the line in the file as it was.
      returned: always
      type: int
      sample: 17
    problem:
      description: What is wrong with it.
      returned: always
      type: str
      sample: is not a JSON object
kept_path:
  description: Where the file as it was is kept.
  returned: when it was repaired
  type: str
  sample: pki/services/ledger.jsonl.damaged-20260301T120000Z
pending:
  description: What must exist first.
  returned: in check mode, when the ledger does not exist
  type: list
  elements: str
sign_calls:
  description: How many signatures the task asked AWS KMS for. None.
  returned: always
  type: int
  sample: 0
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.codec import damage_error
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.repair import Repair, plan_repair, repair
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge, utc_now
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import check_places
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import LedgerError, PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.plan import Change, Plan

ARGUMENT_SPEC: dict[str, Any] = {
    "ledger_path": {"type": "path", "required": True},
    "repair": {"type": "bool", "default": False},
}


def told(found: Repair) -> dict[str, Any]:
    return {"damaged_lines": [damage._asdict() for damage in found.damages]}


def run(module: AnsibleModule) -> None:
    check_places(module)
    path = Path(module.params["ledger_path"])
    if not path.exists():
        converge(module, Plan(pending=(f"the ledger {path} does not exist",)), dict, {"damaged_lines": []})
    found = plan_repair(path)
    if found.damages and not module.params["repair"]:
        raise LedgerError(f"{path}: {damage_error(found.damages)}")

    def apply() -> dict[str, Any]:
        done = repair(path, utc_now())
        return {**told(done), "kept_path": str(done.kept)}

    changes = [Change(f"line {damage.number}", damage.problem, None) for damage in found.damages]
    if found.marked and module.params["repair"]:
        changes.append(Change("byte order mark", "there is one", None))
    converge(module, Plan(tuple(changes)), apply, told(found))


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
