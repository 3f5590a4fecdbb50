#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell what the ledgers of authorities say."""

from __future__ import annotations

DOCUMENTATION = r"""
module: x509_ledger_info
short_description: Tell what was issued and what is revoked
version_added: 0.1.0
description:
  - Tells which certificates the ledgers of authorities know, how they stand, and which signatures were begun and have
    no outcome.
  - Needs no AWS account and no credentials.
author:
  - rootstock.pki contributors (@rootstock-pki)
requirements:
  - cryptography >= 45 for O(issuer_path) and O(issuer_content), for ML-DSA >= 50
extends_documentation_fragment:
  - rootstock.pki.attributes
  - rootstock.pki.attributes.info_module
options:
  ledger_path:
    description: The ledgers, one for each authority.
    type: list
    elements: path
    required: true
  issuer_path:
    description: The certificate of the authority whose ledger it has to be, in PEM or DER.
    type: path
  issuer_content:
    description: As O(issuer_path), in PEM.
    type: str
  name:
    description: Tell certificates of these names only.
    type: list
    elements: str
    default: []
  certificate_profile:
    description: Tell certificates of these profiles only.
    type: list
    elements: str
    default: []
  status:
    description:
      - Tell certificates only that stand like this.
      - A certificate is V(superseded) when another one was issued in its place, and V(retired) when it is not to be
        renewed. Both stay valid until they expire or are revoked.
    type: list
    elements: str
    choices: [valid, expired, on_hold, revoked, superseded, retired]
    default: []
  expires_before:
    description:
      - Tell certificates only whose validity ends before this time.
      - Relative such as V(+30d), or absolute such as V(20301231235959Z), in UTC.
    type: str
  limit:
    description:
      - Tell that many certificates at most. V(0) tells none and leaves the counts, which takes less than a second for a
        million certificates.
      - Without it every certificate is told that the other options leave.
    type: int
notes:
  - In check mode a file that does not exist is named in RV(pending), otherwise it is an error.
  - All times are in UTC, as C(YYYYMMDDHHMMSSZ).
  - Beside a ledger of more than 256 KiB an index is kept in a folder whose name begins with a dot. Git ignores it, and
    it is made again whenever it does not fit.
seealso:
  - module: rootstock.pki.x509_revocation
  - module: rootstock.pki.x509_ledger
  - module: rootstock.pki.x509_cert_info
"""

EXAMPLES = r"""
- name: What expires within a month is known
  rootstock.pki.x509_ledger_info:
    ledger_path: pki/services/ledger.jsonl
    status: [valid]
    expires_before: +30d
  register: expiring

- name: Every authority is told in numbers
  rootstock.pki.x509_ledger_info:
    ledger_path: "{{ query('ansible.builtin.fileglob', 'pki/*/ledger.jsonl') }}"
    limit: 0
  register: pki

- name: Nothing is left open, no name has two certificates and no number two CRLs
  ansible.builtin.assert:
    that:
      - pki.open_intents == []
      - pki.duplicates == []
      - pki.duplicate_crl_numbers == []
"""

RETURN = r"""
certificates:
  description: The certificates, by ledger and name, the newest of a name first.
  returned: always
  type: list
  elements: dict
  contains:
    ledger_path:
      description: The ledger that knows it.
      type: str
    serial_number:
      description: Serial number.
      type: int
      sample: 2583
    serial_number_hex:
      description: Serial number in upper-case hexadecimal digits, as files are named.
      type: str
      sample: 0A17
    name:
      description: What the ledger calls it.
      type: str
      sample: web
    subject:
      description: Its subject.
      type: str
      sample: CN=web.acme.internal,O=Acme
    certificate_profile:
      description: The profile that it was issued with.
      type: str
      sample: tls_server
    status:
      description: One of the choices of O(status). A revocation outlasts expiry, expiry outlasts the rest.
      type: str
      sample: valid
    not_before:
      description: Start of validity.
      type: str
      sample: 20260101120000Z
    not_after:
      description: End of validity.
      type: str
      sample: 20270202120000Z
    days_left:
      description: Whole days until the end of validity, below 0 after it.
      type: int
      sample: 89
    recorded_at:
      description: When the ledger learned that it exists.
      type: str
      sample: 20260101130000Z
    fingerprint:
      description: SHA-256 of the certificate in DER, in hexadecimal digits.
      type: str
    issued_path:
      description: Where the ledger's copy of the certificate is.
      type: str
      sample: pki/services/issued/0A17.pem
    key_arn:
      description: The key that signed it, V(none) where nobody said.
      type: str
    adopted:
      description: Whether it was made elsewhere and recorded later.
      type: bool
    superseded_by:
      description: Serial number of the certificate that replaced it, in hexadecimal digits. V(none) where none did.
      type: str
      sample: 5A02
    revocation:
      description: The revocation in force, V(none) where there is none.
      type: dict
      contains:
        reason:
          description: Why it was revoked.
          type: str
          sample: key_compromise
        revoked_at:
          description: Since when it is revoked.
          type: str
          sample: 20260301120000Z
        invalidity_date:
          description: Since when the key is suspected. V(none) where that is not known.
          type: str
          sample: 20260228000000Z
truncated:
  description: Whether O(limit) kept certificates from being told.
  returned: always
  type: bool
open_intents:
  description:
    - Signatures that were about to be asked for and have no outcome, oldest first. Most are of runs that go on.
    - Of a run that was killed nobody knows whether AWS KMS signed. Running it again settles that, or
      M(rootstock.pki.x509_revocation) with the serial number.
  returned: always
  type: list
  elements: dict
  contains:
    ledger_path:
      description: The ledger that knows it.
      type: str
    purpose:
      description: What was to be signed.
      type: str
      sample: certificate
    name:
      description: What the ledger calls it.
      type: str
    serial_number:
      description: Serial number of the certificate, V(none) for everything else.
      type: int
    serial_number_hex:
      description: Serial number in upper-case hexadecimal digits, V(none) for everything else.
      type: str
    subject:
      description: Subject of the certificate.
      type: str
    certificate_profile:
      description: Profile of the certificate.
      type: str
    content_sha256:
      description: SHA-256 of what was to be signed, in hexadecimal digits.
      type: str
    key_arn:
      description: The key that was to sign.
      type: str
    recorded_at:
      description: When it was recorded.
      type: str
      sample: 20260101130000Z
    host:
      description: The machine of the run.
      type: str
    pid:
      description: The process of the run.
      type: int
duplicates:
  description:
    - Names with more than one certificate in use, as a merge of two branches may bring. The first serial number is the
      current one.
  returned: always
  type: list
  elements: dict
  contains:
    ledger_path:
      description: The ledger that knows them.
      type: str
    name:
      description: The name.
      type: str
    serial_numbers_hex:
      description: Serial numbers in upper-case hexadecimal digits, the newest first.
      type: list
      elements: str
duplicate_crl_numbers:
  description:
    - CRL numbers that two different CRLs have, neither of them past its next update, as a merge of two branches may
      bring. Make a new CRL, whose number is higher than both.
  returned: always
  type: list
  elements: dict
  contains:
    ledger_path:
      description: The ledger that knows them.
      type: str
    part:
      description: Which certificates they are about, V(full) for all or one partition such as V(partition-3). Full and
        delta CRLs of the same certificates share their numbers.
      type: str
      sample: full
    crl_number:
      description: The number.
      type: int
      sample: 1767268800123
    fingerprints:
      description: SHA-256 of each CRL in DER, in hexadecimal digits.
      type: list
      elements: str
counts:
  description: How many certificates stand how in all ledgers, and how many intents are open.
  returned: always
  type: dict
  sample: {"valid": 12, "expired": 3, "on_hold": 0, "revoked": 1, "superseded": 5, "retired": 0, "open_intents": 0}
ledgers:
  description: The ledgers one by one.
  returned: always
  type: list
  elements: dict
  contains:
    ledger_path:
      description: The file.
      type: str
    authority:
      description:
        - SHA-256 of the authority's public key as a SubjectPublicKeyInfo in DER, in hexadecimal digits.
        - V(none) where no line says so.
      type: str
    counts:
      description: As RV(counts), of this ledger alone.
      type: dict
    latest:
      description: The time of the newest line, V(none) for an empty ledger.
      type: str
      sample: 20260301120000Z
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
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.opening import open_ledger
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.state import STATUSES, Wanted
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge, utc_now
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.ledgers import ISSUER_OPTIONS, load_issuer
from ansible_collections.rootstock.pki.plugins.module_utils._operations.describe_ledgers import (
    NamedLedger,
    describe_ledgers,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.plan import Plan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.times import to_time

ARGUMENT_SPEC: dict[str, Any] = {
    "ledger_path": {"type": "list", "elements": "path", "required": True},
    **ISSUER_OPTIONS,
    "name": {"type": "list", "elements": "str", "default": []},
    "certificate_profile": {"type": "list", "elements": "str", "default": []},
    "status": {"type": "list", "elements": "str", "choices": list(STATUSES), "default": []},
    "expires_before": {"type": "str"},
    "limit": {"type": "int"},
}


def to_wanted(params: dict[str, Any], now: datetime) -> Wanted:
    return Wanted(
        names=frozenset(params["name"]),
        profiles=frozenset(params["certificate_profile"]),
        statuses=frozenset(params["status"]),
        expires_before=to_time(params["expires_before"], now) if params["expires_before"] else None,
    )


def run(module: AnsibleModule) -> None:
    params, now = module.params, utc_now()
    if params["limit"] is not None and params["limit"] < 0:
        raise SpecError(f"limit: {params['limit']} is below 0; leave it out to be told everything")
    issuer = load_issuer(module)
    paths = [Path(path) for path in params["ledger_path"]]
    ledgers = [NamedLedger(path, open_ledger(path, lambda: now, issuer.authority)) for path in paths]
    pending = tuple(f"{one.path} does not exist" for one in ledgers if not one.ledger.exists())
    there = [one for one in ledgers if one.ledger.exists()]
    known = describe_ledgers(there, to_wanted(params, now), params["limit"], now)
    converge(module, Plan(pending=(*issuer.missing, *pending)), dict, known)


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        mutually_exclusive=[("issuer_path", "issuer_content")],
    )
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
