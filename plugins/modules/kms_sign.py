#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sign a file or a text with a key in AWS KMS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_sign
short_description: Sign a file or a text with a key in AWS KMS
version_added: 0.1.0
description:
  - Keeps a signature over a file of any size, or over a text, in a file of its own. The private key stays in AWS KMS.
  - Content is hashed where the module runs and in little memory, only the digest is sent. Ed25519 has no digest to
    send, so content signed with it has at most 4,096 bytes.
  - A signature at O(dest) that verifies for the present content is left as it is, and AWS KMS is not asked.
  - A new signature is verified under the public key before it is written anywhere.
  - Keys of authorities are refused. These are keys that M(rootstock.pki.kms_key) tagged for C(ca) or C(ocsp), as far as
    the caller may read tags. Content is refused too when the signature over it would be a certificate, a certificate
    revocation list, an OCSP response or a certificate request. That is told by the outline of the whole content as
    DER or BER, so such a structure inside something else is not found.
  - Needs C(kms:Sign), and C(kms:GetPublicKey) without O(public_key_path). Uses C(kms:ListResourceTags), and
    C(kms:DescribeKey) for a key named by alias, where they are allowed.
author:
  - rootstock.pki contributors (@rootstock-pki)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - ansible.builtin.files
  - rootstock.pki.attributes
  - rootstock.pki.attributes.aws
  - rootstock.pki.attributes.files
options:
  key_id:
    description: The key, by ID, ARN, alias name or alias ARN.
    type: str
    required: true
  src:
    description:
      - The file to sign.
      - One of O(src) and O(content) is required.
    type: path
  content:
    description: The text to sign, as UTF-8.
    type: str
  dest:
    description:
      - Where the signature is kept, as AWS KMS makes it. That is DER for ECDSA and the bare octets for all others.
      - Without it the signature is only returned, and made anew in every run.
    type: path
  signing_algorithm:
    description:
      - How to sign. It has to fit the key.
      - The default for RSA keys is V(RSASSA_PKCS1_V1_5_SHA_512), for others the one algorithm they have.
      - It must be named when the public key is not known, see RV(verified).
      - V(ED25519_PH_SHA_512) is refused, since nothing here can verify it.
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
      - ED25519_PH_SHA_512
      - ML_DSA_SHAKE_256
  message_type:
    description:
      - What is sent to AWS KMS. The signature is the same kind of signature over O(src) or O(content) in any case, and
        O(src) is never taken for a digest.
      - V(auto) sends a digest for RSA and ECDSA, the message representative mu for ML-DSA, and the content itself for
        Ed25519.
      - V(raw) sends the content itself, of at most 4,096 bytes.
      - The others are for keys whose policy allows nothing else (C(kms:MessageType)).
    type: str
    default: auto
    choices: [auto, raw, digest, external_mu]
  public_key_path:
    description:
      - The key's public key or certificate, in PEM or DER. Then AWS KMS is not asked for it.
    type: path
  ledger_path:
    description:
      - A ledger in which every signature is written down before AWS KMS is asked for it, and its outcome after.
      - Needs C(sts:GetCallerIdentity).
    type: path
seealso:
  - module: rootstock.pki.kms_key
  - module: rootstock.pki.kms_public_key
"""

EXAMPLES = r"""
- name: The release is signed
  rootstock.pki.kms_sign:
    key_id: alias/acme/releases
    src: build/acme-4.2.tar.gz
    dest: build/acme-4.2.tar.gz.sig
    # openssl dgst -sha512 -verify releases.pem -signature acme-4.2.tar.gz.sig acme-4.2.tar.gz

- name: The firmware is signed with RSA-PSS, and every signature has its line in a ledger
  rootstock.pki.kms_sign:
    key_id: alias/acme/firmware
    src: firmware.bin
    dest: firmware.sig
    signing_algorithm: RSASSA_PSS_SHA_256
    public_key_path: keys/firmware.pem
    ledger_path: signatures/ledger.jsonl

- name: A token is signed
  rootstock.pki.kms_sign:
    key_id: alias/acme/tokens
    content: "{{ token }}"
  register: signed
"""

RETURN = r"""
signature:
  description: The signature in Base64.
  returned: when there is one
  type: str
verified:
  description:
    - Whether the signature was verified under the public key.
    - V(false) only where O(public_key_path) is not given and the caller may not read the public key. A warning says so,
      and every run signs again.
  returned: when there is a signature
  type: bool
signing_algorithm:
  description: How it is signed.
  returned: when it is known
  type: str
  sample: RSASSA_PKCS1_V1_5_SHA_512
message_type:
  description: What is sent to AWS KMS, V(digest), V(external_mu) or V(raw).
  returned: when it is known
  type: str
  sample: digest
reason:
  description: Why there was, or will be, another signature in place of the one at O(dest).
  returned: when there is a file at O(dest) that is not the signature wanted
  type: str
sign_calls:
  description: How often kms:Sign was asked.
  returned: always
  type: int
  sample: 1
pending:
  description: What must exist first.
  returned: in check mode, when the key, O(src) or O(public_key_path) does not exist
  type: list
  elements: str
"""

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import KmsSigner
from ansible_collections.rootstock.pki.plugins.module_utils._aws.signing_keys import KmsSigningKeys
from ansible_collections.rootstock.pki.plugins.module_utils._aws.sts import caller_arn
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.files import FileLedger
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import (
    aws_client,
    kms_client,
    require_cryptography,
    signing_client,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import write_file
from ansible_collections.rootstock.pki.plugins.module_utils._module.signing import (
    SIGNATURE_OPTIONS,
    read_current,
    read_if_there,
    to_signature_spec,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_file import (
    PlanningPorts,
    SigningPorts,
    make_signature,
    plan_signature,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.signing_key import find_signing_key
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError

ARGUMENT_SPEC: dict[str, Any] = {**SIGNATURE_OPTIONS}


def utc_now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def run(module: AnsibleAWSModule) -> None:
    require_cryptography(module)
    params = module.params
    spec = to_signature_spec(params)
    missing: list[str] = []
    if params["src"] and not os.path.exists(params["src"]):
        missing.append(f"src {params['src']} does not exist yet")
    public_key = read_if_there(params["public_key_path"], "public_key_path", missing)
    keys = KmsSigningKeys(kms_client(module))
    key = find_signing_key(keys, params["key_id"], public_key, params["public_key_path"])
    if key is None:
        missing.append(f"the KMS key {params['key_id']} does not exist yet; create it with kms_key")
    elif key.public_key is None:
        module.warn(f"{key.key_id}: its public key may not be read, so the signature is not verified")
    ledger = FileLedger(Path(params["ledger_path"]), utc_now) if params["ledger_path"] else None
    ports = PlanningPorts(keys, ledger, utc_now())
    work = plan_signature(spec, key, tuple(missing), read_current(spec.dest), ports)

    def keep(signature: bytes) -> None:
        if spec.dest:
            write_file(module, spec.dest, signature)

    def apply() -> dict[str, Any]:
        signer = KmsSigner(signing_client(module), params["key_id"])
        signing = SigningPorts(signer, keep, ledger, lambda: caller_arn(aws_client(module, "sts")), utc_now)
        made = make_signature(work, signing)
        return {**work.result(made.signature), "sign_calls": made.sign_calls}

    converge(module, work.plan, apply, work.known(), [spec.dest] if spec.dest else [])


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        add_file_common_args=True,
        mutually_exclusive=[("src", "content")],
        required_one_of=[("src", "content")],
    )
    try:
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
