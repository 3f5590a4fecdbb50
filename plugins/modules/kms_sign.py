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
  - Keeps signatures over files of any size, over a text or over a digest in files of their own. The private key stays
    in AWS KMS.
  - Contents are hashed where the module runs and in little memory, only digests are sent. Ed25519 has no digest to
    send, so content signed with it has at most 4,096 bytes.
  - A signature at O(dest) that verifies for the present content is left as it is, and AWS KMS is not asked.
  - A new signature is verified under the public key before it is written anywhere.
  - Keys of authorities are refused. These are keys that M(rootstock.pki.kms_key) tagged for C(ca) or C(ocsp), as far as
    the caller may read tags. Content is refused too when the signature over it would be a certificate, a certificate
    revocation list, an OCSP response, a certificate request or that of a CMS message. That is told by the outline of
    the whole content as DER or BER, so such a structure inside something else is not found.
  - Needs C(kms:Sign), and C(kms:GetPublicKey) without O(public_key_path). Uses C(kms:ListResourceTags), and
    C(kms:DescribeKey) for a key named by alias, where they are allowed. O(digest_value) needs them.
author:
  - rootstock.pki contributors (@rootstock-pki)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - ansible.builtin.files
  - rootstock.pki.attributes
  - rootstock.pki.attributes.action_groups
  - rootstock.pki.aws
  - rootstock.pki.attributes.files
options:
  key_id:
    description: The key, by ID, ARN, alias name or alias ARN.
    type: str
    required: true
  src:
    description:
      - The file to sign.
      - With O(manifest=true) the folder whose files the manifest lists, those of the folders below it too. Links to
        folders are refused. Left out are the manifest, others beside it that are called C(SHA256SUMS), C(SHA384SUMS) or
        C(SHA512SUMS), and what is called like these with C(.sig) or C(.p7s) behind it.
      - Exactly one of O(src), O(content), O(files) and O(digest_value) is required.
    type: path
  content:
    description:
      - The text to sign, as UTF-8. What is no text is refused, as nobody can tell which octets are meant.
      - Text in JSON that comes out of a template is such a case before ansible-core 2.19, as Ansible makes a dict or a
        list of it. Name the file in O(src) then.
    type: raw
  files:
    description:
      - Files to sign, each with a signature of its own. AWS KMS is asked for several at once.
      - With O(manifest=true) the files that the manifest lists.
    type: list
    elements: path
  digest_value:
    description:
      - A digest to sign, in hexadecimal digits, of something that is not here.
      - Nothing here can tell what it is a digest of, so it needs O(allow_blind_digest=true).
    type: str
  digest_algorithm:
    description:
      - What made O(digest_value). It has to fit the key. Of an RSA key's algorithms the one that fits is used.
      - It is refused without O(digest_value). What a content is hashed with is part of O(signing_algorithm).
      - V(mu) is the message representative of ML-DSA (FIPS 204).
    type: str
    choices: [sha256, sha384, sha512, mu]
  allow_blind_digest:
    description:
      - Allow O(digest_value). Who may choose it may have anything signed that this key can sign.
      - The key's tags must be readable then, so that keys of authorities are refused in any case.
    type: bool
    default: false
  dest:
    description:
      - Where the signature is kept.
      - With O(files) a folder for the signatures. The default is beside each file. They are named like the file with
        C(.sig) behind it.
      - With O(manifest=true) the default is the manifest's path with C(.sig) behind it.
      - Without it a signature over O(src), O(content) or O(digest_value) is only returned, and made anew in every run.
    type: path
  format:
    description:
      - How the signature is written.
      - V(raw) is as AWS KMS makes it, DER for ECDSA and the bare octets for all others. OpenSSL takes these.
      - V(base64) is the same in Base64 on one line.
      - V(p1363) is for ECDSA, the two numbers at their full length, as JOSE and PKCS#11 want them.
    type: str
    default: raw
    choices: [raw, base64, p1363]
  manifest:
    description:
      - Write a manifest with one line for each file, and sign that. It takes one signature for any number of files.
      - It is checked with C(sha256sum --check) and its kin in the manifest's folder, after its signature.
    type: bool
    default: false
  manifest_path:
    description:
      - Where the manifest is kept. All files must be below its folder, their names in it are relative to that.
      - The default is C(SHA256SUMS) in O(src), or as O(manifest_digest) says.
      - It is refused without O(manifest=true), as O(manifest_digest) is.
    type: path
  manifest_digest:
    description: How the manifest's files are hashed. The default is V(sha256).
    type: str
    choices: [sha256, sha384, sha512]
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
      - What is sent to AWS KMS. The signature is the same kind of signature over the content in any case, and a content
        is never taken for a digest.
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
      - It must not be in the folder O(src) of a manifest, which would have to list it anew with each signature.
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

- name: Many files are signed, several at a time
  rootstock.pki.kms_sign:
    key_id: alias/acme/releases
    files: "{{ query('ansible.builtin.fileglob', 'build/*.rpm') }}"

- name: A whole folder is signed with one signature
  rootstock.pki.kms_sign:
    key_id: alias/acme/releases
    src: build
    manifest: true
    # openssl dgst -sha512 -verify releases.pem -signature SHA256SUMS.sig SHA256SUMS && sha256sum --check SHA256SUMS

- name: A token is signed, in the form that JOSE wants
  rootstock.pki.kms_sign:
    key_id: alias/acme/tokens
    content: "{{ token }}"
    format: p1363
  register: signed
"""

RETURN = r"""
signature:
  description: The signature in Base64, in the O(format).
  returned: when there is one, and with O(manifest=true)
  type: str
verified:
  description:
    - Whether the signature was verified under the public key.
    - V(false) only where O(public_key_path) is not given and the caller may not read the public key. A warning says so,
      and every run signs again.
  returned: when there is a signature
  type: bool
signatures:
  description: The signatures over O(files), in their order.
  returned: with O(files) and without O(manifest=true)
  type: list
  elements: dict
  contains:
    src:
      description: The file.
      returned: always
      type: str
    dest:
      description: Where its signature is kept.
      returned: always
      type: str
    signature:
      description: The signature in Base64, in the O(format).
      returned: when there is one; in check mode one that is still to be made is not
      type: str
    verified:
      description: Whether it was verified under the public key.
      returned: when there is a signature
      type: bool
manifest_path:
  description: Where the manifest is.
  returned: with O(manifest=true)
  type: str
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
  description: Why there was, or will be, another signature in place of one that is there.
  returned: when there is a file at O(dest) that is not the signature wanted
  type: str
sign_calls:
  description: How often kms:Sign was asked.
  returned: always
  type: int
  sample: 1
pending:
  description: What must exist first.
  returned: in check mode, when the key, a file to sign or O(public_key_path) does not exist
  type: list
  elements: str
"""

import os
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.clients import aws_client, kms_client, signing_client
from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import KmsSigner
from ansible_collections.rootstock.pki.plugins.module_utils._aws.signing_keys import KmsSigningKeys
from ansible_collections.rootstock.pki.plugins.module_utils._aws.sts import caller_arn
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.opening import open_ledger
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS, require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import KeptFile, write_file
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import check_places
from ansible_collections.rootstock.pki.plugins.module_utils._module.signing import (
    CONTENT_OPTIONS,
    OUTPUT_OPTIONS,
    SIGNATURE_OPTIONS,
    check_signing_options,
    manifest_digest,
    read_current,
    read_or_note,
    signature_places,
    to_manifest_path,
    to_manifest_spec,
    to_signature_specs,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.making_signatures import make_signatures
from ansible_collections.rootstock.pki.plugins.module_utils._operations.manifest import (
    files_below,
    make_manifest,
    signed_by_themselves,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_file import (
    PlanningPorts,
    SigningPorts,
    SigningWork,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_files import (
    combined_plan,
    known_results,
    plan_signatures,
    results,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.signing_key import SigningKey, find_signing_key
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import NoKeyError, PkiError

ARGUMENT_SPEC: dict[str, Any] = {**AWS_OPTIONS, **SIGNATURE_OPTIONS}


def utc_now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def find_key(module: AnsibleAWSModule, keys: KmsSigningKeys, missing: list[str]) -> SigningKey | None:
    params = module.params
    public_key = read_or_note(params["public_key_path"], "public_key_path", missing)
    key = find_signing_key(keys, params["key_id"], public_key, params["public_key_path"])
    if key is None:
        missing.append(str(NoKeyError(params["key_id"])))
    elif key.public_key is None:
        module.warn(f"{key.key_id}: its public key may not be read, so nothing that it signs is verified")
    return key


def plan_manifest(params: dict[str, Any], path: str, missing: list[str]) -> KeptFile:
    listed = params["files"] if params["files"] is not None else [params["src"]]
    lacking = [f"{one} does not exist yet" for one in listed if not os.path.lexists(one)]
    missing += lacking
    if lacking:
        return KeptFile(path, None, "manifest")
    own = [*signed_by_themselves(path), *([params["dest"]] if params["dest"] else [])]
    paths = params["files"] if params["files"] is not None else files_below(params["src"], own)
    return KeptFile(path, make_manifest(paths, path, manifest_digest(params)), "manifest")


def run(module: AnsibleAWSModule) -> None:
    require_cryptography(module)
    params, missing = module.params, []
    check_signing_options(params)
    path = to_manifest_path(params) if params["manifest"] else ""
    check_places(module, OUTPUT_OPTIONS, signature_places(params, path))
    manifest = plan_manifest(params, path, missing) if path else None
    specs = [to_manifest_spec(params, manifest.path, manifest.content)] if manifest else to_signature_specs(params)
    keys = KmsSigningKeys(kms_client(module))
    key = find_key(module, keys, missing)
    ledger = open_ledger(params["ledger_path"], utc_now) if params["ledger_path"] else None
    ports = PlanningPorts(keys, ledger.read() if ledger else None, utc_now())
    works = plan_signatures(specs, key, tuple(missing), read_current, ports)
    many = params["files"] is not None and manifest is None

    def keep(work: SigningWork, content: bytes) -> None:
        if work.spec.dest:
            write_file(module, work.spec.dest, content)

    def apply() -> dict[str, Any]:
        signer = KmsSigner(signing_client(module), params["key_id"])
        caller = caller_arn(aws_client(module, "sts")) if ledger else ""
        made = make_signatures(works, SigningPorts(signer, keep, ledger, caller, utc_now))
        if manifest and manifest.content is not None and manifest.change():
            write_file(module, manifest.path, manifest.content)
        told = results(works, [one.signature for one in made])
        calls = sum(one.sign_calls for one in made)
        return {**({"signatures": told} if many else works[0].result(made[0].signature)), "sign_calls": calls}

    plan = combined_plan(works)
    known, files = known_results(works, many), [spec.dest for spec in specs if spec.dest]
    if plan.reason:
        known["reason"] = plan.reason
    if manifest:
        plan = replace(plan, changes=(*manifest.change(), *plan.changes))
        known["manifest_path"] = manifest.path
        files.append(manifest.path)
    converge(module, plan, apply, known, files)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        add_file_common_args=True,
        mutually_exclusive=[CONTENT_OPTIONS],
        required_one_of=[CONTENT_OPTIONS],
    )
    try:
        check_given(module, may_be_empty=["content"])
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
