# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookup of public keys in AWS KMS."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kms_public_key
short_description: Public key of an AWS KMS key
version_added: 0.1.0
author:
  - rootstock.pki contributors (@rootstock-pki)
description:
  - Fetches the public keys of asymmetric keys in AWS KMS, in PEM.
  - Runs where Ansible runs, with the credentials and the region found there or given here. The C(module_defaults) of
    action groups do not reach lookups.
  - Needs C(kms:GetPublicKey).
options:
  _terms:
    description:
      - The keys, each by ID, ARN, alias name or alias ARN. At least one is needed.
      - Keys in a list are given with an asterisk, as in the example.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - amazon.aws.boto3
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
seealso:
  - module: rootstock.pki.kms_public_key
"""

EXAMPLES = r"""
- name: Everybody can verify what the document signer signed
  ansible.builtin.copy:
    content: "{{ lookup('rootstock.pki.kms_public_key', 'alias/acme/document-signer', region='eu-central-1') }}"
    dest: /srv/www/keys/document-signer.pem
    mode: "0644"

- name: The public keys of several signers are at hand
  ansible.builtin.set_fact:
    public_keys: "{{ query('rootstock.pki.kms_public_key', *signing_keys, region='eu-central-1') }}"
"""

RETURN = r"""
_raw:
  description: The public keys in PEM, in the order of the keys.
  type: list
  elements: str
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible_collections.amazon.aws.plugins.plugin_utils.lookup import AWSLookupBase

from ansible_collections.rootstock.pki.plugins.module_utils._aws.kms import get_public_key
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import PkiError


def check_terms(terms: Sequence[object]) -> None:
    """Refuse a lookup of no key, and terms that are no names of keys."""
    if not terms:
        raise AnsibleLookupError("kms_public_key: no key is named; give at least one")
    for term in terms:
        if not isinstance(term, str) or not term:
            raise AnsibleLookupError(
                f"kms_public_key: {term!r} names no key; give each as a text of its own, by ID, ARN, alias name or"
                " alias ARN, and those in a list with an asterisk: query('rootstock.pki.kms_public_key', *keys)"
            )


class LookupModule(AWSLookupBase):
    """What Ansible looks for."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        super().run(terms, variables, **kwargs)
        check_terms(terms)
        client = self.client("kms")
        try:
            return [get_public_key(client, term).pem for term in terms]
        except PkiError as exc:
            raise AnsibleLookupError(f"kms_public_key: {exc}") from None  # Ansible would show every error of a chain
