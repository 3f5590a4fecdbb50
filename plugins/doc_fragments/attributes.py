# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the modules behave, in the attributes that ansible-doc shows."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check_mode and say what would change without changing it.
    support: full
  diff_mode:
    description:
      - Returns what changed, or what would, field by field.
      - For a file that is there before, mode, owner and the like are fields too, each behind the path of the file.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  platform:
    description: Where the module runs.
    platforms: posix
    support: full
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check_mode, since it changes nothing.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: N/A
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  platform:
    description: Where the module runs.
    platforms: posix
    support: full
"""

    ACTION_GROUPS = r"""
options: {}
attributes:
  action_group:
    description: Groups whose C(module_defaults) reach this module.
    support: full
    membership:
      - rootstock.pki.aws
      - rootstock.pki.kms
"""

    FILES = r"""
options: {}
attributes:
  safe_file_operations:
    description:
      - Replaces files atomically, so that nobody reads a half-written one.
      - Refuses to replace a file that the task names for something else, such as its ledger or a file that it reads.
    support: full
"""
