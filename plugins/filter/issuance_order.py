# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter that puts the authorities of an inventory into the order in which they can be issued."""

from __future__ import annotations

DOCUMENTATION = r"""
name: issuance_order
short_description: Authorities of a tree, issuers first
version_added: 0.1.0
author:
  - rootstock.pki contributors (@rootstock-pki)
description:
  - Sorts the authorities of an inventory so that every one comes after its issuer. Otherwise they keep their order.
  - Refuses an inventory that cannot be built, with every problem in one message. Unknown issuers, circles of issuers,
    names, keys and aliases that are given twice, unknown options, and whatever path validation would refuse later, such
    as names outside the constraints of an authority above, a path that is too long, or a validity that is.
  - Fixed times are left to the modules. Whether they fit depends on what exists already.
positional: _input, certificates
options:
  _input:
    description: Authorities as in C(pki_authorities) of the role P(rootstock.pki.pki_tree#role).
    type: list
    elements: dict
    required: true
  certificates:
    description: Certificates as in C(pki_certificates). They follow the authorities, in their own order.
    type: list
    elements: dict
    default: []
  pki_name:
    description: Name of the tree. Aliases of keys that the inventory does not name contain it.
    type: str
    default: pki
  certificate_profiles:
    description: Certificate profiles of your own, as C(pki_certificate_profiles).
    type: dict
"""

EXAMPLES = r"""
- name: Show who issues whom
  ansible.builtin.debug:
    msg: "{{ item.name }} is issued by {{ item.issuer | default('itself') }}"
  loop: "{{ pki_authorities | rootstock.pki.issuance_order(pki_certificates) }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
_value:
  description: The entries as they were given, issuers first.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from ansible.errors import AnsibleFilterError

from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree import in_order, load_tree, refusal
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_gate import judge_tree


def issuance_order(
    authorities: object, certificates: object = None, pki_name: object = "pki", certificate_profiles: object = None
) -> list[Mapping[str, object]]:
    """Return the entries issuers first, authorities before certificates."""
    tree = load_tree(authorities, certificates, pki_name, certificate_profiles)
    problems = judge_tree(tree, datetime.now(timezone.utc).replace(microsecond=0)).problems
    if problems:
        raise AnsibleFilterError(refusal(problems))
    return [entry.written for entry in in_order(tree)]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., object]]:
        return {"issuance_order": issuance_order}
