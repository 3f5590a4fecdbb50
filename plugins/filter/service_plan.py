# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be done for the signing services of a tree."""

from __future__ import annotations

DOCUMENTATION = r"""
name: service_plan
short_description: Plan the signing services of a tree
version_added: 0.1.0
author: rootstock.pki contributors (@rootstock-pki)
description:
  - Returns the options of the tasks of P(rootstock.pki.signing_service#role).
  - Returns what is wrong with the services too, all of it at once.
extends_documentation_fragment: rootstock.pki.tree
positional: _input, services, certificates
options:
  _input:
    description: The authorities, as C(pki_authorities).
    type: list
    elements: dict
    required: true
  services:
    description: The services, as C(signing_services).
    type: list
    elements: dict
    required: true
  certificates:
    description: What else the authorities issue, as C(pki_certificates).
    type: list
    elements: dict
    default: []
seealso:
  - plugin: rootstock.pki.tree_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show which certificates the services sign with
  ansible.builtin.debug:
    msg: "{{ (pki_authorities | rootstock.pki.service_plan(signing_services, pki_certificates, pki_name='acme',
      pki_dir='pki', base_dir=inventory_dir)).services | map(attribute='certificate_path') }}"
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
    pki_dir:
      description: Folder of the tree.
      type: str
    kms_keys:
      description: The keys, as C(signing_access_keys) of P(rootstock.pki.signing_access#role).
      type: list
      elements: dict
    public_keys:
      description: Options of M(rootstock.pki.kms_public_key), one dictionary per key that its issuer does not look up.
      type: list
      elements: dict
    certificates:
      description: Options of M(rootstock.pki.kms_x509_cert), one dictionary per service.
      type: list
      elements: dict
    answers:
      description: Files that cross-certificates of others wait for, each with C(path) and C(name).
      type: list
      elements: dict
    imports:
      description: Options of M(rootstock.pki.x509_cert_import), one dictionary per cross-certificate of others.
      type: list
      elements: dict
    ledgers:
      description: Ledgers of all authorities, one of which knows a certificate that moves to another issuer.
      type: list
      elements: str
    services:
      description: The services, each with C(name), C(key_id), C(certificate_path) and C(root_certificate_path).
      type: list
      elements: dict
"""

from collections.abc import Callable
from datetime import datetime, timezone

from ansible_collections.rootstock.pki.plugins.module_utils._module.key_checks import keys_refused
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree import load_tree
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_options import is_list, listed
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_place import to_place
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_plan import judge_inventory, kms_keys
from ansible_collections.rootstock.pki.plugins.module_utils._pki.tree_services import plan_services, service_problems


def service_plan(
    authorities: object,
    services: object,
    certificates: object = None,
    *,
    pki_name: object,
    pki_dir: object,
    base_dir: object,
    base_url: object = "",
    certificate_profiles: object = None,
) -> dict[str, object]:
    """Return the tasks that make the services, or what is wrong with them."""
    wanted, refused = listed("signing_services", services)
    others = [] if certificates is None else certificates
    certified = [*others, *wanted] if is_list(others) else others  # what is no list load_tree refuses
    tree = load_tree(authorities, certified, pki_name, certificate_profiles)
    services_alone = load_tree(authorities, wanted, pki_name, certificate_profiles)
    entries = services_alone.certificates
    keys = [entry for entry in services_alone.well_shaped if entry in entries]
    place = to_place(base_dir, pki_dir, base_url)
    now = datetime.now(timezone.utc).replace(microsecond=0)
    problems = [*refused, *judge_inventory(tree, place, now).problems, *service_problems(entries)]
    problems += keys_refused(kms_keys(keys, str(pki_name)))
    return {"problems": problems, **plan_services(tree, () if problems else entries, place, str(pki_name))}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., object]]:
        return {"service_plan": service_plan}
