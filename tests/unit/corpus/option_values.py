# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that Ansible lets through to an option: of the right type outside, and anything inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tests.unit.pki.texts import NASTY

Option = Mapping[str, Any]

FITTING = {
    "subject_alt_name": ["DNS:web.acme.internal", "IP:10.0.0.1", "email:a@acme.example", "URI:https://acme.example/"],
    "key_usage": [
        "digital_signature",
        "key_cert_sign",
        "crl_sign",
        "key_agreement",
        "encipher_only",
        "keyEncipherment",
    ],
    "extended_key_usage": ["server_auth", "clientAuth", "1.3.6.1.5.5.7.3.8", "time_stamping", "any_extended_key_usage"],
    "basic_constraints": ["CA:TRUE", "CA:FALSE", "pathlen:0", "pathlen:7"],
    "name_constraints_permitted": ["DNS:acme.internal", "IP:10.0.0.0/8", "email:acme.example", "dirName:O=Acme"],
    "name_constraints_excluded": ["DNS:secret.acme.internal", "IP:10.9.0.0/16", "URI:.acme.example"],
    "policy": ["any_policy", "1.2.3.4", "2.5.29.32.0"],
    "full_name": ["http://pki.acme.example/root.crl", "dirName:CN=CRL"],
    "crl_issuer": ["dirName:CN=Acme CRLs"],
    "oid": ["1.2.3.4", "2.5.29.33", "2.5.29.15", "2.5.29.16", "1.3.6.1.4.1.11129.2.4.2"],
    "value": ["BQA=", "AwIHgA==", "MAA=", "BAA="],
    "not_before": ["-10m", "20260101000000Z", "+1d"],
    "not_after": ["+397d", "issuer", "20500101000000Z", "99991231235959Z", "+1d"],
    "renew_before": ["33%", "30d", "99.999%"],
    "subject_key_identifier": ["00:1A:2B", "001a2b"],
    "explicit_text": ["for tests", "\ud800", "x" * 201],
}
"""Good values are rare among arbitrary ones, and what comes after them is worth reaching."""

NUMBERS = st.one_of(st.integers(-2, 9), st.sampled_from([2**31 - 1, 2**31, 2**63, 2**64, 10**30, -(10**30)]))
LEAVES = st.one_of(NASTY, NUMBERS, st.none(), st.booleans(), st.floats(allow_nan=False))
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NASTY, inner, max_size=3)),
    max_leaves=5,
)
ATTRIBUTES = st.sampled_from(["CN", "common_name", "O", "+OU", "C", "emailAddress", "2.5.4.5", "DC", "1.2.3"])


def texts(name: str) -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from(FITTING[name]), NASTY) if name in FITTING else NASTY


def values(name: str, option: Option) -> st.SearchStrategy[Any]:
    """Return what the argument spec of *option* lets through."""
    kind = option["type"]
    if "choices" in option and kind != "list":
        return st.sampled_from(option["choices"])
    if kind == "list":
        return st.lists(_elements(name, option), max_size=3)
    if kind == "dict":
        return parts(option["options"]) if "options" in option else _free_dictionary(name)
    return {"str": texts(name), "path": texts(name), "bool": st.booleans(), "int": NUMBERS}[kind]


def _elements(name: str, option: Option) -> st.SearchStrategy[Any]:
    if "choices" in option:
        return st.sampled_from(option["choices"])
    if option["elements"] == "dict":
        return parts(option["options"]) if "options" in option else _free_dictionary(name)
    return {"str": texts(name), "path": texts(name), "int": NUMBERS}[option["elements"]]


def _free_dictionary(name: str) -> st.SearchStrategy[Any]:
    keys = st.one_of(ATTRIBUTES, NASTY) if name.startswith("subject") else NASTY
    return st.dictionaries(keys, ANYTHING, max_size=3)


def parts(options: Mapping[str, Option]) -> st.SearchStrategy[Any]:
    """Return dictionaries with every suboption: absent ones have their default, as the argument spec gives it."""
    return st.fixed_dictionaries({name: _given(name, option) for name, option in options.items()})


def _given(name: str, option: Option) -> st.SearchStrategy[Any]:
    chosen = values(name, option)
    return chosen if option.get("required") else st.one_of(st.just(option.get("default")), chosen)
