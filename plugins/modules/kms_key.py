#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep a key in AWS KMS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_key
short_description: Keep a key in AWS KMS
version_added: 0.1.0
description:
  - Makes a key in AWS KMS under an alias, once, and keeps its description, tags and policy as the task says.
  - Run again, or on several machines at once, there is one key for one alias. What a run that was killed left behind
    is found by its tag and used. A run that loses the race for the alias uses the winner's key and schedules its own
    for deletion.
  - What cannot be changed is never passed over. A key of another spec or usage, an alias that points elsewhere and a
    key that is pending deletion are errors.
  - What the task does not name is left as it is, and is not read.
  - Needs C(kms:DescribeKey). To make a key C(kms:CreateKey), C(kms:CreateAlias), C(kms:TagResource) and
    C(tag:GetResources) (or C(kms:ListKeys) and C(kms:ListResourceTags)). For O(tags) and O(use)
    C(kms:ListResourceTags), C(kms:TagResource) and C(kms:UntagResource). For O(policy) C(kms:GetKeyPolicy) and
    C(kms:PutKeyPolicy). For O(description) C(kms:UpdateKeyDescription). To take over what a killed run left behind
    C(kms:ListAliases), C(kms:ListGrants), C(kms:GetKeyPolicy), C(kms:ListResourceTags) and C(kms:GetKeyLastUsage), to
    clean up after a lost race C(kms:ScheduleKeyDeletion).
author:
  - rootstock.pki contributors (@rootstock-pki)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - rootstock.pki.attributes
  - rootstock.pki.attributes.aws
options:
  alias:
    description:
      - Name of the key, with or without C(alias/) before it.
      - Where no key has it, one is made.
      - With O(key_id), an alias that nobody has is given to that key.
      - One of O(alias) and O(key_id) is required.
    type: str
  key_id:
    description:
      - A key that exists, by ID, ARN, alias name or alias ARN.
    type: str
  key_spec:
    description:
      - What kind of key. It cannot change, so a key that exists must be of this spec.
    type: str
    default: ECC_NIST_P256
    choices:
      - RSA_2048
      - RSA_3072
      - RSA_4096
      - ECC_NIST_P256
      - ECC_NIST_P384
      - ECC_NIST_P521
      - ECC_SECG_P256K1
      - ECC_NIST_EDWARDS25519
      - ML_DSA_44
      - ML_DSA_65
      - ML_DSA_87
      - SYMMETRIC_DEFAULT
  key_usage:
    description:
      - What AWS KMS lets the key do. It cannot change either.
      - V(ENCRYPT_DECRYPT) goes with RSA keys and V(SYMMETRIC_DEFAULT).
    type: str
    default: SIGN_VERIFY
    choices: [SIGN_VERIFY, ENCRYPT_DECRYPT]
  use:
    description:
      - What the key is for. It is written on the key as the tag C(rootstock:use).
      - A key for V(ca) or V(ocsp) is refused by M(rootstock.pki.kms_sign), which signs files. Only certificates,
        certificate revocation lists, OCSP responses and certificate requests are signed with it.
      - V(encrypt) needs O(key_usage=ENCRYPT_DECRYPT), the others V(SIGN_VERIFY).
      - A key that is tagged for another use is an error.
    type: str
    choices: [ca, ocsp, sign, encrypt]
  description:
    description: What people read in the list of keys.
    type: str
  tags:
    description:
      - Tags of the key. Names that begin with C(rootstock:) are this collection's own, they are not shown, compared or
        removed.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether tags that O(tags) does not name are removed.
    type: bool
    default: true
  policy:
    description:
      - The whole key policy, as JSON or as a dictionary.
      - Policies are compared by what they say. The order of statements and of values in them does not count.
      - Without it a new key gets AWS's default policy, under which IAM decides.
    type: json
seealso:
  - module: amazon.aws.kms_key
  - module: rootstock.pki.kms_public_key
  - module: rootstock.pki.kms_x509_cert
"""

EXAMPLES = r"""
- name: The root authority has a key
  rootstock.pki.kms_key:
    alias: pki/acme/root
    key_spec: ECC_NIST_P384
    use: ca
    description: Acme Root R1

- name: A key for encryption
  rootstock.pki.kms_key:
    alias: acme/mailbox
    key_spec: RSA_4096
    key_usage: ENCRYPT_DECRYPT
    use: encrypt
    tags:
      team: messaging

- name: A key that exists gets an alias
  rootstock.pki.kms_key:
    key_id: 1234abcd-12ab-34cd-56ef-1234567890ab
    alias: acme/documents
    key_spec: RSA_4096
"""

RETURN = r"""
key_id:
  description: ID of the key. Not known in check mode where the key is still to be made.
  returned: when the key exists
  type: str
  sample: 1234abcd-12ab-34cd-56ef-1234567890ab
key_arn:
  description: ARN of the key.
  returned: when the key exists
  type: str
  sample: arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
alias:
  description: The alias of the task, with C(alias/) before it. Empty where the task has only O(key_id).
  returned: always
  type: str
  sample: alias/pki/acme/root
key_spec:
  description: What kind of key it is.
  returned: always
  type: str
  sample: ECC_NIST_P384
key_usage:
  description: What AWS KMS lets the key do.
  returned: always
  type: str
  sample: SIGN_VERIFY
key_state:
  description: State of the key.
  returned: when the key exists
  type: str
  sample: Enabled
signing_algorithms:
  description: What the key can sign with.
  returned: when the key exists
  type: list
  elements: str
  sample: [ECDSA_SHA_384]
tags:
  description: Tags of the key without those of this collection.
  returned: when O(tags) is given and the key exists
  type: dict
policy:
  description: The key policy.
  returned: when O(policy) is given and the key exists
  type: dict
pending:
  description: What must exist first.
  returned: in check mode, when O(key_id) does not exist
  type: list
  elements: str
sign_calls:
  description: How many signatures the task asked AWS KMS for. None.
  returned: always
  type: int
  sample: 0
"""

from functools import partial
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.key_store import KmsKeyStore
from ansible_collections.rootstock.pki.plugins.module_utils._keys.plan import plan_key
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import aws_client, kms_client, signing_client
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge
from ansible_collections.rootstock.pki.plugins.module_utils._module.key_options import (
    KEY_OPTIONS,
    key_result,
    to_desired_key,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.ensure_key import ensure_key, read_key
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError

ARGUMENT_SPEC: dict[str, Any] = {**KEY_OPTIONS}


def run(module: AnsibleAWSModule) -> None:
    desired = to_desired_key(module.params)
    store = KmsKeyStore(
        kms_client(module), partial(signing_client, module), partial(aws_client, module, "resourcegroupstaggingapi")
    )
    current = read_key(store, desired)

    def apply() -> dict[str, Any]:
        ensured = ensure_key(store, desired, current)
        for note in ensured.notes:
            module.warn(note)
        return key_result(desired, ensured.key)

    converge(module, plan_key(current, desired), apply, key_result(desired, current))


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC, supports_check_mode=True, required_one_of=[("alias", "key_id")]
    )
    try:
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
