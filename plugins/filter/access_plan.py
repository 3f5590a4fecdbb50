# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter that says of which keys of a tree policies are made."""

from __future__ import annotations

DOCUMENTATION = r"""
name: access_plan
short_description: Keys of a tree, for policies and roles
version_added: 0.1.0
author:
  - rootstock.pki contributors (@rootstock-pki)
description:
  - Turns an inventory into C(signing_access_keys) of the role P(rootstock.pki.signing_access#role), one for each key in
    AWS KMS, with the alias, spec and use that P(rootstock.pki.pki_tree#role) gives it.
  - Reads and changes nothing. What is wrong with the inventory is in the result, all of it.
positional: _input, certificates
options:
  _input:
    description: Authorities as in C(pki_authorities) of the role P(rootstock.pki.pki_tree#role).
    type: list
    elements: dict
    required: true
  certificates:
    description: Certificates as in C(pki_certificates).
    type: list
    elements: dict
    default: []
  pki_name:
    description: Name of the tree.
    type: str
    required: true
  certificate_profiles:
    description: Certificate profiles of your own, as C(pki_certificate_profiles).
    type: dict
seealso:
  - plugin: rootstock.pki.tree_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the aliases of the keys of a tree
  ansible.builtin.debug:
    msg: "{{ (pki_authorities | rootstock.pki.access_plan(pki_certificates, pki_name='acme')).kms_keys
      | map(attribute='alias') }}"
"""

RETURN = r"""
_value:
  description: The keys.
  type: dict
  contains:
    problems:
      description: What is wrong with the inventory. There are no keys where this is not empty.
      type: list
      elements: str
    kms_keys:
      description: The keys, as C(signing_access_keys), those of issuers first.
      type: list
      elements: dict
"""

from collections.abc import Callable
from datetime import datetime, timezone

from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree import in_order, load_tree
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_accounts import account_problems
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_gate import judge_tree
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_keys import access_key_problems, access_keys


def access_plan(
    authorities: object,
    certificates: object = None,
    *,
    pki_name: object,
    certificate_profiles: object = None,
) -> dict[str, object]:
    """Return the keys of the tree, or what is wrong with it."""
    tree = load_tree(authorities, certificates, pki_name, certificate_profiles)
    now = datetime.now(timezone.utc).replace(microsecond=0)
    problems = [*judge_tree(tree, now).problems, *account_problems(tree), *access_key_problems(tree)]
    return {"problems": problems, "kms_keys": access_keys(() if problems else in_order(tree), str(pki_name))}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., object]]:
        return {"access_plan": access_plan}
