#!/usr/bin/python
# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the public key of a KMS key in a file."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_public_key
short_description: Keep the public key of an AWS KMS key in a file
version_added: 0.1.0
description:
  - Fetches the public key of an asymmetric key in AWS KMS, so that signatures can be verified and data encrypted
    without AWS.
  - The file is replaced only when its bytes differ.
  - While the key is disabled, a file in PEM or DER that is there counts as right. AWS KMS may not give out the public
    key then.
  - Needs C(kms:GetPublicKey), for a disabled key C(kms:DescribeKey) as well.
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
  path:
    description: Where the public key is kept.
    type: path
    required: true
  format:
    description:
      - V(pem) is what OpenSSL reads by default, V(der) the same without its text armour. Both hold a
        SubjectPublicKeyInfo (RFC 5280).
      - V(openssh) is a line for C(authorized_keys) or C(allowed_signers). OpenSSH has no keys of the specs
        V(ignore:ECC_SECG_P256K1) and V(ignore:ML_DSA_65) and its kin.
      - V(jwk) is a JSON Web Key (RFC 7517). Its C(kid) is its thumbprint (RFC 7638). JOSE has no keys of the specs
        V(ignore:ML_DSA_65) and its kin yet.
      - V(openssh) and V(jwk) need cryptography where the module runs.
    type: str
    default: pem
    choices: [pem, der, openssh, jwk]
  replace:
    description:
      - Whether a file that is there is replaced when it holds something else.
      - V(false) fails instead, and also where O(key_id) names no key. So a task that runs with the credentials of
        another account, or in another region, does not take another key for the one that the file is of.
    type: bool
    default: true
  backup:
    description: Keep a copy of a file that is replaced, with the time in its name.
    type: bool
    default: false
  return_content:
    description: Return the public key as RV(public_key).
    type: bool
    default: false
seealso:
  - module: rootstock.pki.kms_key
  - module: rootstock.pki.kms_sign
"""

EXAMPLES = r"""
- name: Everybody can verify what the document signer signed
  rootstock.pki.kms_public_key:
    key_id: alias/acme/document-signer
    path: /srv/www/keys/document-signer.pem
    mode: "0644"

- name: The public key is known to the next tasks
  rootstock.pki.kms_public_key:
    key_id: arn:aws:kms:eu-central-1:111122223333:alias/acme/mailbox
    path: keys/mailbox.der
    format: der
    return_content: true
  register: mailbox

- name: Tokens can be verified by everybody who takes JSON Web Keys
  rootstock.pki.kms_public_key:
    key_id: alias/acme/tokens
    path: /srv/www/keys/tokens.jwk
    format: jwk
"""

RETURN = r"""
path:
  description: Where the public key is.
  returned: always
  type: str
public_key:
  description: The public key, in PEM whatever the O(format).
  returned: when O(return_content=true) and the key exists
  type: str
key_arn:
  description: ARN of the key.
  returned: when the key exists
  type: str
  sample: arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
key_spec:
  description: What kind of key it is.
  returned: when the key exists
  type: str
  sample: RSA_4096
key_usage:
  description: What AWS KMS lets the key do.
  returned: when the key exists
  type: str
  sample: SIGN_VERIFY
fingerprint:
  description:
    - Digests of the SubjectPublicKeyInfo in DER by the name of each algorithm, as pairs of hexadecimal digits.
    - The one called C(sha256), without its colons, is what ledgers call the authority.
  returned: when the key exists
  type: dict
  sample: {sha256: "f0:4c:0a:..."}
spki_pin:
  description: The SHA-256 of the SubjectPublicKeyInfo in Base64, as programs take it that pin keys.
  returned: when the key exists
  type: str
  sample: 8EwKNJv1kS0u0t5b0DQSQyDmnFKuZnXyzeI4oBEqlMc=
backup_file:
  description: The copy of the file that was replaced.
  returned: when O(backup=true) and a file was replaced
  type: str
pending:
  description: What must exist first.
  returned: in check mode, when the key does not exist
  type: list
  elements: str
sign_calls:
  description: How many signatures the task asked AWS KMS for. None.
  returned: always
  type: int
  sample: 0
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.rootstock.pki.plugins.module_utils._aws.clients import kms_client
from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import (
    PublicKeyReply,
    find_public_key,
    public_key_of_disabled,
)
from ansible_collections.rootstock.pki.plugins.module_utils._keys.pem import from_pem, to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._module.aws import AWS_OPTIONS, require_cryptography
from ansible_collections.rootstock.pki.plugins.module_utils._module.converge import converge
from ansible_collections.rootstock.pki.plugins.module_utils._module.files import KeptFile, read_if_there, write_file
from ansible_collections.rootstock.pki.plugins.module_utils._module.given import check_given
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import check_places
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import DisabledKeyError, PkiError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.fingerprints import fingerprints, spki_pin
from ansible_collections.rootstock.pki.plugins.module_utils._pki.plan import Change, Plan

ARGUMENT_SPEC: dict[str, Any] = {
    **AWS_OPTIONS,
    "key_id": {"type": "str", "required": True},
    "path": {"type": "path", "required": True},
    "format": {"type": "str", "default": "pem", "choices": ["pem", "der", "openssh", "jwk"]},
    "replace": {"type": "bool", "default": True},
    "backup": {"type": "bool", "default": False},
    "return_content": {"type": "bool", "default": False},
}


def run(module: AnsibleAWSModule) -> None:
    path, key_id = module.params["path"], module.params["key_id"]
    check_places(module, ["path"])
    client = kms_client(module)
    found = read_public_key(module, client)
    kept = None if module.params["replace"] else read_if_there(path)
    if kept is not None and (found is None or to_content(module, found) != kept):
        where = f"with these credentials in {client.meta.region_name}"
        other = f"is {found.key_arn}, another key" if found else "names no key"
        raise SpecError(
            f"{path}: is not replaced (replace: false); {where}, {key_id} {other}. Use the account and region of the "
            "key that the file is of, or move the file away where that key is given up"
        )
    if found is None:
        missing = f"{key_id} does not exist in this account and region"
        converge(module, Plan((Change("public_key", None, path),), (missing,)), dict, {"path": path})
    content = to_content(module, found)

    def apply() -> dict[str, Any]:
        backup = write_file(module, path, content, module.params["backup"])
        return {"backup_file": backup} if backup else {}

    changes = KeptFile(path, content, "public_key").change()
    converge(module, Plan(changes), apply, to_result(module.params, found), files=[path])


def read_public_key(module: AnsibleAWSModule, client: Any) -> PublicKeyReply | None:
    """Return the public key, of a disabled key that KMS does not give out the one that the file holds."""
    key_id = module.params["key_id"]
    try:
        return find_public_key(client, key_id)
    except DisabledKeyError:
        kept = read_if_there(module.params["path"]) or b""
        der = {"pem": from_pem, "der": bytes}.get(module.params["format"], lambda _content: None)(kept)
        if not der:
            raise
        return public_key_of_disabled(client, key_id, der)


def to_content(module: AnsibleAWSModule, found: PublicKeyReply) -> bytes:
    """Return the bytes of the file."""
    simple = {"pem": to_pem(found.der), "der": found.der}
    wanted = module.params["format"]
    if wanted in simple:
        return simple[wanted]
    require_cryptography(module)
    from ansible_collections.rootstock.pki.plugins.module_utils._pki.public_key_forms import to_jwk, to_openssh

    return to_openssh(found.der, found.key_arn) if wanted == "openssh" else to_jwk(found.der, found.key_arn)


def to_result(params: dict[str, Any], found: PublicKeyReply) -> dict[str, Any]:
    """Return what is known of the key."""
    known: dict[str, Any] = {
        "path": params["path"],
        "key_arn": found.key_arn,
        "key_spec": found.key_spec,
        "key_usage": found.key_usage,
    }
    known |= {"fingerprint": fingerprints(found.der), "spki_pin": spki_pin(found.der)}
    return {**known, "public_key": to_pem(found.der).decode("ascii")} if params["return_content"] else known


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, add_file_common_args=True)
    try:
        check_given(module)
        run(module)
    except PkiError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
