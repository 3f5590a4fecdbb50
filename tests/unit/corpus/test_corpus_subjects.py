# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subjects, and names of certificates, that cannot be what was meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.rootstock.pki.plugins.module_utils._pki.attributes import ATTRIBUTES, UTF8
from tests.unit.corpus.bad_requests import Bad, each, refused
from tests.unit.rfc5280.office import Office

LONGEST = 1200
"""Of the values tried here; greater bounds of the standards are those of UTF8String attributes nobody uses."""


def subject(id_: str, says: str, **attributes: Any) -> Bad:
    return Bad(id_, says, {"subject": {"common_name": "web", **attributes}})


def ordered(id_: str, says: str, *entries: Any) -> Bad:
    return Bad(id_, says, {"subject_ordered": list(entries)})


def overlong() -> Iterator[Bad]:
    """Yield a value that is one character too long for every attribute that has a bound."""
    for row in ATTRIBUTES:
        if row.kind == UTF8 and row.bound is not None and row.bound < LONGEST:
            told = f"{row.bound + 1} characters long; at most {row.bound}"
            yield subject(f"long-{row.long}", told, **{row.oid: "x" * (row.bound + 1)})


SHAPES = [
    subject("unknown", "attribute 'shoe_size' is unknown", shoe_size="43"),
    subject("nearly", "did you mean organizationName?", organisation_name="Acme"),
    subject("nearly-short", "attribute 'OO' is unknown", OO="Acme"),
    subject("oid-arc-3", "attribute '3.1' is unknown", **{"3.1": "x"}),
    subject("oid-second-arc", "attribute '1.40.1' is unknown", **{"1.40.1": "x"}),
    subject("oid-leading-zero", "attribute '2.5.04.3' is unknown", **{"2.5.04.3": "x"}),
    subject("no-text", "takes no text value", **{"2.5.4.45": "x"}),
    subject("no-text-telephone", "takes no text value", **{"2.5.4.20": "+49 1"}),
    subject("number", "is 5, which is no string; quote it", organization_name=5),
    subject("truth", "is True, which is no string", organization_name=True),
    subject("nothing", "is None, which is no string", organization_name=None),
    subject("dictionary", "which is no string", organization_name={"de": "Acme"}),
    subject("number-in-list", "is 1, which is no string", organization_name=["Acme", 1]),
    subject("empty-list", "has an empty list of values", organization_name=[]),
    subject("empty", "O is empty; leave it out", organization_name=""),
    subject("spaces", "O is empty; leave it out", organization_name="   "),
    subject("leading-space", "begins or ends with white space", organization_name=" Acme"),
    subject("trailing-newline", "begins or ends with white space", organization_name="Acme\n"),
    subject("control", "has U+0007", organization_name="Ac\x07me"),
    subject("null", "has U+0000", organization_name="Ac\x00me"),
    subject("line-separator", "has U+2028", organization_name="Ac\u2028me"),
    subject("half-a-letter", "has U+D800", organization_name="Ac\ud800me"),
    subject("bytes-that-were-no-text", "has U+DCFF", organization_name="Ac\udcffme"),
    subject("private-use", "has U+E000", organization_name="Ac\ue000me"),
    subject("replacement", "has U+FFFD", organization_name="Ac\ufffdme"),
    subject("two-names", "common_name and CN are one attribute", CN="web"),
    subject("two-names-oid", "are one attribute; write it once", **{"2.5.4.3": "web"}),
    subject("joins-nothing", "is unknown", **{"++CN": "x"}),
    subject("joins-twice", "CN is twice in one RDN", **{"+commonName": "web2"}),
    Bad("first-joins", "has no attribute before it that it could join", {"subject": {"+CN": "web"}}),
    ordered("ordered-two-keys", "item 1 of the list is 2 keys", {"CN": "web", "O": "Acme"}),
    ordered("ordered-no-key", "item 2 of the list is 0 keys", {"CN": "web"}, {}),
    ordered("ordered-unknown", "attribute 'XN' is unknown", {"XN": "web"}),
    ordered("ordered-nothing", "CN is None, which is no string", {"CN": None}),
]
VALUES = [
    subject("country-lower-case", "is no country code", country_name="de"),
    subject("country-three", "is no country code", country_name="DEU"),
    subject("country-name", "is no country code", country_name="Germany"),
    subject("country-digit", "is no country code", country_name="D1"),
    subject("country-other-letters", "is no country code", country_name="ДЕ"),
    subject("jurisdiction", "is no country code", **{"1.3.6.1.4.1.311.60.2.1.3": "deu"}),
    subject("common-name-octets", "66 octets of UTF-8 long; at most 64", common_name="ü" * 33),
    subject("serial-number-letters", "is no PrintableString", serial_number="№1"),
    subject("serial-number-at", "is no PrintableString", serial_number="a@b"),
    subject("serial-number-long", "65 characters long; at most 64", serial_number="1" * 65),
    subject("qualifier-letters", "is no PrintableString", dn_qualifier="ä"),
    subject("email-no-at", "it has no @", email_address="acme.example"),
    subject("email-two-at", "is no dot-atom", email_address="a@b@acme.example"),
    subject("email-no-domain", "a label is empty", email_address="web@"),
    subject("email-dots", "is no dot-atom", email_address="a..b@acme.example"),
    subject("email-quoted", "is no dot-atom", email_address='"a b"@acme.example'),
    subject("email-letters", "its local part is not ASCII", email_address="müller@acme.example"),
    subject("email-address-literal", "is not made of", email_address="web@[10.0.0.1]"),
    subject("email-display-name", "is no dot-atom", email_address="Web <web@acme.example>"),
    subject("component-dot", "is not made of", domain_component="acme.example"),
    subject("component-underscore", "is not made of", domain_component="ac_me"),
    subject("component-hyphen", "is not made of", domain_component="-acme"),
    subject("component-long", "octets long; at most 63", domain_component="a" * 64),
    subject("component-not-idna", "not allowed in a name", domain_component="a\u2603b"),
]
NAMES = [
    Bad(f"name-{number}", "is not usable", {"name": name})
    for number, name in enumerate(
        ["../web", "a/b", "Web", "-web", ".web", "_web", "web web", "w" * 64, "web\n", "wéb", "web\x00", "/", "..", "~"]
    )
]


@each([*SHAPES, *overlong(), *VALUES, *NAMES])
def test_bad_subjects_are_refused_with_a_sentence(desk: Office, bad: Bad) -> None:
    assert refused(desk, bad)


def test_every_problem_of_a_subject_is_told(desk: Office) -> None:
    told = refused(desk, subject("all", "is no country code", country_name="de", O="", shoe_size="43"))
    assert all(part in told for part in ("O is empty", "'shoe_size' is unknown"))


def test_a_server_without_any_name_is_refused(desk: Office) -> None:
    nobody = {"subject": {}, "subject_alt_name": None}
    assert refused(desk, Bad("nobody", "has neither a subject nor a subject_alt_name", nobody, profile="custom"))
    for profile in ("root_ca", "subordinate_ca"):
        named = {"subject": {}, "subject_alt_name": ["dirName:CN=Acme"]}
        issuer = None if profile == "root_ca" else "root"
        desk.keys.setdefault("web", desk.keys["root"])
        bad = Bad(
            profile, f"certificate_profile {profile} needs a subject", {**named, "key_id": "web"}, profile, issuer
        )
        assert refused(desk, bad)
