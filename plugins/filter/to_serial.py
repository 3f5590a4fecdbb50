# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter that writes a serial number as people read it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: to_serial
short_description: Serial number as hexadecimal digits with colons
version_added: 0.1.0
author:
  - rootstock.pki contributors (@rootstock-pki)
description:
  - Writes a serial number as OpenSSL shows it, in pairs of hexadecimal digits with colons between them.
options:
  _input:
    description: The serial number, not negative.
    type: int
    required: true
seealso:
  - plugin: rootstock.pki.parse_serial
    plugin_type: filter
  - module: rootstock.pki.x509_cert_info
"""

EXAMPLES = r"""
- name: Show the serial number of a certificate
  ansible.builtin.debug:
    msg: "{{ (lookup('ansible.builtin.file', 'web.pem') | rootstock.pki.x509_cert_info).serial_number
      | rootstock.pki.to_serial }}"
"""

RETURN = r"""
_value:
  description: Upper-case pairs of digits, such as V(0A:17). V(00) for 0.
  type: str
"""

from collections.abc import Callable

from ansible.errors import AnsibleFilterError

from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.serials import serial_with_colons


def to_serial(serial_number: object) -> str:
    """Return the serial number in pairs of digits."""
    try:
        return serial_with_colons(serial_number)
    except PkiError as exc:
        raise AnsibleFilterError(f"to_serial: {exc}") from None  # Ansible would show every error of a chain


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., object]]:
        return {"to_serial": to_serial}
