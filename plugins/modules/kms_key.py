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
  - Makes a key in AWS KMS under an alias, once, and keeps its state, names, description, tags and policy as the task
    says.
  - Run again, or on several machines at once, there is one key for one alias. What a run that was killed left behind
    is found by its tag and used. A run that loses the race for the alias uses the winner's key and schedules its own
    for deletion.
  - What cannot be changed is never passed over. A key of another spec or usage, an alias that points elsewhere and a
    key that is pending deletion are errors.
  - What the task does not name is left as it is, and is not read.
  - The key policy can be made of lists of principals. Each list allows what its members need and nothing more.
  - A principal that AWS KMS does not see yet is waited for, as new ones are not seen everywhere at once. After 80
    seconds the task fails.
  - Needs C(kms:DescribeKey). To make a key C(kms:CreateKey), C(kms:CreateAlias), C(kms:TagResource) and
    C(tag:GetResources) (or C(kms:ListKeys) and C(kms:ListResourceTags)). For O(tags) and O(use)
    C(kms:ListResourceTags), C(kms:TagResource) and C(kms:UntagResource). For O(policy) and the lists of principals
    C(kms:GetKeyPolicy) and C(kms:PutKeyPolicy). For O(description) C(kms:UpdateKeyDescription). For O(aliases)
    C(kms:ListAliases) and C(kms:CreateAlias), with O(move_alias) C(kms:UpdateAlias), C(kms:ListResourceTags) and
    C(kms:UntagResource). For O(enabled) C(kms:EnableKey) and C(kms:DisableKey), for O(cancel_deletion)
    C(kms:CancelKeyDeletion). For O(state=absent) C(kms:ScheduleKeyDeletion), C(kms:GetKeyLastUsage) and
    C(kms:ListResourceTags), or with O(ledger_path) C(kms:GetPublicKey), and C(kms:GetKeyPolicy) for a
    O(pending_window) below 30 without O(minimum_pending_window). To take over what a killed run left behind
    C(kms:ListAliases), C(kms:ListGrants), C(kms:GetKeyPolicy), C(kms:ListResourceTags) and C(kms:GetKeyLastUsage), to
    clean up after a lost race C(kms:ScheduleKeyDeletion).
  - What concerns an alias has to be allowed on the alias as well, which IAM policies alone can do.
author:
  - rootstock.pki contributors (@rootstock-pki)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - rootstock.pki.attributes
  - rootstock.pki.attributes.action_groups
  - rootstock.pki.aws
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
  state:
    description:
      - V(absent) schedules the key for deletion after O(pending_window). Its aliases go with it.
      - V(present) never brings back a key that is pending deletion, O(cancel_deletion) does.
    type: str
    default: present
    choices: [present, absent]
  key_spec:
    description:
      - What kind of key. It cannot change, so a key that exists must be of this spec.
      - Without it, a key that O(key_id) names is taken as it is, and for all others it is V(ECC_NIST_P256).
    type: str
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
      - Without it, a key that O(key_id) names is taken as it is, and for all others it is V(SIGN_VERIFY).
    type: str
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
  enabled:
    description:
      - Whether the key can be used. Without it the key stays enabled or disabled as it is.
    type: bool
  aliases:
    description:
      - More names that the key must have, with or without C(alias/) before them. Other names of the key stay.
    type: list
    elements: str
  move_alias:
    description:
      - Whether names that other keys have are taken from them, O(alias) too where O(key_id) names the key.
      - Otherwise such a name is an error.
    type: bool
    default: false
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
      - Without it, and without lists of principals, a new key gets AWS's default policy, under which IAM decides, and
        the policy of a key that exists is left alone.
    type: json
  bypass_policy_lockout_safety_check:
    description:
      - Whether AWS KMS takes a policy after which the caller cannot change it any more.
    type: bool
    default: false
  administrators:
    description:
      - Principals that may do everything but use the key or grant its use. They can rewrite the policy, so what keeps
        them from using the key is that it shows.
      - A principal is the ARN of a role, user or session, or an account's number in quotes, or a dictionary with
        C(principal) and C(conditions), which are conditions as in a policy.
      - Giving any of the lists, even an empty one, makes the whole key policy.
    type: list
    elements: raw
  signers:
    description:
      - Principals that may sign, and nothing else, with O(signing_algorithms).
      - With O(use=ca) and O(use=ocsp) they can only send what signing certificates needs, which is a digest (the
        message for Ed25519, the message representative for ML-DSA).
    type: list
    elements: raw
  verifiers:
    description: Principals that may fetch the public key.
    type: list
    elements: raw
  online_verifiers:
    description: Principals that may fetch the public key and have AWS KMS verify signatures.
    type: list
    elements: raw
  encrypters:
    description: Principals that may encrypt, and fetch the public key.
    type: list
    elements: raw
  decrypters:
    description: Principals that may decrypt.
    type: list
    elements: raw
  auditors:
    description: Principals that may look at everything there is to know of the key.
    type: list
    elements: raw
  signing_algorithms:
    description:
      - What O(signers) may sign with. The default is everything that the key can. An empty list is an error.
    type: list
    elements: str
  account_root:
    description:
      - What the account itself may do under a policy made of lists.
      - With V(break_glass) the account's root user, and nobody else, may read and rewrite the policy and cancel a
        deletion.
      - With V(administer) IAM may let principals do what O(administrators) do, but not use the key.
      - With V(full) IAM decides on everything, as in AWS's default policy.
    type: str
    default: break_glass
    choices: [break_glass, administer, full]
  break_glass_principals:
    description:
      - Who takes the root user's place in O(account_root=break_glass), for accounts that have no root user.
      - They are of the account of the key, as AWS lets no other account read or rewrite its policy.
    type: list
    elements: str
  minimum_pending_window:
    description:
      - Days, 7 to 30. A policy made of lists forbids everybody to have the key deleted sooner, within 30 days unless
        this option says fewer.
      - With O(state=absent) a smaller O(pending_window) is refused. Where the task does not say this, what counts is
        what the policy of the key forbids, and a policy such as AWS's own, which forbids nothing, allows 7 days.
      - To have a key deleted sooner whose policy was made of lists, apply the lists with a smaller number first.
    type: int
  cancel_deletion:
    description:
      - Whether a key that is pending deletion is kept. It is disabled then, unless O(enabled=true).
    type: bool
    default: false
  pending_window:
    description:
      - Days that a key is kept after O(state=absent), 7 to 30, and no fewer than O(minimum_pending_window) or, without
        it, the policy of the key demands.
    type: int
    default: 30
  ledger_path:
    description:
      - The ledger of the authority that signs with the key. With O(state=absent) the key stays while the ledger shows
        a certificate that has not expired, or a duty to sign certificate revocation lists.
      - A key with O(use=ca) is not deleted without it.
      - For a disabled key of which AWS does not tell the public key, it has to hold a certificate that the key signed.
    type: path
  unused_for:
    description:
      - With O(state=absent) the key stays while it was used within this time, such as V(30d), or while that cannot be
        known.
    type: str
    default: 30d
  force:
    description:
      - Whether O(state=absent) lets the key go whatever it is needed for. What it signed remains, and nothing under it
        can be renewed or revoked any more.
    type: bool
    default: false
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

- name: Only the issuer signs, only the security team administers
  rootstock.pki.kms_key:
    alias: pki/acme/services
    use: ca
    administrators: [arn:aws:iam::111122223333:role/SecurityTeam]
    signers: [arn:aws:iam::111122223333:role/Issuer]
    verifiers: ["444455556666"]
    auditors:
      - principal: arn:aws:iam::111122223333:role/Audit
        conditions:
          IpAddress:
            aws:SourceIp: 192.0.2.0/24

- name: An authority that is out of use loses its key
  rootstock.pki.kms_key:
    alias: pki/acme/old
    state: absent
    ledger_path: pki/old/ledger.jsonl

- name: A key that exists gets an alias
  rootstock.pki.kms_key:
    key_id: 1234abcd-12ab-34cd-56ef-1234567890ab
    alias: acme/documents
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
  returned: with O(state=present), and with V(absent) when the key exists
  type: str
  sample: ECC_NIST_P384
key_usage:
  description: What AWS KMS lets the key do.
  returned: with O(state=present), and with V(absent) when the key exists
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
  returned: when O(policy) or a list of principals is given and the key exists
  type: dict
aliases:
  description: All names of the key.
  returned: when O(aliases) is given and the key exists
  type: list
  elements: str
deletion_date:
  description: When the key is deleted, at the earliest. Empty unless it is pending deletion.
  returned: when the key exists
  type: str
  sample: "2030-01-31T12:00:00Z"
needed_elsewhere:
  description:
    - What other accounts must allow in IAM before their principals can use the key.
    - Each entry has C(account), C(principal), C(actions) and C(resource).
  returned: when lists of principals are given and the key exists
  type: list
  elements: dict
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

from datetime import datetime, timezone
from typing import Any, NoReturn

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.key_store import KmsKeyStore, open_key_store
from ansible_collections.rootstock.pki.plugins.module_utils._keys.description import KeyDescription
from ansible_collections.rootstock.pki.plugins.module_utils._keys.desired import DesiredKey
from ansible_collections.rootstock.pki.plugins.module_utils._keys.plan import plan_key
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.key_options import (
    KEY_OPTIONS,
    description_result,
    key_result,
    takes_kind_from_key,
    to_desired_key,
    to_window,
    warnings_of,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.read_key import find_key, read_key, read_policy
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError

ARGUMENT_SPEC: dict[str, Any] = {**AWS_OPTIONS, **KEY_OPTIONS}


def run(module: AnsibleAWSModule) -> NoReturn:
    store = open_key_store(module)
    named = store.describe(module.params["key_id"]) if takes_kind_from_key(module.params) else None
    desired = to_desired_key(module.params, named)
    if module.params["state"] == "absent":
        run_absent(module, store, desired, named)
    run_present(module, store, desired, named)


def run_present(
    module: AnsibleAWSModule, store: KmsKeyStore, desired: DesiredKey, named: KeyDescription | None
) -> NoReturn:
    current = read_key(store, desired, named)
    policy = read_policy(store, desired, current)
    for warning in warnings_of(desired):
        module.warn(warning)

    def apply() -> dict[str, Any]:
        from ansible_collections.rootstock.pki.plugins.module_utils._operations.ensure_key import ensure_key

        ensured = ensure_key(store, desired, current, policy)
        for note in ensured.notes:
            module.warn(note)
        return key_result(desired, ensured.key)

    converge(module, plan_key(current, desired, policy), apply, key_result(desired, current))


def run_absent(
    module: AnsibleAWSModule, store: KmsKeyStore, desired: DesiredKey, named: KeyDescription | None
) -> NoReturn:
    from ansible_collections.rootstock.pki.plugins.module_utils._operations.delete_key import (
        check_demanded_window,
        check_unneeded,
        plan_deletion,
        to_guard,
    )

    days, now = to_window(module.params), datetime.now(timezone.utc).replace(microsecond=0)
    key = find_key(store, desired, named)[0]
    plan = plan_deletion(key, days)
    if key is None or not plan.changed:
        known = description_result(key) if key else {}
        converge(module, plan, dict, {"alias": desired.alias, **known})
    options = {name: module.params[name] for name in ("ledger_path", "unused_for", "force")}
    if module.params["minimum_pending_window"] is None:
        check_demanded_window(store, key, days)
    check_unneeded(store, key, to_guard(**options, now=now), now)

    def apply() -> dict[str, Any]:
        return {"key_state": "PendingDeletion", "deletion_date": store.schedule_deletion(key.key_id, days)}

    converge(module, plan, apply, {"alias": desired.alias, **description_result(key)})


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC, supports_check_mode=True, required_one_of=[("alias", "key_id")]
    )
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
