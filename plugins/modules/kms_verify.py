#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verify a signature over a file or a text."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_verify
short_description: Verify a signature over a file or a text
version_added: 0.1.0
description:
  - Tells whether a signature is right, such as one that M(rootstock.pki.kms_sign) made, and why not.
  - With O(format=cms) it is a CMS message, such as one that M(rootstock.pki.kms_cms_sign) made, in DER, PEM or S/MIME.
    Every signature in it has to be right, and every signer's certificate has to lead up to a trusted one.
  - Works without AWS, with a public key or a certificate. A certificate can be asked to lead up to one that is trusted,
    at a given time and for a given purpose (RFC 5280). Whether it was revoked is not looked up, also where critical CRL
    distribution points say where to look. A key by itself has neither time nor purpose, so
    O(intermediate_certificates), O(root_certificates), O(valid_at) and O(purpose) are refused with it.
  - With O(key_id) AWS KMS verifies. That needs C(kms:Verify), and C(kms:GetPublicKey) unless O(signing_algorithm) is
    given and is not V(ML_DSA_SHAKE_256).
  - Files of any size are read in little memory. Ed25519 signatures cover at most 4,096 bytes, except those in CMS
    messages.
author:
  - rootstock.pki contributors (@rootstock-pki)
requirements:
  - cryptography >= 45, for CMS and ML-DSA >= 50
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - rootstock.pki.attributes
  - rootstock.pki.attributes.info_module
  - rootstock.pki.attributes.action_groups
  - rootstock.pki.aws
options:
  src:
    description:
      - The file that was signed.
      - Exactly one of O(src), O(content) and O(digest_value) is required, except with O(format=cms), where only O(src)
        may be given, and has to be where the message is detached.
    type: path
  content:
    description:
      - The text that was signed, as UTF-8. What is no text is refused, as nobody can tell which octets are meant.
      - Text in JSON that comes out of a template is such a case before ansible-core 2.19, as Ansible makes a dict or a
        list of it. Name the file in O(src) then.
    type: raw
  digest_value:
    description: The digest of what was signed, in hexadecimal digits.
    type: str
  digest_algorithm:
    description:
      - What made O(digest_value). V(mu) is the message representative of ML-DSA (FIPS 204).
      - It is refused without O(digest_value).
    type: str
    choices: [sha256, sha384, sha512, mu]
  manifest:
    description:
      - O(src) is a manifest, as C(sha256sum) and its kin write it. The files that it lists are checked too, once its
        signature is right.
      - Names in it are relative to its folder.
    type: bool
    default: false
  signature:
    description:
      - The signature in Base64, as M(rootstock.pki.kms_sign) returns it.
      - Exactly one of O(signature) and O(signature_path) is required, with O(format=cms) the latter.
    type: str
  signature_path:
    description: The file that holds the signature.
    type: path
  format:
    description:
      - How the signature is written. V(raw) is DER for ECDSA and the bare octets for all others. V(base64) is that in
        Base64. V(p1363) is for ECDSA, the two numbers at their full length.
      - V(cms) is CMS signed data in DER or PEM or as an S/MIME mail. Signatures without signed attributes are not
        right, as nothing tells them from signatures over something else, nor are those with algorithms that AWS KMS
        does not have for such a key. BER is not read.
    type: str
    default: raw
    choices: [raw, base64, p1363, cms]
  signing_algorithm:
    description:
      - How it was signed. The default for RSA keys is V(RSASSA_PKCS1_V1_5_SHA_512), for others the one algorithm they
        have.
    type: str
    choices:
      - RSASSA_PKCS1_V1_5_SHA_256
      - RSASSA_PKCS1_V1_5_SHA_384
      - RSASSA_PKCS1_V1_5_SHA_512
      - RSASSA_PSS_SHA_256
      - RSASSA_PSS_SHA_384
      - RSASSA_PSS_SHA_512
      - ECDSA_SHA_256
      - ECDSA_SHA_384
      - ECDSA_SHA_512
      - ED25519_SHA_512
      - ML_DSA_SHAKE_256
  public_key_path:
    description:
      - The signer's public key, in PEM or DER. RSA keys that are restricted to RSASSA-PSS are refused, here and in
        certificates of signers, as AWS KMS has none.
      - Exactly one of O(public_key_path), O(public_key_content), O(certificate_path), O(certificate_content) and
        O(key_id) is required, except with O(format=cms). That needs O(root_certificates), or the signer's certificate.
    type: path
  public_key_content:
    description: As O(public_key_path), in PEM.
    type: str
  certificate_path:
    description:
      - The signer's certificate, in PEM or DER. In PEM intermediate certificates may follow.
      - With O(format=cms) one of the signatures has to be made with it. Others may have signed too, and have to
        be right as well.
    type: path
  certificate_content:
    description: As O(certificate_path), in PEM.
    type: str
  key_id:
    description: The signer's key in AWS KMS, by ID, ARN, alias name or alias ARN. Then AWS KMS verifies.
    type: str
  intermediate_certificates:
    description: Files with certificates between the signer's and a trusted one, in PEM or DER, in any order.
    type: list
    elements: path
    default: []
  root_certificates:
    description:
      - Files with the certificates that are trusted, in PEM or DER.
      - Without this option the signer's certificate that the task gives is trusted itself. Its time and purpose are
        checked all the same. An empty list is refused, since it would mean that too.
    type: list
    elements: path
  valid_at:
    description:
      - When the certificates have to be valid, relative such as C(-1d) or absolute such as C(20301231235959Z), in UTC.
        The default is now.
    type: str
  purpose:
    description:
      - What the certificates have to allow, an extended key usage such as V(document_signing), V(code_signing) or
        V(1.3.6.1.5.5.7.3.36). A certificate that names none allows every purpose but V(time_stamping). That
        stands alone, in a critical extension of the signer's certificate (RFC 3161 2.3).
      - Without it any purpose will do.
    type: str
  fail_on_invalid:
    description: Whether a signature that is not right, or whose certificate is not, is an error.
    type: bool
    default: true
seealso:
  - module: rootstock.pki.kms_sign
  - module: rootstock.pki.kms_cms_sign
  - module: rootstock.pki.kms_public_key
"""

EXAMPLES = r"""
- name: The release is what was signed
  rootstock.pki.kms_verify:
    src: acme-4.2.tar.gz
    signature_path: acme-4.2.tar.gz.sig
    public_key_path: keys/releases.pem

- name: The contract was signed by somebody whom the people's authority certified for that
  rootstock.pki.kms_verify:
    src: contract.pdf
    signature_path: contract.pdf.sig
    certificate_path: pki/certificates/document-signer.pem
    intermediate_certificates: [pki/people/ca.pem]
    root_certificates: [pki/trust/root.pem]
    purpose: document_signing
    fail_on_invalid: false
  register: verdict

- name: The contract was signed by people whom the authority certified, as the message beside it tells
  rootstock.pki.kms_verify:
    src: contract.pdf
    signature_path: contract.pdf.p7s
    format: cms
    root_certificates: [pki/trust/root.pem]
    purpose: document_signing

- name: All files of the release are what was listed and signed
  rootstock.pki.kms_verify:
    src: build/SHA256SUMS
    manifest: true
    signature_path: build/SHA256SUMS.sig
    public_key_path: keys/releases.pem

- name: All files of the release are what somebody listed and signed whom the authority certified for that
  rootstock.pki.kms_verify:
    src: build/SHA256SUMS
    manifest: true
    signature_path: build/SHA256SUMS.p7s
    format: cms
    root_certificates: [pki/trust/root.pem]
    purpose: code_signing
"""

RETURN = r"""
valid:
  description: Whether the signature is right, and the certificate too where there is one.
  returned: when everything is there
  type: bool
reason:
  description: Why it is not valid, empty when it is.
  returned: when everything is there
  type: str
  sample: this is no ECDSA_SHA_256 signature of acme-4.2.tar.gz by this key
signing_algorithm:
  description: What the signature was verified as.
  returned: when everything is there, without O(format=cms)
  type: str
  sample: ECDSA_SHA_256
chain:
  description: The subjects of the certificates from the signer's up to a trusted one, or as far as they lead.
  returned: with O(certificate_path) or O(certificate_content), without O(format=cms)
  type: list
  elements: str
  sample: ["CN=Acme Document Signer", "CN=Acme People P1,O=Acme", "CN=Acme Root R1,O=Acme,C=DE"]
signers:
  description: Those who signed the message. It is valid where all of them are, and there is one.
  returned: with O(format=cms), when everything is there
  type: list
  elements: dict
  contains:
    valid:
      description: Whether this signature is right, and its certificate.
      type: bool
    reason:
      description: Why it is not valid, empty when it is.
      type: str
    subject:
      description: Of the signer's certificate. Missing where that is not at hand.
      type: str
      sample: CN=Acme Document Signer
    serial_number_hex:
      description: Of the signer's certificate, in upper-case hexadecimal digits. Missing where that is not at hand.
      type: str
    signing_algorithm:
      description: How it is signed, in the words of AWS KMS; empty where no key there signs like that.
      type: str
    digest_algorithm:
      description: What the content is hashed with; empty where it is none of the SHA-2 family from 256 bits on.
      type: str
      sample: sha512
    signing_time:
      description: When it was signed, by the signer's clock, in UTC. Missing where the message does not tell.
      type: str
      sample: 20301231235959Z
    chain:
      description: As RV(chain).
      type: list
      elements: str
sign_calls:
  description: How many signatures the task asked AWS KMS for. None.
  returned: always
  type: int
  sample: 0
pending:
  description: What must exist first.
  returned: in check mode, when a file or the key does not exist
  type: list
  elements: str
"""

import os
from typing import Any, NoReturn

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.clients import kms_client
from ansible_collections.rootstock.pki.plugins.module_utils._aws.signing_keys import KmsSigningKeys
from ansible_collections.rootstock.pki.plugins.module_utils._cms.codec import DerCodec
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS, require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._module.cms import LEAST_CRYPTOGRAPHY
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge, utc_now
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.verifying import (
    CMS,
    CONTENT_OPTIONS,
    KEY_OPTIONS,
    PLAIN_FORMATS,
    SIGNATURE_OPTIONS,
    VERIFY_OPTIONS,
    check_cms_options,
    check_plain_options,
    to_content,
    to_moment,
    to_path_question,
    to_public_key,
    to_purpose,
    to_signature,
    to_trust,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.signing_key import (
    SigningKey,
    find_signing_key,
    given_key,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.verify_cms import CmsQuestion, verify_cms
from ansible_collections.rootstock.pki.plugins.module_utils._operations.verify_file import (
    SignatureQuestion,
    listed_problems,
    verify_signed,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_der
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.names import name_text
from ansible_collections.rootstock.pki.plugins.module_utils._pki.path_validation import (
    PathQuestion,
    PathVerdict,
    validate_path,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.plan import Plan

ARGUMENT_SPEC: dict[str, Any] = {**AWS_OPTIONS, **VERIFY_OPTIONS}


def find_key(params: dict[str, Any], asked: PathQuestion | None, keys: Any, missing: list[str]) -> SigningKey | None:
    if keys is not None:
        found = find_signing_key(keys, params["key_id"], None, "")
        missing += [] if found else [f"the KMS key {params['key_id']} does not exist"]
        return found
    public_key = to_der(asked.certificate) if asked else to_public_key(params, missing)
    return None if public_key is None else given_key(public_key, next(params[o] for o in KEY_OPTIONS if params[o]))


def end(module: AnsibleAWSModule, name: str, reason: str, result: dict[str, Any]) -> NoReturn:
    result = {"valid": not reason, "reason": reason, **result}
    if reason and module.params["fail_on_invalid"]:
        module.fail_json(msg=f"{name}: {reason}", **result)
    converge(module, Plan(), dict, result)


def run_cms(module: AnsibleAWSModule) -> None:
    require_cryptography(module, LEAST_CRYPTOGRAPHY)
    params, missing = module.params, []
    check_cms_options(params)
    signer, certificates, anchors = to_trust(params, missing)
    content = to_content(params, missing) if params["src"] is not None else None
    if not os.path.lexists(params["signature_path"]):
        missing.append(f"signature_path {params['signature_path']} does not exist yet")
    if missing:
        converge(module, Plan(pending=tuple(missing)), dict)
    at, purpose = to_moment(params, utc_now()), to_purpose(params)
    asked = CmsQuestion(params["signature_path"], content, certificates, anchors, at, purpose, signer)
    verdict = verify_cms(asked, DerCodec())
    reason = verdict.reason
    if params["manifest"] and content is not None and not reason:
        reason = listed_problems(content.data or b"", content.name)
    told = {"signers": [signer.facts() for signer in verdict.signers]}
    end(module, params["src"] or params["signature_path"], reason, told)


def run(module: AnsibleAWSModule) -> None:
    require_cryptography(module)
    params, missing = module.params, []
    check_plain_options(params)
    content, signature = to_content(params, missing), to_signature(params, missing)
    asked = to_path_question(params, utc_now(), missing)
    keys = KmsSigningKeys(kms_client(module)) if params["key_id"] else None
    key = find_key(params, asked, keys, missing)
    if missing:
        converge(module, Plan(pending=tuple(missing)), dict)
    if key is None or signature is None:
        raise SpecError("nothing was verified: the signature or the signer's key is missing; give both")
    path = validate_path(asked) if asked else PathVerdict((), ())
    question = SignatureQuestion(content, signature, params["format"], params["signing_algorithm"] or "")
    verdict = verify_signed(question, key, keys)
    reasons = [*path.problems, verdict.reason]
    if params["manifest"] and not any(reasons):
        reasons.append(listed_problems(content.data or b"", content.name))
    reason = "; ".join(one for one in reasons if one)
    result: dict[str, Any] = {"signing_algorithm": verdict.signing_algorithm}
    if asked:
        result["chain"] = [name_text(certificate.subject) for certificate in path.path]
    end(module, content.name, reason, result)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        check_boto3=False,
        mutually_exclusive=[CONTENT_OPTIONS, KEY_OPTIONS, SIGNATURE_OPTIONS],
        required_if=[
            ("format", form, options, True)
            for form in PLAIN_FORMATS
            for options in (CONTENT_OPTIONS, KEY_OPTIONS, SIGNATURE_OPTIONS)
        ],
    )
    try:
        check_given(module, may_be_empty=["content"])
        run_cms(module) if module.params["format"] == CMS else run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
