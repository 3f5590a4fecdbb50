# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Terms of the lookup that name no key are refused in a sentence, before AWS is asked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleLookupError

from ansible_collections.rootstock.pki.plugins.lookup.kms_public_key import check_terms


@pytest.mark.parametrize("term", [["alias/a"], 4711, None, "", {"key_id": "alias/a"}])
def test_what_names_no_key_is_refused_and_the_way_out_told(term: Any) -> None:
    with pytest.raises(AnsibleLookupError, match="names no key; give each as a text of its own") as refused:
        check_terms(["alias/a", term])
    assert (repr(term) in str(refused.value), "*keys" in str(refused.value)) == (True, True)


def test_a_lookup_of_nothing_is_refused() -> None:
    with pytest.raises(AnsibleLookupError, match="no key is named; give at least one"):
        check_terms([])


def test_names_of_keys_are_taken() -> None:
    check_terms(["alias/a", "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"])
