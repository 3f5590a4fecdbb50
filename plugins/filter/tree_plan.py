# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter that says what has to be done for a tree."""

from __future__ import annotations

DOCUMENTATION = r"""
name: tree_plan
short_description: Tasks that make a tree of authorities and certificates
version_added: 0.1.0
author:
  - rootstock.pki contributors (@rootstock-pki)
description:
  - Turns an inventory into the options of the modules that build the tree, in the order in which that can be done, with
    the paths and URLs that follow from it. The role P(rootstock.pki.pki_tree#role) loops over the result.
  - Reads and changes nothing. What is wrong with the inventory is in the result, all of it.
extends_documentation_fragment: rootstock.pki.tree
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
  revocations:
    description: What is revoked, as in C(pki_revocations) of the role P(rootstock.pki.pki_revocation#role).
    type: list
    elements: dict
    default: []
  variables:
    description:
      - Names of the variables of the host.
      - One that is like a variable of this collection which is not among them is warned of.
    type: list
    elements: str
    default: []
seealso:
  - plugin: rootstock.pki.issuance_order
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show which files a tree consists of
  ansible.builtin.debug:
    msg: "{{ (pki_authorities | rootstock.pki.tree_plan(pki_certificates, pki_name='acme', pki_dir='pki',
      base_dir=inventory_dir)).certificates | map(attribute='path') }}"
"""

RETURN = r"""
_value:
  description: What has to be done.
  type: dict
  contains:
    problems:
      description: What is wrong with the inventory. The lists of tasks are empty where this is not.
      type: list
      elements: str
    dated_problems:
      description:
        - What is wrong with times if all is issued now, each with C(path), a certificate, and C(problem).
        - Some of the times are fixed, so none of it matters once that certificate exists.
      type: list
      elements: dict
    source_files:
      description: Files that somebody else makes, each with C(path), and the C(name) of the entry that it is for.
      type: list
      elements: dict
    pki_dir:
      description: Folder of the tree.
      type: str
    kms_keys:
      description: Options of M(rootstock.pki.kms_key), one dictionary per key.
      type: list
      elements: dict
    public_keys:
      description:
        - Options of M(rootstock.pki.kms_public_key), one dictionary per authority.
        - Also one per key of a certificate that its issuer does not look up itself.
      type: list
      elements: dict
    requests:
      description: Options of M(rootstock.pki.kms_x509_csr), one dictionary per external authority.
      type: list
      elements: dict
    answers:
      description:
        - Files that have to come from others, each with C(path), C(name), C(needed_by), and C(below), the names of what
          waits.
      type: list
      elements: dict
    imports:
      description:
        - Options of M(rootstock.pki.x509_cert_import), one dictionary per external authority.
        - Also one per cross-certificate that others issued.
      type: list
      elements: dict
    their_roots:
      description: Roots of external authorities, each with C(path), C(authority), C(name), and where it is C(kept).
      type: list
      elements: dict
    certificates:
      description: Options of M(rootstock.pki.kms_x509_cert), one dictionary per certificate, issuers first.
      type: list
      elements: dict
    ledgers:
      description: Ledgers of all authorities, one of which knows a certificate that moves to another issuer.
      type: list
      elements: str
    crls:
      description: Options of M(rootstock.pki.kms_x509_crl), one dictionary per authority.
      type: list
      elements: dict
    revocations:
      description: Options of M(rootstock.pki.x509_revocation), each with its C(authority), one dictionary per entry.
      type: list
      elements: dict
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timezone

from ansible.utils.display import Display

from ansible_collections.rootstock.pki.plugins.module_utils._module.key_checks import keys_refused
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree import in_order, load_tree
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_place import to_place
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_plan import (
    dated_problems,
    judge_inventory,
    kms_keys,
    plan_tree,
    source_files,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_revocations import (
    load_revocations,
    plan_revocations,
    revocation_problems,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_variables import variable_warnings


def tree_plan(
    authorities: object,
    certificates: object = None,
    *,
    pki_name: object,
    pki_dir: object,
    base_dir: object,
    base_url: object = "",
    certificate_profiles: object = None,
    revocations: object = (),
    variables: Iterable[str] = (),
) -> dict[str, object]:
    """Return the tasks that make the tree, or what is wrong with it."""
    for warning in variable_warnings(variables):
        Display().warning(warning)
    tree = load_tree(authorities, certificates, pki_name, certificate_profiles)
    place = to_place(base_dir, pki_dir, base_url)
    now = datetime.now(timezone.utc).replace(microsecond=0)
    found = judge_inventory(tree, place, now)
    entries, misshapen = load_revocations(revocations)
    refused = keys_refused(kms_keys(tree.well_shaped, str(pki_name)))
    problems = [*found.problems, *refused, *misshapen, *revocation_problems(tree, entries)]
    return {
        "problems": problems,
        "dated_problems": dated_problems(found, place),
        "source_files": source_files(tree, place),
        **plan_tree(tree, () if problems else in_order(tree), place, str(pki_name)),
        "revocations": plan_revocations(() if problems else entries, place),
    }


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., object]]:
        return {"tree_plan": tree_plan}
