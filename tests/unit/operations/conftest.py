# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local AWS that these tests work in."""

from __future__ import annotations

from localaws.testing import account, local_aws

__all__ = ["account", "local_aws"]
