#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Revoke certificates in the ledger of their issuer."""

from __future__ import annotations

DOCUMENTATION = r"""
module: x509_revocation
short_description: Revoke certificates, put them on hold and release them
version_added: 0.1.0
description:
  - Records in the issuer's ledger that certificates are revoked. The world learns of it from the next CRL.
  - A revocation is for good, except with O(reason=certificate_hold), which O(state=released) ends. A certificate on
    hold can still be revoked for good.
  - Needs no AWS account and no credentials.
author:
  - rootstock.pki contributors (@rootstock-pki)
requirements:
  - cryptography >= 45 for O(path), O(content), O(issuer_path) and O(issuer_content), for ML-DSA >= 50
extends_documentation_fragment:
  - rootstock.pki.attributes
options:
  ledger_path:
    description: The ledger of the certificate's issuer.
    type: path
    required: true
  serial_number:
    description: Serial number of the certificate.
    type: int
  serial_number_hex:
    description:
      - Serial number of the certificate in hexadecimal digits, as files are named, or in pairs with colons between.
      - Write it in quotes. YAML takes some of them for numbers.
    type: str
  name:
    description:
      - All certificates of this name that have not expired, also those that were superseded, and what was begun under
        this name by runs that never ended.
      - Those that are revoked for good already keep their reason, unless O(reason) is a compromise and theirs is not.
        O(state=released) is an error only where all of them are revoked for good.
      - Once another certificate of the name is issued the same task would revoke that too. Say O(issued_before) where
        the task stays in a playbook.
    type: str
  issued_before:
    description: Of O(name) take those only that were issued before this time, written as O(revocation_date).
    type: str
  path:
    description: The certificate itself, in PEM or DER.
    type: path
  content:
    description: As O(path), in PEM.
    type: str
  issuer_path:
    description:
      - The certificate of the authority whose ledger it has to be, in PEM or DER.
      - A certificate given with O(path) or O(content) that the ledger does not know has to be signed by it.
    type: path
  issuer_content:
    description: As O(issuer_path), in PEM.
    type: str
  state:
    description:
      - V(revoked), V(released) and V(retired) say how the certificate shall stand.
      - A certificate that is not on hold is V(released) already. One that is revoked for good cannot be.
      - One that is V(retired) is out of use, such as that of an authority which has a successor. It stays valid until
        it expires, and no CRL lists it. The ledger no longer takes it for the current certificate of its name, so a
        task that still asks for the name issues another one.
    type: str
    choices: [revoked, released, retired]
    default: revoked
  reason:
    description:
      - Why it is revoked (RFC 5280 5.3.1).
      - The default is V(unspecified), and what is recorded for a certificate that is revoked for good already.
      - A reason that is recorded stays, only V(key_compromise), V(ca_compromise) and V(aa_compromise) outrank the
        others. The remaining reason of RFC 5280, removeFromCRL, is what delta CRLs say of a certificate that was
        O(state=released).
    type: str
    choices:
      - unspecified
      - key_compromise
      - ca_compromise
      - affiliation_changed
      - superseded
      - cessation_of_operation
      - certificate_hold
      - privilege_withdrawn
      - aa_compromise
  revocation_date:
    description:
      - Since when it is revoked, relative such as V(-1h) or absolute such as V(20260301120000Z), in UTC.
      - The default is the present, or where a hold becomes a revocation for good the date of the hold. Not used for
        certificates that are on hold, or revoked for good, already and stay so.
    type: str
  invalidity_date:
    description:
      - Since when the private key is known or suspected to be in other hands (RFC 5280 5.3.2), written as
        O(revocation_date).
      - An absolute date is compared with what is recorded, of a hold too. It can be moved back only, and where none is
        recorded not past the date of the revocation. What is recorded of a hold stays when it becomes a revocation for
        good.
    type: str
  foreign:
    description: Also revoke a serial number that the ledger does not know, of a certificate that was never recorded.
    type: bool
    default: false
notes:
  - In check mode a file that does not exist is named in RV(pending), otherwise it is an error.
seealso:
  - module: rootstock.pki.x509_ledger_info
  - module: community.crypto.x509_crl
"""

EXAMPLES = r"""
- name: The certificate whose key was lost is revoked
  rootstock.pki.x509_revocation:
    ledger_path: pki/services/ledger.jsonl
    serial_number_hex: "5A02F3"
    reason: key_compromise
    invalidity_date: 20260228000000Z

- name: Whatever the retired server was given is revoked
  rootstock.pki.x509_revocation:
    ledger_path: pki/services/ledger.jsonl
    name: web
    issued_before: 20260301120000Z
    reason: cessation_of_operation

- name: A certificate is put on hold
  rootstock.pki.x509_revocation:
    ledger_path: pki/people/ledger.jsonl
    path: badges/4711.pem
    reason: certificate_hold

- name: The authority's former generation is out of use
  rootstock.pki.x509_revocation:
    ledger_path: pki/root/ledger.jsonl
    name: services
    state: retired

- name: The hold is over
  rootstock.pki.x509_revocation:
    ledger_path: pki/people/ledger.jsonl
    path: badges/4711.pem
    state: released
"""

RETURN = r"""
certificates:
  description: The certificates that the task names, as they stand when it ends.
  returned: always
  type: list
  elements: dict
  contains:
    serial_number:
      description: Serial number.
      returned: always
      type: int
      sample: 2583
    serial_number_hex:
      description: Serial number in upper-case hexadecimal digits, as files are named.
      returned: always
      type: str
      sample: 0A17
    name:
      description: What the ledger calls it, V(none) where it knows the serial number only.
      returned: always
      type: str
      sample: web
    status:
      description:
        - V(valid), V(expired), V(on_hold), V(revoked), V(superseded) or V(retired).
        - V(open_intent) where a run began to issue it and never ended. V(none) where the ledger knows nothing of it.
      returned: always
      type: str
      sample: revoked
    revocation:
      description: The revocation in force, V(none) where there is none.
      returned: always
      type: dict
      contains:
        reason:
          description: Why it is revoked.
          returned: always
          type: str
          sample: key_compromise
        revoked_at:
          description: Since when it is revoked.
          returned: always
          type: str
          sample: 20260301120000Z
        invalidity_date:
          description: Since when the key is suspected. V(none) where that is not known.
          returned: always
          type: str
          sample: 20260228000000Z
planned_revocations:
  description:
    - What would be recorded outside of check mode, for O(rootstock.pki.kms_x509_crl#module:planned_revocations). Empty
      where it was recorded.
  returned: always
  type: list
  elements: dict
  contains:
    serial_number_hex:
      description: Serial number in upper-case hexadecimal digits.
      returned: always
      type: str
    reason:
      description: Why it would be revoked. V(none) where a hold would be released.
      returned: always
      type: str
    revoked_at:
      description: Since when it would be revoked.
      returned: always
      type: str
    invalidity_date:
      description: Since when the key is suspected. V(none) where that is not known.
      returned: always
      type: str
    not_after:
      description: End of the certificate's life. V(none) where that is not known.
      returned: always
      type: str
ledger_path:
  description: The ledger.
  returned: always
  type: str
pending:
  description: Files that do not exist.
  returned: in check mode, when one does not exist
  type: list
  elements: str
sign_calls:
  description: How many signatures the task asked AWS KMS for. None.
  returned: always
  type: int
  sample: 0
"""

from datetime import datetime
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import REASONS, serial_text
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.opening import open_ledger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.port import LedgerState
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge, utc_now
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import octets_of, read_file
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.ledgers import (
    ISSUER_OPTIONS,
    LedgerIssuer,
    load_issuer,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import check_places
from ansible_collections.rootstock.pki.plugins.module_utils._operations.ledger_facts import (
    planned_facts,
    standing_facts,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.revoke import (
    RevocationSpec,
    Target,
    plan_revocation,
    record,
    standing_after,
    target_of_certificate,
    target_of_serial,
    targets_of_name,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import load_certificates
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.plan import Plan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.serials import to_serial_number
from ansible_collections.rootstock.pki.plugins.module_utils._pki.times import is_relative, to_time

ARGUMENT_SPEC: dict[str, Any] = {
    "ledger_path": {"type": "path", "required": True},
    "serial_number": {"type": "int"},
    "serial_number_hex": {"type": "str"},
    "name": {"type": "str"},
    "issued_before": {"type": "str"},
    "path": {"type": "path"},
    "content": {"type": "str"},
    **ISSUER_OPTIONS,
    "state": {"type": "str", "choices": ["revoked", "released", "retired"], "default": "revoked"},
    "reason": {"type": "str", "choices": list(REASONS)},
    "revocation_date": {"type": "str"},
    "invalidity_date": {"type": "str"},
    "foreign": {"type": "bool", "default": False},
}
SELECTORS = ("serial_number", "serial_number_hex", "name", "path", "content")


def to_spec(params: dict[str, Any], now: datetime) -> RevocationSpec:
    def time(text: str | None) -> datetime | None:
        return to_time(text, now) if text else None

    return RevocationSpec(
        released=params["state"] == "released",
        retired=params["state"] == "retired",
        reason=params["reason"],
        revoked_at=time(params["revocation_date"]),
        invalidity_date=time(params["invalidity_date"]),
        invalidity_date_fixed=bool(params["invalidity_date"]) and not is_relative(params["invalidity_date"]),
        issued_before=time(params["issued_before"]),
        foreign=params["foreign"],
    )


def find_targets(
    module: AnsibleModule, state: LedgerState, issuer: LedgerIssuer, spec: RevocationSpec, now: datetime
) -> list[Target]:
    params = module.params
    label = params["ledger_path"]
    if params["name"] is not None:
        return targets_of_name(state, params["name"], spec, now, label)
    if params["path"] is not None or params["content"] is not None:
        require_cryptography(module)
        path, text = params["path"], params["content"]
        content = read_file(path) if path is not None else octets_of(text, "content")
        certificate = load_certificates(content, params["path"] or "content")[0]
        return [target_of_certificate(state, certificate, issuer.certificate, spec, label)]
    number = params["serial_number"]
    if number is None:
        number = to_serial_number(params["serial_number_hex"])
    return [target_of_serial(state, serial_text(number), spec, label)]


def run(module: AnsibleModule) -> None:
    params, now = module.params, utc_now()
    check_places(module)
    spec = to_spec(params, now)
    issuer = load_issuer(module)
    path = params["ledger_path"]
    ledger = open_ledger(path, utc_now, issuer.authority)
    known: dict[str, Any] = {"ledger_path": path, "certificates": [], "planned_revocations": []}
    absent = () if ledger.exists() or params["foreign"] else (f"the ledger {path} does not exist",)
    if issuer.missing or absent:
        converge(module, Plan(pending=(*issuer.missing, *absent)), dict, known)
    state = ledger.read()
    targets = find_targets(module, state, issuer, spec, now)
    planned = plan_revocation(state, targets, spec, now, path)

    def standing() -> dict[str, Any]:
        after = ledger.read()
        return {"certificates": [standing_facts(after, target.serial, now) for target in planned.targets]}

    def apply() -> dict[str, Any]:
        record(planned, ledger)
        return {**standing(), "planned_revocations": []}

    known["planned_revocations"] = planned_facts(standing_after(planned, state))
    converge(module, planned.plan, apply, {**known, **standing()})


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        required_one_of=[SELECTORS],
        mutually_exclusive=[SELECTORS, ("issuer_path", "issuer_content")],
        required_by={"issued_before": "name"},
    )
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
