#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sign a file or a text as CMS or S/MIME with keys in AWS KMS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_cms_sign
short_description: Sign a file or a text as CMS or S/MIME with keys in AWS KMS
version_added: 0.1.0
description:
  - Keeps a CMS message (RFC 5652, once PKCS#7) with the signatures of one or more certificates over a file of any size
    or a text. The private keys stay in AWS KMS.
  - What is signed are attributes that hold the digest of the content, the signing time and a reference to the signer's
    certificate (RFC 5035), as CAdES-B wants it. So Ed25519 keys sign contents of any size too.
  - The content is read twice at most, where the module runs and in little memory. Only digests are sent, and with
    Ed25519 the attributes.
  - A message at O(dest) that is as wanted, and whose signatures verify for the present content, is left as it is. AWS
    is not asked then. A renewed certificate is not the one that signed, so the message is made anew.
  - New signatures are verified under the certificates' keys before anything is written.
  - The certificate must be valid now, and allow digital signatures or content commitment. Where it names extended key
    usages, V(document_signing), V(code_signing), V(email_protection) or any must be among them. Certificates and keys
    of authorities and OCSP responders are refused; the keys by the tags of M(rootstock.pki.kms_key), as far as the
    caller may read them.
  - Needs C(kms:Sign). Uses C(kms:GetPublicKey), to refuse a certificate of another key before signing,
    C(kms:ListResourceTags), and C(kms:DescribeKey) for a key named by alias, where they are allowed.
author:
  - rootstock.pki contributors (@rootstock-pki)
requirements:
  - cryptography >= 50
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - ansible.builtin.files
  - rootstock.pki.attributes
  - rootstock.pki.attributes.action_groups
  - rootstock.pki.aws
  - rootstock.pki.attributes.files
options:
  src:
    description:
      - The file to sign.
      - Exactly one of O(src) and O(content) is required.
    type: path
  content:
    description:
      - The text to sign, as UTF-8. What is no text is refused, as nobody can tell which octets are meant.
      - Text in JSON that comes out of a template is such a case before ansible-core 2.19, as Ansible makes a dict or a
        list of it. Name the file in O(src) then.
    type: raw
  dest:
    description: Where the message is kept.
    type: path
    required: true
  format:
    description:
      - How the message is written.
      - V(der) and V(pem) sign the content as it is, to the last octet.
      - V(smime) makes a mail out of it (RFC 8551), in which the content is an attachment. It is signed in that form,
        as mails are, so what C(openssl cms -verify) writes is the attachment with its header.
    type: str
    default: der
    choices: [der, pem, smime]
  detached:
    description:
      - Whether the content stays outside of the message. With V(false) the message carries it.
      - A detached V(smime) mail has two parts (C(multipart/signed)), the content in clear and the message.
    type: bool
    default: true
  key_id:
    description:
      - The signer's key, by ID, ARN, alias name or alias ARN. Needs O(certificate_path).
      - Exactly one of O(key_id) and O(signers) is required.
    type: str
  certificate_path:
    description:
      - The signer's certificate, in PEM or DER. In PEM intermediate certificates may follow.
    type: path
  signing_algorithm:
    description:
      - How to sign. It has to fit the key.
      - The default for RSA keys is V(RSASSA_PKCS1_V1_5_SHA_512), for others the one algorithm they have.
      - The content is hashed with the same hash, for Ed25519 and ML-DSA with SHA-512.
    type: str
    choices: &algorithms
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
  signers:
    description:
      - Those who sign, where there are several.
    type: list
    elements: dict
    suboptions:
      key_id:
        description: As O(key_id).
        type: str
        required: true
      certificate_path:
        description: As O(certificate_path).
        type: path
        required: true
      signing_algorithm:
        description: As O(signing_algorithm).
        type: str
        choices: *algorithms
      assume_role:
        description: A role to assume for this signer alone, with the credentials of the task.
        type: dict
        suboptions:
          role_arn:
            description: ARN of the role, in this account or another one.
            type: str
            required: true
          session_name:
            description: What the session is called in CloudTrail.
            type: str
            default: rootstock
          external_id:
            description: The external ID that the role's trust policy asks for.
            type: str
          duration:
            description: How many seconds the session lasts.
            type: int
            default: 900
  intermediate_certificates:
    description: Files with certificates between the signers' and a trusted one, in PEM or DER, in any order.
    type: list
    elements: path
    default: []
  root_certificates:
    description:
      - Files with trusted certificates, in PEM or DER. Nothing is signed with a certificate that does not lead up to
        one of them (RFC 5280).
      - Without them only the signers' certificates themselves are looked at.
    type: list
    elements: path
    default: []
  certificates:
    description:
      - Which certificates the message carries. V(chain) are the signers' and those above them that are known, without
        roots, which whoever verifies has to have already. The certificate by which an older root vouches for the key of
        a newer one is carried, and so are other cross-certificates.
    type: str
    default: chain
    choices: [none, signer, chain]
  signing_time:
    description: Whether the message tells when it was signed, by the clock of the machine that the module runs on.
    type: bool
    default: true
  ledger_path:
    description:
      - A ledger in which every signature is written down before AWS KMS is asked for it, and its outcome after.
    type: path
seealso:
  - module: rootstock.pki.kms_sign
  - module: rootstock.pki.kms_verify
"""

EXAMPLES = r"""
- name: The contract is signed, and the signature is beside it
  rootstock.pki.kms_cms_sign:
    src: contract.pdf
    dest: contract.pdf.p7s
    key_id: alias/pki/acme/document-signer
    certificate_path: pki/certificates/document-signer.fullchain.pem
    # openssl cms -verify -binary -inform DER -in contract.pdf.p7s -content contract.pdf
    #   -CAfile pki/trust/root.pem -purpose any -out /dev/null

- name: The release is signed in one file with its signature, by certificates that lead up to the root
  rootstock.pki.kms_cms_sign:
    src: release.tar
    dest: release.tar.p7m
    detached: false
    key_id: alias/pki/acme/code-signer
    certificate_path: pki/certificates/code-signer.pem
    intermediate_certificates: [pki/certificates/code-signer.chain.pem]
    root_certificates: [pki/trust/root.pem]
    ledger_path: signatures/ledger.jsonl

- name: Two people sign, each with a role of their own
  rootstock.pki.kms_cms_sign:
    src: minutes.pdf
    dest: minutes.pdf.pem
    format: pem
    signers:
      - key_id: arn:aws:kms:eu-central-1:111122223333:alias/chair
        certificate_path: chair.pem
        assume_role: {role_arn: "arn:aws:iam::111122223333:role/Chair"}
      - key_id: arn:aws:kms:eu-central-1:444455556666:alias/clerk
        certificate_path: clerk.pem
        signing_algorithm: RSASSA_PSS_SHA_256
        assume_role: {role_arn: "arn:aws:iam::444455556666:role/Clerk"}
"""

RETURN = r"""
signers:
  description: Those who sign, in their order; in check mode those whose certificates are there.
  returned: always
  type: list
  elements: dict
  contains:
    key_id:
      description: The key, as the task names it.
      type: str
    subject:
      description: Of the certificate.
      type: str
      sample: CN=Acme Document Signer
    serial_number_hex:
      description: Of the certificate, in upper-case hexadecimal digits.
      type: str
    signing_algorithm:
      description: How it is signed.
      type: str
      sample: RSASSA_PKCS1_V1_5_SHA_512
    digest_algorithm:
      description: What the content is hashed with.
      type: str
      sample: sha512
    signing_time:
      description: When it was signed, in UTC. Missing while it is not, and without O(signing_time).
      type: str
      sample: 20301231235959Z
reason:
  description: Why there was, or will be, another message in place of one that is there.
  returned: when there is a file at O(dest) that is not the message wanted
  type: str
sign_calls:
  description: How often kms:Sign was asked.
  returned: always
  type: int
  sample: 1
pending:
  description: What must exist first.
  returned: in check mode, when the file to sign, a key or a certificate does not exist
  type: list
  elements: str
"""

from collections.abc import Iterable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.clients import client_maker
from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import KmsSigner
from ansible_collections.rootstock.pki.plugins.module_utils._aws.signing_keys import LateSigningKeys
from ansible_collections.rootstock.pki.plugins.module_utils._aws.sts import caller_arn
from ansible_collections.rootstock.pki.plugins.module_utils._cms.codec import DerCodec
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.opening import open_ledger
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS, require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._module.cms import (
    CMS_OPTIONS,
    CONTENT_OPTIONS,
    LEAST_CRYPTOGRAPHY,
    SIGNER_OPTIONS,
    signer_params,
    to_cms_spec,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge, utc_now
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import check_places
from ansible_collections.rootstock.pki.plugins.module_utils._module.streams import write_pieces
from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_cms import (
    CmsPlanningPorts,
    CmsSigningPorts,
    Hand,
    make_cms,
    plan_cms,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError

ARGUMENT_SPEC: dict[str, Any] = {**AWS_OPTIONS, **CMS_OPTIONS}


def run(module: AnsibleAWSModule) -> None:
    require_cryptography(module, LEAST_CRYPTOGRAPHY)
    params, missing, codec = module.params, [], DerCodec()
    check_places(module, ["dest"])
    spec = to_cms_spec(params, missing)
    signers = signer_params(params)
    makers = [client_maker(module, one["assume_role"]) for one in signers]
    ledger = open_ledger(params["ledger_path"], utc_now) if params["ledger_path"] else None
    keys = [LateSigningKeys(lambda make=make: make("kms", True)) for make in makers]
    ports = CmsPlanningPorts(codec, keys, ledger.read() if ledger else None, utc_now())
    work = plan_cms(spec, tuple(missing), ports)

    def keep(pieces: Iterable[bytes | memoryview]) -> None:
        write_pieces(module, spec.dest, pieces)

    def apply() -> dict[str, Any]:
        hands = []
        for one, make in zip(signers, makers, strict=True):
            caller = caller_arn(make("sts", True)) if ledger else ""
            hands.append(Hand(KmsSigner(make("kms", False), one["key_id"]), caller))
        return make_cms(work, CmsSigningPorts(codec, hands, keep, ledger, utc_now))

    converge(module, work.plan, apply, work.known(), [spec.dest])


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        add_file_common_args=True,
        mutually_exclusive=[CONTENT_OPTIONS, SIGNER_OPTIONS],
        required_one_of=[CONTENT_OPTIONS, SIGNER_OPTIONS],
        required_by={"key_id": "certificate_path"},
    )
    try:
        check_given(module, may_be_empty=["content"])
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
