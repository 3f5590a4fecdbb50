#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describe X.509 certificates."""

from __future__ import annotations

DOCUMENTATION = r"""
module: x509_cert_info
short_description: Describe X.509 certificates
version_added: 0.1.0
description:
  - Tells what stands in a certificate, under the names and in the words of M(community.crypto.x509_certificate_info).
  - Also tells whether a given issuer's key signed it, how many days it has left, and what the issuer's ledger says of
    it.
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
    description:
      - The certificate, in PEM or DER. Of several in PEM the first one is described.
    type: path
  content:
    description: As O(path), in PEM.
    type: str
  valid_at:
    description:
      - Times by names of your choice. RV(valid_at) tells for each whether the certificate is valid then.
      - A time is relative such as C(+30d) or absolute such as C(20301231235959Z), in UTC.
    type: dict
  issuer_path:
    description: The certificate of the issuer, in PEM or DER, for RV(issuer_match).
    type: path
  issuer_content:
    description: As O(issuer_path), in PEM.
    type: str
  ledger_path:
    description:
      - The issuer's ledger, for RV(ledger) and RV(certificate_profile).
      - With O(issuer_path) or O(issuer_content) it has to be the ledger of that issuer.
    type: path
notes:
  - In check mode a file that does not exist is named in RV(pending), otherwise it is an error.
  - All times are in UTC, as C(YYYYMMDDHHMMSSZ).
seealso:
  - module: rootstock.pki.kms_x509_cert
  - plugin: rootstock.pki.x509_cert_info
    plugin_type: filter
  - plugin: rootstock.pki.to_serial
    plugin_type: filter
  - module: community.crypto.x509_certificate_info
"""

EXAMPLES = r"""
- name: What stands in the server's certificate is known
  rootstock.pki.x509_cert_info:
    path: pki/certificates/web.pem
    issuer_path: pki/services/ca.pem
    ledger_path: pki/services/ledger.jsonl
  register: web

- name: It is good for a month at least
  ansible.builtin.assert:
    that:
      - web.issuer_match
      - web.ledger.status == 'valid'
      - web.days_left >= 30

- name: It is known whether the authority outlives the next year
  rootstock.pki.x509_cert_info:
    path: pki/services/ca.pem
    valid_at:
      next_year: +365d
  register: services
"""

RETURN = r"""
subject:
  description: Subject by attribute. Of an attribute that stands there more than once the last value.
  returned: when the certificate exists
  type: dict
  sample: {"countryName": "DE", "commonName": "web.acme.internal"}
subject_ordered:
  description: Subject as a list of attribute and value, in the order of the certificate.
  returned: when the certificate exists
  type: list
  elements: list
  sample: [["countryName", "DE"], ["commonName", "web.acme.internal"]]
issuer:
  description: Issuer by attribute. Of an attribute that stands there more than once the last value.
  returned: when the certificate exists
  type: dict
  sample: {"organizationName": "Acme", "commonName": "Acme Services S1"}
issuer_ordered:
  description: Issuer as a list of attribute and value, in the order of the certificate.
  returned: when the certificate exists
  type: list
  elements: list
  sample: [["organizationName", "Acme"], ["commonName", "Acme Services S1"]]
serial_number:
  description: Serial number. The filter P(rootstock.pki.to_serial#filter) writes it as OpenSSL shows it.
  returned: when the certificate exists
  type: int
  sample: 2583
serial_number_hex:
  description: Serial number in upper-case hexadecimal digits, as files are named.
  returned: when the certificate exists
  type: str
  sample: 0A17
version:
  description: Version of the format, 3 unless the certificate has no extensions.
  returned: when the certificate exists
  type: int
  sample: 3
not_before:
  description: Start of validity.
  returned: when the certificate exists
  type: str
  sample: 20260101120000Z
not_after:
  description: End of validity.
  returned: when the certificate exists
  type: str
  sample: 20270202120000Z
expired:
  description: Whether the end of validity has passed.
  returned: when the certificate exists
  type: bool
days_left:
  description: Whole days until the end of validity, below 0 after it.
  returned: when the certificate exists
  type: int
  sample: 89
valid_at:
  description: For each of O(valid_at) whether the certificate is valid then.
  returned: when the certificate exists
  type: dict
  sample: {"next_year": false}
signature_algorithm:
  description: Algorithm of the issuer's signature, in OpenSSL's words. An unknown one is a dotted object identifier.
  returned: when the certificate exists
  type: str
  sample: ecdsa-with-SHA256
signature_hash:
  description: Hash under the signature. V(none) for Ed25519 and ML-DSA, which hash inside.
  returned: when the certificate exists
  type: str
  sample: sha256
public_key:
  description: Public key in PEM. V(none) where the installed cryptography does not know its kind.
  returned: when the certificate exists
  type: str
public_key_type:
  description:
    - V(RSA), V(ECC), V(Ed25519), V(ML-DSA-44), V(ML-DSA-65), V(ML-DSA-87), V(DSA), V(Ed448), V(X25519) or V(X448).
    - Begins with V(unknown) for any other, followed by its object identifier.
  returned: when the certificate exists
  type: str
  sample: ECC
public_key_data:
  description: Parts of the public key. Empty for key types that have one part only, such as V(Ed25519).
  returned: when the certificate exists
  type: dict
  contains:
    size:
      description: Bits of the modulus of an RSA key, or of the prime of a DSA key.
      returned: for V(RSA) and V(DSA)
      type: int
    modulus:
      description: Modulus.
      returned: for V(RSA)
      type: int
    exponent:
      description: Public exponent.
      returned: for V(RSA)
      type: int
    curve:
      description: Name of the curve, such as V(secp256r1) for P-256.
      returned: for V(ECC)
      type: str
    exponent_size:
      description: Bits of a private key.
      returned: for V(ECC)
      type: int
    x:
      description: First coordinate of the public point.
      returned: for V(ECC)
      type: int
    y:
      description: Second coordinate of the public point, or the public value of a DSA key.
      returned: for V(ECC) and V(DSA)
      type: int
    p:
      description: The prime.
      returned: for V(DSA)
      type: int
    q:
      description: Order of the subgroup.
      returned: for V(DSA)
      type: int
    g:
      description: Generator of the subgroup.
      returned: for V(DSA)
      type: int
public_key_fingerprints:
  description: Digests of the public key as a SubjectPublicKeyInfo in DER, by algorithm.
  returned: when the certificate exists
  type: dict
  sample: {"sha1": "6b:59:af:72:6b:6a:55:91:cf:c2:76:63:8b:16:11:d7:e6:00:34:f2"}
fingerprints:
  description: Digests of the certificate in DER, by algorithm.
  returned: when the certificate exists
  type: dict
  sample: {"sha1": "00:34:f2:6b:59:af:72:6b:6a:55:91:cf:c2:76:63:8b:16:11:d7:e6"}
basic_constraints:
  description: Whether this is an authority, and how many may follow below it. V(none) without the extension.
  returned: when the certificate exists
  type: list
  elements: str
  sample: ["CA:TRUE", "pathlen:0"]
basic_constraints_critical:
  description: Whether RV(basic_constraints) are critical.
  returned: when the certificate exists
  type: bool
key_usage:
  description: Key usage, in OpenSSL's words. V(none) without the extension.
  returned: when the certificate exists
  type: list
  elements: str
  sample: ["CRL Sign", "Certificate Sign"]
key_usage_critical:
  description: Whether RV(key_usage) is critical.
  returned: when the certificate exists
  type: bool
extended_key_usage:
  description: Extended key usage, in OpenSSL's words. V(none) without the extension.
  returned: when the certificate exists
  type: list
  elements: str
  sample: ["TLS Web Server Authentication"]
extended_key_usage_critical:
  description: Whether RV(extended_key_usage) is critical.
  returned: when the certificate exists
  type: bool
subject_alt_name:
  description:
    - Subject alternative names with their prefixes. V(none) without the extension.
    - The value of an C(otherName) is its DER in hexadecimal digits.
  returned: when the certificate exists
  type: list
  elements: str
  sample: ["DNS:web.acme.internal", "IP:192.0.2.1"]
subject_alt_name_critical:
  description: Whether RV(subject_alt_name) is critical.
  returned: when the certificate exists
  type: bool
name_constraints_permitted:
  description: Names that the authority may issue for. V(none) without the extension.
  returned: when the certificate exists
  type: list
  elements: str
  sample: ["DNS:acme.internal", "IP:10.0.0.0/8"]
name_constraints_excluded:
  description: Names that the authority may not issue for. V(none) without the extension.
  returned: when the certificate exists
  type: list
  elements: str
  sample: ["email:"]
name_constraints_critical:
  description: Whether the name constraints are critical.
  returned: when the certificate exists
  type: bool
ocsp_must_staple:
  description: Whether a TLS server has to present an OCSP response. V(none) without the extension.
  returned: when the certificate exists
  type: bool
ocsp_must_staple_critical:
  description: Whether RV(ocsp_must_staple) is critical.
  returned: when the certificate exists
  type: bool
subject_key_identifier:
  description: Identifier of the subject's key. V(none) without the extension.
  returned: when the certificate exists
  type: str
  sample: 6b:59:af:72:6b:6a:55:91:cf:c2:76:63:8b:16:11:d7:e6:00:34:f2
authority_key_identifier:
  description: Identifier of the issuer's key. V(none) without the extension.
  returned: when the certificate exists
  type: str
  sample: 6b:59:af:72:6b:6a:55:91:cf:c2:76:63:8b:16:11:d7:e6:00:34:f2
authority_cert_issuer:
  description: Who issued the issuer's certificate, where the authority key identifier says so, otherwise V(none).
  returned: when the certificate exists
  type: list
  elements: str
  sample: ["dirName:CN=Acme Root R1,O=Acme,C=DE"]
authority_cert_serial_number:
  description: Serial number of the issuer's certificate, where the authority key identifier says so, otherwise V(none).
  returned: when the certificate exists
  type: int
  sample: 12345
ocsp_uri:
  description: The first address of an OCSP responder. V(none) where there is none.
  returned: when the certificate exists
  type: str
  sample: http://ocsp.acme.example
issuer_uri:
  description: The first address of the issuer's certificate. V(none) where there is none.
  returned: when the certificate exists
  type: str
  sample: http://pki.acme.example/services/ca.cer
crl_uris:
  description: The addresses of CRLs. V(none) without the extension.
  returned: when the certificate exists
  type: list
  elements: str
  sample: ["http://pki.acme.example/services/ca.crl"]
extensions_by_oid:
  description: Every extension by its object identifier.
  returned: when the certificate exists
  type: dict
  contains:
    critical:
      description: Whether the extension is critical.
      returned: always
      type: bool
    value:
      description: The value's DER in Base64.
      returned: always
      type: str
      sample: MAMCAQU=
  sample: {"1.3.6.1.5.5.7.1.24": {"critical": false, "value": "MAMCAQU="}}
issuer_match:
  description:
    - Whether the certificate names the given issuer and that issuer's key signed it.
    - V(none) without O(issuer_path) and O(issuer_content).
  returned: when the certificate exists
  type: bool
certificate_profile:
  description: The profile that the certificate was issued with, as the ledger says. V(none) where it says nothing.
  returned: when the certificate exists
  type: str
  sample: tls_server
ledger:
  description: What the ledger says of this certificate. V(none) without O(ledger_path) and where it does not know it.
  returned: when the certificate exists
  type: dict
  contains:
    status:
      description:
        - V(valid), V(expired), V(on_hold), V(revoked), V(superseded) or V(retired).
        - V(open_intent) where the run that signed the certificate ended before it recorded so.
      returned: always
      type: str
    name:
      description: What the ledger calls the certificate. V(none) where it knows of the revocation only.
      returned: always
      type: str
    revocation:
      description: The revocation in force, V(none) where there is none.
      returned: always
      type: dict
      contains:
        reason:
          description: Why it was revoked.
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
    superseded_by:
      description: Serial number of the certificate that replaced it, in hexadecimal digits. V(none) where none did.
      returned: always
      type: str
      sample: 5A02
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

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import authority_of
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.opening import open_ledger
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge, utc_now
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import octets_of, read_if_there
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._operations.ledger_standing import ledger_standing
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate_info import (
    describe_certificate,
    issuer_match,
    valid_at,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import (
    load_certificates,
    spki,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.issuing import signed_by
from ansible_collections.rootstock.pki.plugins.module_utils._pki.plan import Plan
from ansible_collections.rootstock.pki.plugins.module_utils._pki.times import to_time

ARGUMENT_SPEC: dict[str, Any] = {
    "path": {"type": "path"},
    "content": {"type": "str"},
    "valid_at": {"type": "dict"},
    "issuer_path": {"type": "path"},
    "issuer_content": {"type": "str"},
    "ledger_path": {"type": "path"},
}


def load(path: str | None, content: str | None, option: str, missing: list[str]) -> Any:
    """Return the first certificate given; None where there is none, and where the file does not exist."""
    if path is None and content is None:
        return None
    found = read_if_there(path) if path is not None else octets_of(content or "", option)
    if found is None:
        missing.append(f"{path} does not exist")
        return None
    return load_certificates(found, path or option)[0]


def read_ledger(path: str, certificate: Any, issuer: Any, now: datetime) -> Any:
    """Return profile and standing; *issuer* is None unless its key signed the certificate."""
    authority = "" if issuer is None else authority_of(spki(issuer.public_key()))
    state = open_ledger(path, lambda: now, authority).read()
    return ledger_standing(state, certificate, issuer, now)


def run(module: AnsibleModule) -> None:
    require_cryptography(module)
    params, missing = module.params, []
    now = utc_now()
    certificate = load(params["path"], params["content"], "content", missing)
    issuer = load(params["issuer_path"], params["issuer_content"], "issuer_content", missing)
    if params["ledger_path"] is not None and not open_ledger(params["ledger_path"], utc_now).exists():
        missing.append(f"{params['ledger_path']} does not exist")
    known = {} if certificate is None else describe(params, certificate, issuer, now)
    converge(module, Plan(pending=tuple(missing)), dict, known)


def describe(params: Mapping[str, Any], certificate: Any, issuer: Any, now: datetime) -> dict[str, Any]:
    matches = None if issuer is None else issuer_match(certificate, issuer)
    moments = {str(name): to_time(str(time), now) for name, time in (params["valid_at"] or {}).items()}
    profile, standing = None, None
    if params["ledger_path"] is not None:
        itself = certificate if signed_by(certificate, certificate) else None
        signer = issuer if matches else itself
        profile, standing = read_ledger(params["ledger_path"], certificate, signer, now)
    return {
        **describe_certificate(certificate, now),
        "valid_at": valid_at(certificate, moments),
        "issuer_match": matches,
        "certificate_profile": profile,
        "ledger": standing,
    }


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
