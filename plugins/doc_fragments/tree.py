# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the filters that plan a tree: what it is called and where it lives."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  pki_name:
    description: Name of the tree.
    type: str
    required: true
  pki_dir:
    description: Folder of the tree. Relative to O(base_dir) unless it is absolute.
    type: str
    required: true
  base_dir:
    description: Folder that relative paths start from.
    type: str
    required: true
  base_url:
    description: What the URLs of CRLs and issuers' certificates begin with. Empty means that certificates have none.
    type: str
    default: ""
  certificate_profiles:
    description: Certificate profiles of your own, as C(pki_certificate_profiles).
    type: dict
"""
