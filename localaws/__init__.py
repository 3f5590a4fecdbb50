# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS on your own machine, for the demo, the tests and Molecule: ministack, made to answer as AWS KMS does."""

from __future__ import annotations

MINISTACK_VERSION = "1.5.33"
