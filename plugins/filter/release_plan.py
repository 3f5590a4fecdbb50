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

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.release_plan import (
    ledger_problems,
    option_problems,
    plan_release,
    to_contents,
    to_listing,
)


def release_plan(
    listed: object,
    records: object,
    *,
    directory: object,
    manifest_digest: object = "sha256",
    each: object = True,
    ledger_path: object = "",
) -> dict[str, Any]:
    """Return what has to be done for a release, or what forbids it."""
    try:
        listing, contents = to_listing(listed), to_contents(records)
    except PkiError as exc:
        raise AnsibleFilterError(f"release_plan: {exc}") from None  # Ansible would show every error of a chain
    refused = option_problems(manifest_digest, each, ledger_path)
    planned = plan_release(listing, contents, str(directory), str(manifest_digest), bool(each))
    problems = [*refused, *planned["problems"], *ledger_problems(planned["dir"], "" if refused else str(ledger_path))]
    return {**planned, "problems": problems}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., object]]:
        return {"release_plan": release_plan}
