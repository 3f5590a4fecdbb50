# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be done for a folder that is signed as a release."""

from __future__ import annotations

DOCUMENTATION = r"""
name: release_plan
short_description: Plan the signatures of a release
version_added: 0.1.0
author: rootstock.pki contributors (@rootstock-pki)
description:
  - Tells the files of a release from what P(rootstock.pki.sign_release#role) made in its folder.
  - An earlier run is told by the first line of C(certificates.pem). It made what that line names, and with C(*.sig) a
    signature of each file that its manifest lists, apart from empty ones. What the manifest lists was there before.
  - Returns what forbids to sign the folder too, all of it at once.
positional: _input, records
options:
  _input:
    description: What M(ansible.builtin.find) returned for the folder and everything below it.
    type: dict
    required: true
  records:
    description: >-
      What M(ansible.builtin.slurp) returned for C(certificates.pem) and the manifests at the top of the folder, as far
      as they exist.
    type: list
    elements: dict
    required: true
  directory:
    description: The folder, as C(sign_release_dir).
    type: str
    required: true
  manifest_digest:
    description: What the files are hashed with, as C(sign_release_manifest_digest).
    type: str
    default: sha256
  each:
    description: Whether each file has a signature of its own, as C(sign_release_each).
    type: bool
    default: true
  ledger_path:
    description: The ledger of the signatures, as C(sign_release_ledger_path). It cannot be in the folder.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show what would be signed
  ansible.builtin.debug:
    msg: "{{ (found | rootstock.pki.release_plan([], directory='dist')).files }}"
"""

RETURN = r"""
_value:
  description: What has to be done.
  type: dict
  contains:
    problems:
      description: What forbids to sign the folder.
      type: list
      elements: str
    dir:
      description: The folder, as the paths of what is in it begin.
      type: str
    files:
      description: What the manifest lists.
      type: list
      elements: str
    signed_files:
      description: What has a signature of its own. These are no empty files.
      type: list
      elements: str
    stale:
      description: What an earlier run made and this one does not.
      type: list
      elements: str
    record:
      description: The first line of C(certificates.pem).
      type: str
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from posixpath import basename
from typing import Any

from ansible_collections.rootstock.pki.plugins.module_utils._pki.release_plan import ledger_problems, plan_release


def release_plan(
    listed: Mapping[str, Any],
    records: Sequence[Mapping[str, str]],
    *,
    directory: str,
    manifest_digest: str = "sha256",
    each: bool = True,
    ledger_path: str = "",
) -> dict[str, Any]:
    """Return what has to be done for a release, or what forbids it."""
    contents = {basename(one["source"]): base64.b64decode(one["content"]) for one in records}
    planned = plan_release(listed, contents, directory, manifest_digest, each)
    return {**planned, "problems": [*planned["problems"], *ledger_problems(planned["dir"], ledger_path)]}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., object]]:
        return {"release_plan": release_plan}
