# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The least that a module can cost which asks AWS KMS for a key and its tags."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule


def main() -> None:
    module = AnsibleAWSModule(argument_spec={"alias": {"required": True}})
    client = module.client("kms")
    key = client.describe_key(KeyId=f"alias/{module.params['alias']}")["KeyMetadata"]
    tags = client.list_resource_tags(KeyId=key["KeyId"])["Tags"]
    module.exit_json(changed=False, arn=key["Arn"], tags=tags)


if __name__ == "__main__":
    main()
