#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decrypt small files with keys in AWS KMS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_decrypt
short_description: Decrypt a small file with a key in AWS KMS
version_added: 0.1.0
description:
  - Decrypts what was encrypted for a key in AWS KMS, such as a file that OpenSSL encrypted with its public key.
  - What comes back is written to a file of mode 0600 unless O(mode) says otherwise. It is returned only where the task
    has C(no_log).
  - Where O(dest) is replaced, the new file keeps nothing of the mode, owner and access control list of the old one.
  - Whether O(dest) is right is known only after decrypting, so every run asks KMS once, in check mode too.
  - Needs C(kms:Decrypt) on O(key_id).
author:
  - rootstock.pki contributors (@rootstock-pki)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - ansible.builtin.files
  - rootstock.pki.attributes
  - rootstock.pki.attributes.action_groups
  - rootstock.pki.attributes.files
  - rootstock.pki.aws
options:
  key_id:
    description: The key, a KMS key's ID, ARN, alias name or alias ARN.
    type: str
    required: true
  src:
    description: File with the ciphertext, at most 6,144 bytes.
    type: path
    required: true
  dest:
    description: Where the plaintext is kept.
    type: path
  encryption_algorithm:
    description: How the file was encrypted.
    type: str
    choices: [RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1, SYMMETRIC_DEFAULT]
    default: RSAES_OAEP_SHA_256
  return_content:
    description: Return the plaintext as RV(content). Only for tasks with C(no_log).
    type: bool
    default: false
seealso:
  - module: rootstock.pki.kms_public_key
"""

EXAMPLES = r"""
- name: The token is in a file that nobody else reads
  rootstock.pki.kms_decrypt:
    key_id: alias/acme/tokens
    src: token.bin
    dest: /run/acme/token
"""

RETURN = r"""
dest:
  description: Where the plaintext is.
  returned: with O(dest)
  type: str
content:
  description: The plaintext in base64.
  returned: with O(return_content=true)
  type: str
sign_calls:
  description: How often kms:Sign was asked. Never.
  returned: always
  type: int
"""

import base64
import os
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.clients import kms_client
from ansible_collections.rootstock.pki.plugins.module_utils._aws.decryption import decrypt
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import (
    KeptFile,
    file_changes,
    read_file,
    write_files,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import check_places
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.plan import Plan

LARGEST_CIPHERTEXT = 6144
PRIVATE = "0600"

ARGUMENT_SPEC: dict[str, Any] = {
    **AWS_OPTIONS,
    "key_id": {"type": "str", "required": True},
    "src": {"type": "path", "required": True},
    "dest": {"type": "path"},
    "encryption_algorithm": {
        "type": "str",
        "choices": ["RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1", "SYMMETRIC_DEFAULT"],
        "default": "RSAES_OAEP_SHA_256",
    },
    "return_content": {"type": "bool", "default": False},
}


def read_ciphertext(path: str) -> bytes:
    content = read_file(path)
    if not 0 < len(content) <= LARGEST_CIPHERTEXT:
        raise SpecError(f"{path}: has {len(content)} bytes; KMS decrypts from 1 to {LARGEST_CIPHERTEXT}")
    return content


def run(module: AnsibleAWSModule) -> None:
    params = module.params
    if params["return_content"] and not module.no_log:
        raise SpecError("return_content: true would show the plaintext; give the task no_log: true")
    check_places(module, ["dest"])
    ciphertext = read_ciphertext(params["src"])
    plaintext = decrypt(kms_client(module), params["key_id"], ciphertext, params["encryption_algorithm"])
    params["mode"] = params["mode"] or PRIVATE
    os.umask(0o077)  # nobody else reads the file in the moment before it gets its mode
    files = [KeptFile(params["dest"], plaintext, "dest", secret=True)] if params["dest"] else []
    known: dict[str, Any] = {"dest": params["dest"]} if params["dest"] else {}
    if params["return_content"]:
        known["content"] = base64.b64encode(plaintext).decode()
    converge(
        module, Plan(file_changes(files)), lambda: write_files(module, files), known, [file.path for file in files]
    )


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        add_file_common_args=True,
        required_one_of=[("dest", "return_content")],
    )
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
