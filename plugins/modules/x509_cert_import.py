#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take X.509 certificates that somebody else issued."""

from __future__ import annotations

DOCUMENTATION = r"""
module: x509_cert_import
short_description: Take an X.509 certificate that somebody else issued
version_added: 0.1.0
description:
  - Checks a certificate that came from somebody else, such as a corporate root, and keeps it where the tree needs it.
  - It has to be of the key given, fit the profile, and pass the rules of RFC 5280 against the certificates above it.
    All that is wrong is told in one message, and then nothing is written.
  - It takes the place of an authority's present certificate where subject, key and constraints are the same, or where
    nothing that the authority issued is valid any more.
  - It talks to no AWS service.
author:
  - rootstock.pki contributors (@rootstock-pki)
extends_documentation_fragment:
  - ansible.builtin.files
  - rootstock.pki.attributes
  - rootstock.pki.attributes.files
options:
  src:
    description:
      - The certificate as it came, in PEM or DER. In PEM the certificates above it may follow.
      - It stays as it is, so O(path) has to be another file.
    type: path
    required: true
  path:
    description: Where the certificate is kept, in PEM.
    type: path
    required: true
  name:
    description: What messages call the certificate. The default is the name of the folder of O(path).
    type: str
  public_key_path:
    description: The public key that the certificate has to be of, in PEM or DER.
    type: path
    required: true
  certificate_profile:
    description: What kind of certificate it has to be, as in M(rootstock.pki.kms_x509_cert).
    type: str
    default: subordinate_ca
  certificate_profiles:
    description: Profiles of your own, as in M(rootstock.pki.kms_x509_cert).
    type: dict
  cross_certificate_of:
    description:
      - The certificate that the authority has already, in PEM or DER, where O(src) is a cross-certificate for it.
      - Both need to have the same subject, in the same string types, and the same subject key identifier, or nobody
        would find O(src) above what the authority issued.
      - One that has expired is warned of, since the authority can do without it.
    type: path
  path_length:
    description: How many authorities have to be able to follow below it.
    type: int
  issuer_chain_path:
    description:
      - Files with certificates above it, in PEM, in any order.
      - Names and authority key identifiers tell which one follows, as RFC 5280 7.1 and 4.2.1.1 say. One that ought to
        follow and does not fit is an error.
    type: list
    elements: path
    default: []
  trusted_certificate_path:
    description:
      - Files with the roots that its path has to end at. Without this option the path may end anywhere.
      - An empty list is refused, since it would mean that too.
    type: list
    elements: path
  authority_ledger_path:
    description:
      - For an authority's certificate, the ledger of what the authority itself issues. The default is C(ledger.jsonl)
        beside O(path).
    type: path
  chain_path:
    description: Where the certificates above it are kept, in PEM, nearest first, without roots.
    type: path
  der_path:
    description:
      - Where a copy of the certificate is kept in DER, which is what the C(ca_issuers) URLs of certificates point to
        (RFC 5280 4.2.2.1).
    type: path
  fullchain_path:
    description: Where the certificate followed by O(chain_path)'s content is kept.
    type: path
  backup:
    description: Keep a copy of each file that is replaced, with the time in its name.
    type: bool
    default: false
seealso:
  - module: rootstock.pki.kms_x509_csr
"""

EXAMPLES = r"""
- name: The corporate root's answer is checked and taken
  rootstock.pki.x509_cert_import:
    src: incoming/services.pem
    path: pki/services/ca.pem
    public_key_path: pki/services/public_key.pem
    trusted_certificate_path: [incoming/corporate-root.pem]
    path_length: 0

- name: A partner's root vouches for our root
  rootstock.pki.x509_cert_import:
    src: incoming/root-by-partner.pem
    path: pki/root/cross/partner.pem
    public_key_path: pki/root/public_key.pem
    cross_certificate_of: pki/root/ca.pem
    trusted_certificate_path: [incoming/partner-root.pem]
"""

RETURN = r"""
path:
  description: Where the certificate is.
  returned: always
  type: str
serial_number:
  description: Serial number of the certificate.
  returned: always
  type: int
serial_number_hex:
  description: The same in upper-case hexadecimal digits.
  returned: always
  type: str
not_before:
  description: Start of validity, as C(YYYYMMDDHHMMSSZ).
  returned: always
  type: str
not_after:
  description: End of validity, as C(YYYYMMDDHHMMSSZ).
  returned: always
  type: str
backup_files:
  description: Copies of the files that were replaced.
  returned: when O(backup=true) and files were replaced
  type: list
  elements: str
sign_calls:
  description: How often kms:Sign was asked. Never.
  returned: always
  type: int
pending:
  description: What must exist before the certificate can be taken.
  returned: in check mode, when O(public_key_path) is missing
  type: list
  elements: str
"""

import os
from datetime import datetime
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.opening import open_ledger
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._module.certificates import (
    certificate_files,
    certificate_times,
    file_sources,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge, utc_now
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import (
    file_changes,
    read_if_there,
    write_files,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import check_places, ledger_beside
from ansible_collections.rootstock.pki.plugins.module_utils._operations.authority_identity import (
    refuse_drift_of_imported,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.import_certificate import (
    Imported,
    ImportTask,
    check_import,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import load_usable_certificates
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.plan import Plan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.profiles import profile_named
from ansible_collections.rootstock.pki.plugins.module_utils._pki.task import Source

ARGUMENT_SPEC: dict[str, Any] = {
    "src": {"type": "path", "required": True},
    "path": {"type": "path", "required": True},
    "name": {"type": "str"},
    "public_key_path": {"type": "path", "required": True},
    "certificate_profile": {"type": "str", "default": "subordinate_ca"},
    "certificate_profiles": {"type": "dict"},
    "cross_certificate_of": {"type": "path"},
    "path_length": {"type": "int"},
    "authority_ledger_path": {"type": "path"},
    "issuer_chain_path": {"type": "list", "elements": "path", "default": []},
    "trusted_certificate_path": {"type": "list", "elements": "path"},
    "der_path": {"type": "path"},
    "chain_path": {"type": "path"},
    "fullchain_path": {"type": "path"},
    "backup": {"type": "bool", "default": False},
}
FILE_OPTIONS = ("path", "der_path", "chain_path", "fullchain_path")


def to_trusted(listed: list[str] | None) -> list[str]:
    if listed is not None and not listed:
        raise SpecError("trusted_certificate_path: is empty; name the roots, or leave it out to accept any")
    return listed or []


def to_import_task(params: dict[str, Any]) -> ImportTask:
    (certificate,) = file_sources([params["src"]])
    return ImportTask(
        name=params["name"] or os.path.basename(os.path.dirname(os.path.abspath(params["path"]))),
        profile=profile_named(params["certificate_profile"], params["certificate_profiles"]),
        certificate=certificate,
        public_key=Source(params["public_key_path"], read_if_there(params["public_key_path"])),
        above=file_sources(params["issuer_chain_path"]),
        trusted=file_sources(to_trusted(params["trusted_certificate_path"])),
        path_length=params["path_length"],
        own=next(iter(file_sources([params["cross_certificate_of"]] if params["cross_certificate_of"] else [])), None),
    )


def refuse_drift(params: dict[str, Any], imported: Imported, now: datetime) -> None:
    present = read_if_there(params["path"])
    if present is not None and present.strip():
        former = load_usable_certificates(present, params["path"])[0]
        own = params["authority_ledger_path"] or ledger_beside(params["path"])
        refuse_drift_of_imported(former, imported.certificate, open_ledger(own, utc_now), now)


def run(module: AnsibleModule) -> None:
    require_cryptography(module)
    params = module.params
    check_places(module, FILE_OPTIONS, beside={"authority_ledger_path": params["path"]})
    now = utc_now()
    imported = check_import(to_import_task(params), now)
    refuse_drift(params, imported, now)
    for warning in imported.warnings:
        module.warn(warning)
    files = certificate_files(params, imported.certificate, imported.bundle)
    known = {"path": params["path"], **certificate_times(imported.certificate)}
    paths = [params[option] for option in FILE_OPTIONS if params[option]]
    plan = Plan(file_changes(files), imported.missing)
    converge(module, plan, lambda: write_files(module, files, params["backup"]), known, paths)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, add_file_common_args=True)
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
