#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describe certificate revocation lists."""

from __future__ import annotations

DOCUMENTATION = r"""
module: x509_crl_info
short_description: Describe certificate revocation lists
version_added: 0.1.0
description:
  - Tells what stands in a CRL, under the names and in the words of M(community.crypto.x509_crl_info).
  - Also tells its number, what a delta CRL builds on, the issuer's key identifier, how many days it has left, and
    whether a given issuer's key signed it.
  - Needs no AWS account and no credentials.
author:
  - rootstock.pki contributors (@rootstock-pki)
requirements:
  - cryptography >= 45, for ML-DSA >= 50
extends_documentation_fragment:
  - rootstock.pki.attributes
  - rootstock.pki.attributes.info_module
options:
  path:
    description: The CRL, in PEM or DER.
    type: path
  content:
    description: The CRL, in PEM, or in DER encoded in Base64.
    type: str
  issuer_path:
    description: The certificate of the issuer, in PEM or DER, for RV(issuer_match).
    type: path
  issuer_content:
    description: As O(issuer_path), in PEM.
    type: str
  list_revoked_certificates:
    description: Whether to return RV(revoked_certificates), which takes its time for large CRLs.
    type: bool
    default: true
notes:
  - In check mode a file that does not exist is named in RV(pending), otherwise it is an error.
  - All times are in UTC, as C(YYYYMMDDHHMMSSZ).
seealso:
  - module: rootstock.pki.kms_x509_crl
  - module: community.crypto.x509_crl_info
"""

EXAMPLES = r"""
- name: What stands in the CRL is known
  rootstock.pki.x509_crl_info:
    path: pki/services/crl.pem
    issuer_path: pki/services/ca.pem
    list_revoked_certificates: false
  register: crl

- name: It is the authority's, and good for two days at least
  ansible.builtin.assert:
    that:
      - crl.issuer_match
      - crl.days_left >= 2
"""

RETURN = r"""
format:
  description: Form of the CRL, V(pem) or V(der).
  returned: when the CRL exists
  type: str
  sample: pem
issuer:
  description: Issuer by attribute. Of an attribute that stands there more than once the last value.
  returned: when the CRL exists
  type: dict
  sample: {"organizationName": "Acme", "commonName": "Acme Services S1"}
issuer_ordered:
  description: Issuer as a list of attribute and value, in the order of the CRL.
  returned: when the CRL exists
  type: list
  elements: list
  sample: [["organizationName", "Acme"], ["commonName", "Acme Services S1"]]
issuer_match:
  description: Whether the CRL names the given issuer and its key signed it. V(none) where none is given.
  returned: when the CRL exists
  type: bool
  sample: true
digest:
  description: Algorithm of the signature.
  returned: when the CRL exists
  type: str
  sample: ecdsa-with-SHA256
last_update:
  description: When the CRL was made.
  returned: when the CRL exists
  type: str
  sample: 20260301120000Z
next_update:
  description: Until when the next one will be there. V(none) where it does not say.
  returned: when the CRL exists
  type: str
  sample: 20260308120000Z
expired:
  description: Whether RV(next_update) has passed. V(none) where the CRL does not say.
  returned: when the CRL exists
  type: bool
  sample: false
days_left:
  description: Whole days until RV(next_update), negative when it has passed. V(none) where the CRL does not say.
  returned: when the CRL exists
  type: int
  sample: 6
crl_number:
  description: Number of the CRL (RFC 5280 5.2.3). V(none) where it has none.
  returned: when the CRL exists
  type: int
  sample: 1772366400000
base_crl_number:
  description: Number of the full CRL that a delta CRL builds on (RFC 5280 5.2.4). V(none) for a full one.
  returned: when the CRL exists
  type: int
  sample: 1772366400000
authority_key_identifier:
  description: Identifier of the issuer's key, as pairs of hexadecimal digits. V(none) where it has none.
  returned: when the CRL exists
  type: str
  sample: 53:e1:c2
issuing_distribution_point:
  description: Which certificates the CRL covers (RFC 5280 5.2.5). V(none) where it does not say.
  returned: when the CRL exists
  type: dict
  contains:
    full_name:
      description: General names of the CRL.
      returned: always
      type: list
      elements: str
      sample: ["URI:http://pki.acme.example/devices/crl-0.der"]
    only_some_reasons:
      description: Reasons that it covers, V(none) for all.
      returned: always
      type: list
      elements: str
    only_contains_user_certs:
      description: Whether it covers end entities only.
      returned: always
      type: bool
    only_contains_ca_certs:
      description: Whether it covers authorities only.
      returned: always
      type: bool
    indirect_crl:
      description: Whether it covers certificates of other issuers too.
      returned: always
      type: bool
    only_contains_attribute_certs:
      description: Whether it covers attribute certificates only.
      returned: always
      type: bool
delta_crl_uris:
  description: Where the delta CRL is (RFC 5280 5.2.6). V(none) where it does not say.
  returned: when the CRL exists
  type: list
  elements: str
  sample: ["http://pki.acme.example/people/delta.der"]
revoked_count:
  description: How many certificates it lists.
  returned: when the CRL exists
  type: int
  sample: 1
revoked_certificates:
  description: The certificates that it lists.
  returned: when the CRL exists and O(list_revoked_certificates=true)
  type: list
  elements: dict
  contains:
    serial_number:
      description: Serial number.
      returned: always
      type: int
      sample: 2583
    serial_number_hex:
      description: The same in upper-case hexadecimal digits, as files are named.
      returned: always
      type: str
      sample: 0A17
    revocation_date:
      description: Since when it is revoked.
      returned: always
      type: str
      sample: 20260301120000Z
    issuer:
      description: The certificate's issuer, where that is not the CRL's.
      returned: always
      type: list
      elements: str
    issuer_critical:
      description: Whether that is critical.
      returned: always
      type: bool
    reason:
      description: Why it is revoked.
      returned: always
      type: str
      sample: key_compromise
    reason_critical:
      description: Whether the reason is critical.
      returned: always
      type: bool
    invalidity_date:
      description: Since when the key is known or suspected to be in other hands.
      returned: always
      type: str
      sample: 20260228000000Z
    invalidity_date_critical:
      description: Whether the invalidity date is critical.
      returned: always
      type: bool
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

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge, utc_now
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import octets_of, read_if_there
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.ledgers import ISSUER_OPTIONS, load_issuer
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl import crl_signed_by
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl_info import describe_crl, read_crl_text
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.plan import Plan

ARGUMENT_SPEC: dict[str, Any] = {
    "path": {"type": "path"},
    "content": {"type": "str"},
    **ISSUER_OPTIONS,
    "list_revoked_certificates": {"type": "bool", "default": True},
}


def run(module: AnsibleModule) -> None:
    require_cryptography(module)
    params = module.params
    issuer = load_issuer(module)
    content = read_if_there(params["path"]) if params["path"] is not None else octets_of(params["content"], "content")
    absent = (f"{params['path']} does not exist",) if content is None else ()
    known: dict[str, Any] = {}
    if content is not None:
        crl = read_crl_text(content, params["path"] or "content")
        known = describe_crl(crl, content, utc_now(), params["list_revoked_certificates"])
        known["issuer_match"] = None if issuer.certificate is None else crl_signed_by(crl, issuer.certificate)
    converge(module, Plan(pending=(*absent, *issuer.missing)), dict, known)


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        required_one_of=[("path", "content")],
        mutually_exclusive=[("path", "content"), ("issuer_path", "issuer_content")],
    )
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
