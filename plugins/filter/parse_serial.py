# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter that reads a serial number as people write it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: parse_serial
short_description: Serial number from hexadecimal digits
version_added: 0.1.0
author:
  - rootstock.pki contributors (@rootstock-pki)
description:
  - Reads a serial number in pairs of hexadecimal digits with colons between them, as OpenSSL shows it, or without
    colons, as the files of issued certificates are named.
options:
  _input:
    description: The serial number, such as V(0A:17) or V(0A17).
    type: str
    required: true
seealso:
  - plugin: rootstock.pki.to_serial
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show which number a file is named by
  ansible.builtin.debug:
    msg: "{{ '0A17' | rootstock.pki.parse_serial }}"
"""

RETURN = r"""
_value:
  description: The serial number.
  type: int
"""

from collections.abc import Callable

from ansible.errors import AnsibleFilterError

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.serials import to_serial_number


def parse_serial(text: object) -> int:
    """Return the serial number as an integer."""
    try:
        return to_serial_number(text)
    except PkiError as exc:
        raise AnsibleFilterError(f"parse_serial: {exc}") from None  # Ansible would show every error of a chain


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., object]]:
        return {"parse_serial": parse_serial}
