# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a variable holds, a filter ends in a plan, a list of problems or a sentence, and in no error of Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.rootstock.pki.plugins.filter.access_plan import access_plan
from ansible_collections.rootstock.pki.plugins.filter.issuance_order import issuance_order
from ansible_collections.rootstock.pki.plugins.filter.parse_serial import parse_serial
from ansible_collections.rootstock.pki.plugins.filter.release_plan import release_plan
from ansible_collections.rootstock.pki.plugins.filter.service_plan import service_plan
from ansible_collections.rootstock.pki.plugins.filter.to_serial import to_serial
from ansible_collections.rootstock.pki.plugins.filter.tree_plan import tree_plan
from ansible_collections.rootstock.pki.plugins.filter.x509_cert_info import x509_cert_info
from ansible_collections.rootstock.pki.plugins.module_utils._pki import tree_options
from tests.unit.filter.inventories import authority, certificate, root

ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2026, 1.5, float("nan"), "", "x", "5", "\x00", "é", b"x", "1" * 5000, "+1d"),
    *([], [1], [None], [[]], [{}], ["x"], [{"a": 1}], ["x", 1], (1,), {1}, [True], date(2026, 1, 1)),
    *({}, {"a": 1}, {1: 2}, {None: None}, {"name": "x"}, {"role_arn": 5}, {"a": {"b": [1]}}, {"name": 5, "key": 5}),
]
FOUND = {"path": "dist/a", "isdir": False, "islnk": False, "size": 4}
LISTED = {"files": [FOUND], "skipped_paths": {}}
READ = {"source": "dist/certificates.pem", "content": "AAAA"}
PLACE = {"pki_name": "acme", "pki_dir": "pki", "base_dir": "/srv/acme", "base_url": "http://pki.acme.example"}
TREE = {"authorities": [root()], "certificates": [certificate("signer")], "certificate_profiles": {}}
CALLS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (tree_plan, {**TREE, **PLACE, "revocations": [{"authority": "root", "name": "signer"}]}),
    (service_plan, {**TREE, **PLACE, "services": [certificate("releases")]}),
    (access_plan, {**TREE, "pki_name": "acme"}),
    (issuance_order, {**TREE, "pki_name": "acme"}),
    (
        release_plan,
        {"listed": LISTED, "records": [READ], "directory": "dist", "manifest_digest": "sha256"}
        | {"each": True, "ledger_path": ""},
    ),
    (to_serial, {"serial_number": 1}),
    (parse_serial, {"text": "01"}),
    (x509_cert_info, {"data": "-----BEGIN CERTIFICATE-----"}),
]
ARGUMENTS = [(call, name) for call, usual in CALLS for name in usual]
EXTERNAL = {"external": True, "certificate_path": "in/a.pem", "trusted_certificate_path": ["in/r.pem"]}
AUTHORITIES = [
    root(),
    authority("services", "root"),
    {**root("theirs"), **EXTERNAL, "certificate_profile": "subordinate_ca"},
]
WEB = {"name": "web", "issuer": "root", "certificate_profile": "tls_server", "csr_path": "web.csr"}
PARTNER = {"name": "partner", "certificate_path": "in/b.pem", "trusted_certificate_path": ["in/r.pem"]}


def is_told(call: Callable[[], Any]) -> bool:
    """Return whether what a filter finds wrong is in sentences; whatever else it raises ends the test."""
    try:
        made = call()
    except AnsibleFilterError as exc:
        return " " in str(exc)
    told = made.get("problems", []) if isinstance(made, Mapping) else []
    return all(isinstance(problem, str) and " " in problem for problem in told)


@pytest.mark.parametrize(("call", "name"), ARGUMENTS, ids=lambda value: getattr(value, "__name__", value))
def test_whatever_an_argument_is_a_filter_ends_in_a_plan_or_in_sentences(call: Callable[..., Any], name: str) -> None:
    usual = next(usual for one, usual in CALLS if one is call)
    for value in ODD:
        assert is_told(partial(call, **{**usual, name: value}))
        if isinstance(usual[name], list):
            assert is_told(partial(call, **{**usual, name: [*usual[name], value]}))


@given(st.data())
def test_whatever_an_option_of_an_entry_is_a_plan_ends_in_sentences(data: Any) -> None:
    entries = data.draw(st.sampled_from([AUTHORITIES, [certificate("signer"), WEB]]))
    place = data.draw(st.integers(0, len(entries) - 1))
    known = tree_options.AUTHORITY_OPTIONS if entries is AUTHORITIES else tree_options.CERTIFICATE_OPTIONS
    changed = {**entries[place], data.draw(st.sampled_from(sorted(known))): data.draw(st.sampled_from(ODD))}
    given_entries = [*entries[:place], changed, *entries[place + 1 :]]
    tree = (given_entries, [WEB]) if entries is AUTHORITIES else (AUTHORITIES, given_entries)
    assert is_told(lambda: tree_plan(*tree, **PLACE))
    assert is_told(lambda: service_plan(tree[0], tree[1], [], **PLACE))
    assert is_told(lambda: access_plan(*tree, pki_name="acme"))
    assert is_told(lambda: issuance_order(*tree))


@given(st.data())
def test_whatever_stands_inside_of_an_option_a_plan_ends_in_sentences(data: Any) -> None:
    value = data.draw(st.sampled_from(ODD))
    role = {"role_arn": "arn:aws:iam::111122223333:role/Maker"}
    inner = {
        "key": data.draw(st.sampled_from(sorted(tree_options.AUTHORITY_KEY_OPTIONS))),
        "crl": data.draw(st.sampled_from(["next_update", "renew_before", "partitions"])),
        "cross_certificates": data.draw(st.sampled_from(sorted(tree_options.CROSS_OPTIONS))),
        "administrator_role": data.draw(st.sampled_from(sorted(tree_options.ROLE_OPTIONS))),
    }
    said: list[dict[str, Any]] = [
        {"key": {inner["key"]: value}},
        {"crl": {inner["crl"]: value}},
        {"cross_certificates": [{**PARTNER, inner["cross_certificates"]: value}, value]},
        {"key": {"administrator_role": {**role, inner["administrator_role"]: value}, "assume_role": role}},
    ]
    for one in said:
        assert is_told(partial(tree_plan, [{**root(), **one}, authority("services", "root", **one)], [WEB], **PLACE))


@given(st.data())
def test_whatever_is_listed_of_a_folder_a_release_is_planned_or_refused(data: Any) -> None:
    value = data.draw(st.sampled_from(ODD))
    entry = {**FOUND, data.draw(st.sampled_from(sorted(FOUND))): value}
    record = {**READ, data.draw(st.sampled_from(sorted(READ))): value}
    assert is_told(partial(release_plan, {**LISTED, "files": [entry, FOUND]}, [READ], directory="dist"))
    assert is_told(
        partial(release_plan, {**LISTED, data.draw(st.sampled_from(sorted(LISTED))): value}, [], directory="dist")
    )
    assert is_told(partial(release_plan, LISTED, [record], directory="dist"))


REVOCATION = '[{"authority": "services", "name": "web", "reason": "key_compromise"}]'


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("pki_name", 2026, "pki_name is 2026; expected a string, so put it between quotes"),
        ("pki_name", None, "pki_name is empty; expected a string"),
        ("pki_dir", None, "pki_dir is empty; expected a string"),
        ("pki_dir", 2026, "pki_dir is 2026; expected a string, so put it between quotes"),
        ("base_dir", None, "pki_base_dir is empty; expected a string"),
        ("base_url", 5, "pki_base_url is 5; expected a string, so put it between quotes"),
        ("certificates", 5, "pki_certificates is 5; expected a list"),
        ("revocations", 5, f"pki_revocations is 5; expected a list, such as {REVOCATION}"),
        (
            "revocations",
            None,
            f"pki_revocations is missing; say what is to be revoked, such as pki_revocations: {REVOCATION}",
        ),
        (
            "revocations",
            ["web"],
            "pki_revocations[0]: is 'web'; expected a mapping with an authority, a name and so on",
        ),
        (
            "revocations",
            [{"name": "web"}],
            "pki_revocations[0]: has no authority; name the one that issued the certificate",
        ),
    ],
)
def test_what_is_wrong_with_a_variable_of_a_tree_is_told_by_its_name(name: str, value: object, says: str) -> None:
    usual = {**TREE, **PLACE}
    made = tree_plan(**{**usual, name: value})
    assert made["problems"] == [says]
    assert (made["certificates"], made["kms_keys"], made["revocations"]) == ([], [], [])


def test_what_is_wrong_with_variables_of_services_is_told_by_their_names() -> None:
    usual = {**TREE, **PLACE, "services": [certificate("releases")]}
    for name, value, says in (
        ("services", None, "signing_services is empty; expected a list"),
        ("services", "x", "signing_services is 'x'; expected a list"),
        ("certificates", 5, "pki_certificates is 5; expected a list"),
        ("pki_dir", None, "pki_dir is empty; expected a string"),
    ):
        assert service_plan(**{**usual, name: value})["problems"] == [says]
    assert service_plan(**{**usual, "certificates": None})["problems"] == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("manifest_digest", None, "sign_release_manifest_digest is empty; there are sha256, sha384, sha512"),
        ("manifest_digest", "md5", "sign_release_manifest_digest is 'md5'; there are sha256, sha384, sha512"),
        ("each", "no", "sign_release_each is 'no'; expected true or false"),
        ("ledger_path", None, "sign_release_ledger_path is empty; expected a string"),
    ],
)
def test_what_is_wrong_with_a_variable_of_a_release_is_told_by_its_name(name: str, value: object, says: str) -> None:
    assert release_plan(LISTED, [], **{"directory": "dist", name: value})["problems"] == [says]


def test_what_find_and_slurp_did_not_return_is_refused() -> None:
    with pytest.raises(
        AnsibleFilterError, match=r"release_plan: the input is not what ansible\.builtin\.find returned"
    ):
        release_plan({}, [], directory="x")
    with pytest.raises(
        AnsibleFilterError, match=r"release_plan: records are not what ansible\.builtin\.slurp returned"
    ):
        release_plan(LISTED, [{"source": "dist/certificates.pem", "content": "A"}], directory="x")
