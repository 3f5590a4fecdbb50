#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell what is to be known of keys in AWS KMS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_key_info
short_description: Tell what is to be known of keys in AWS KMS
version_added: 0.1.0
description:
  - Tells spec, state, names, tags, policy, last use and cost of one key, or of all keys with names or tags of a kind.
  - Tells keys that M(rootstock.pki.kms_key) made for a name that they do not have. A run that was killed leaves one
    behind, which the next run takes up. A run that lost a race for the name may leave one, which nobody needs.
  - What may not be read is null, and the reason is in C(unreadable). Among several keys, one that may not be described
    has its C(key_id), and its C(key_arn) where a tag led to it.
  - Needs C(kms:DescribeKey), and C(kms:ListAliases), C(kms:ListResourceTags), C(kms:GetKeyPolicy) and
    C(kms:GetKeyLastUsage) for what they tell. O(alias), O(alias_prefix) and O(tags) need C(tag:GetResources) (or
    C(kms:ListKeys) and C(kms:ListResourceTags)).
author:
  - rootstock.pki contributors (@rootstock-pki)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - rootstock.pki.attributes
  - rootstock.pki.attributes.info_module
  - rootstock.pki.attributes.action_groups
  - rootstock.pki.aws
options:
  alias:
    description:
      - Tell the key with this name, with or without C(alias/) before it, and keys that were made for it.
      - Exactly one of O(alias), O(key_id), O(alias_prefix) and O(tags) is required.
    type: str
  key_id:
    description: Tell the key with this ID, ARN, alias name or alias ARN.
    type: str
  alias_prefix:
    description:
      - Tell the keys with a name that begins so, such as V(pki/acme/), and keys that were made for such a name.
    type: str
  tags:
    description: Tell the keys that carry all of these tags.
    type: dict
    aliases: [resource_tags]
seealso:
  - module: rootstock.pki.kms_key
  - module: amazon.aws.kms_key_info
"""

EXAMPLES = r"""
- name: Everything about the keys of acme is known
  rootstock.pki.kms_key_info:
    alias_prefix: pki/acme/
  register: acme

- name: Nothing was left behind
  ansible.builtin.assert:
    that: acme.unnamed_keys | length == 0

- name: The keys of the signing team are known
  rootstock.pki.kms_key_info:
    tags:
      team: signing
"""

RETURN = r"""
kms_keys:
  description: The keys that have their names, oldest first.
  returned: always
  type: list
  elements: dict
  contains:
    key_id:
      description: ID of the key.
      type: str
      returned: always
    key_arn:
      description: ARN of the key.
      type: str
      returned: always
    key_spec:
      description: What kind of key it is.
      type: str
      returned: always
      sample: ECC_NIST_P384
    key_usage:
      description: What AWS KMS lets the key do.
      type: str
      returned: always
      sample: SIGN_VERIFY
    key_state:
      description: State of the key.
      type: str
      returned: always
      sample: Enabled
    deletion_date:
      description: When the key is deleted, at the earliest. Empty unless it is pending deletion.
      type: str
      returned: always
    signing_algorithms:
      description: What the key can sign with.
      type: list
      elements: str
      returned: always
    encryption_algorithms:
      description: What the key can encrypt with.
      type: list
      elements: str
      returned: always
    description:
      description: Description of the key.
      type: str
      returned: always
    origin:
      description: Where the key material comes from.
      type: str
      returned: always
      sample: AWS_KMS
    multi_region:
      description: Whether it is a multi-Region key.
      type: bool
      returned: always
    creation_date:
      description: When the key was made.
      type: str
      returned: always
      sample: "2026-01-31T12:00:00Z"
    aliases:
      description: Names of the key.
      type: list
      elements: str
      returned: always
    use:
      description: What the key is for, as its tag C(rootstock:use) says.
      type: str
      returned: always
      sample: ca
    tags:
      description: Tags without those of this collection.
      type: dict
      returned: always
    policy:
      description: The key policy.
      type: dict
      returned: always
    last_used:
      description: When the key last did cryptographic work. Empty where it did none that AWS knows of.
      type: str
      returned: always
    last_used_tracked_since:
      description: Since when AWS knows.
      type: str
      returned: always
    monthly_cost_usd:
      description: What the key costs a month in US dollars, without its use and without rotations of key material.
      type: float
      returned: always
      sample: 1.0
    made_for_alias:
      description: The name that the key was made for and does not have. Empty for all others.
      type: str
      returned: always
    unreadable:
      description: What could not be read, and why, C(description) for all that C(kms:DescribeKey) tells.
      type: dict
      returned: always
unnamed_keys:
  description: Keys that were made for a name that they do not have, oldest first, each with the same entries.
  returned: always
  type: list
  elements: dict
monthly_cost_usd:
  description:
    - What all of these keys cost a month in US dollars, without their use and without those that may not be described.
  returned: always
  type: float
  sample: 5.0
sign_calls:
  description: How many signatures the task asked AWS KMS for. None.
  returned: always
  type: int
  sample: 0
"""

from typing import Any, NoReturn

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.key_store import open_key_store
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.key_info_options import (
    KEY_INFO_OPTIONS,
    report_result,
    to_selection,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.inspect_keys import find_keys, report_key
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError

ARGUMENT_SPEC: dict[str, Any] = {**AWS_OPTIONS, **KEY_INFO_OPTIONS}
ONE_OF = ("alias", "key_id", "alias_prefix", "tags")


def run(module: AnsibleAWSModule) -> NoReturn:
    selection = to_selection(module.params)
    store = open_key_store(module)
    reports = [report_key(store, key) for key in find_keys(store, selection)]
    module.exit_json(
        changed=False,
        kms_keys=[report_result(report) for report in reports if not report.made_for],
        unnamed_keys=[report_result(report) for report in reports if report.made_for],
        monthly_cost_usd=sum(report.monthly_cost or 0.0 for report in reports),
        sign_calls=0,
    )


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC, supports_check_mode=True, mutually_exclusive=[ONE_OF], required_one_of=[ONE_OF]
    )
    try:
        check_given(module, may_be_empty=["alias_prefix"])
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
