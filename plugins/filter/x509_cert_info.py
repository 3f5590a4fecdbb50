# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter that describes a certificate."""

from __future__ import annotations

DOCUMENTATION = r"""
name: x509_cert_info
short_description: Describe X.509 certificates
version_added: 0.1.0
author:
  - rootstock.pki contributors (@rootstock-pki)
description:
  - Tells what stands in a certificate, as M(rootstock.pki.x509_cert_info) does.
requirements:
  - cryptography >= 45 where Ansible runs, for ML-DSA >= 50
options:
  _input:
    description: The certificate, in PEM. Of several the first one is described.
    type: str
    required: true
seealso:
  - module: rootstock.pki.x509_cert_info
  - plugin: rootstock.pki.to_serial
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show how many days a certificate has left
  ansible.builtin.debug:
    msg: "{{ (lookup('ansible.builtin.file', 'web.pem') | rootstock.pki.x509_cert_info).days_left }}"
"""

RETURN = r"""
_value:
  description:
    - All that M(rootstock.pki.x509_cert_info) returns of the certificate itself.
    - What needs more than the certificate is not there, RV(rootstock.pki.x509_cert_info#module:valid_at),
      RV(rootstock.pki.x509_cert_info#module:issuer_match), RV(rootstock.pki.x509_cert_info#module:ledger) and
      RV(rootstock.pki.x509_cert_info#module:certificate_profile).
  type: dict
"""

from collections.abc import Callable
from datetime import datetime, timezone

from ansible.errors import AnsibleFilterError

from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificate_info import describe_certificate
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import load_certificates
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.library import controller_problem


def x509_cert_info(data: object) -> dict[str, object]:
    """Return the fields of the first certificate in *data*."""
    if problem := controller_problem():
        raise AnsibleFilterError(f"x509_cert_info: {problem}")
    if not isinstance(data, (str, bytes)):
        raise AnsibleFilterError(f"x509_cert_info: the input is {type(data).__name__}; give a certificate in PEM")
    content = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    try:
        certificate = load_certificates(content, "the input")[0]
        return describe_certificate(certificate, datetime.now(timezone.utc).replace(microsecond=0))
    except PkiError as exc:
        raise AnsibleFilterError(f"x509_cert_info: {exc}") from None  # Ansible would show every error of a chain


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., object]]:
        return {"x509_cert_info": x509_cert_info}
