# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking a certificate of somebody else: the same questions as before issuing one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type

from ansible_collections.rootstock.pki.plugins.module_utils._operations.import_certificate import (
    Imported,
    ImportTask,
    check_import,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import to_pem
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import IssuerError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.profiles import profile_named
from ansible_collections.rootstock.pki.plugins.module_utils._pki.task import Source
from tests.unit.operations.workshop import Workshop, spki_of
from tests.unit.rfc5280.foreign import restricted_to_pss


@pytest.fixture
def partner(tmp_path: Path) -> Workshop:
    """Somebody else's root, and our key."""
    workshop = Workshop(tmp_path)
    workshop.root("partner")
    workshop.key("services")
    return workshop


def certified(partner: Workshop, **options: Any) -> x509.Certificate:
    return partner.issue("services", "subordinate_ca", "partner", **options)


def take(partner: Workshop, *certificates: x509.Certificate, **changed: Any) -> Imported:
    key = partner.keys[changed.pop("key", "services")]
    given = {
        "name": "services",
        "profile": profile_named("subordinate_ca"),
        "certificate": Source("incoming.pem", to_pem(certificates)),
        "public_key": Source("public_key.pem", spki_of(key)),
        "trusted": (Source("partner.pem", (partner.folder / "partner" / "ca.pem").read_bytes()),),
        **changed,
    }
    return check_import(ImportTask(**given), partner.clock())


def test_a_good_certificate_is_taken_with_what_is_above_it(partner: Workshop) -> None:
    certificate = certified(partner, path_length=0)
    taken = take(partner, certificate, path_length=0)
    assert taken.certificate == certificate
    assert len(taken.bundle) == 1


def test_certificates_in_between_may_come_along(partner: Workshop) -> None:
    partner.authority("middle", "partner", path_length=1)
    middle = x509.load_pem_x509_certificate((partner.folder / "middle" / "ca.pem").read_bytes())
    ours = partner.issue("services", "subordinate_ca", "middle", above=["partner"], path_length=0)
    assert take(partner, ours, middle).bundle[0] == middle
    with pytest.raises(IssuerError, match="not at a trusted certificate"):
        take(partner, ours)


def test_a_certificate_of_another_key_is_refused(partner: Workshop) -> None:
    partner.key("other")
    with pytest.raises(SpecError, match="is of the key"):
        take(partner, certified(partner), key="other")


def test_a_certificate_that_is_no_authoritys_is_refused(partner: Workshop) -> None:
    leaf = partner.issue("leaf", "tls_client", "partner", key_id="services")
    with pytest.raises(SpecError, match="CA:FALSE"):
        take(partner, leaf)


def test_a_path_length_too_short_for_the_tree_is_refused(partner: Workshop) -> None:
    with pytest.raises(SpecError, match="has path_length 0, and the tree below needs 1"):
        take(partner, certified(partner, path_length=0), path_length=1)


def test_an_expired_certificate_is_refused(partner: Workshop) -> None:
    certificate = certified(partner, not_after="+10d")
    partner.clock.forward(days=11)
    with pytest.raises(SpecError, match=r"it was valid until 20260111120000Z; have incoming\.pem issued again$"):
        take(partner, certificate)


def test_a_certificate_of_an_untrusted_root_is_refused(partner: Workshop) -> None:
    stranger = Workshop(partner.folder / "stranger", serial=0xF000)
    stranger.root("partner")
    stranger.keys["services"] = partner.keys["services"]
    with pytest.raises(IssuerError, match="not at a trusted certificate"):
        take(partner, certified(stranger))


@pytest.fixture
def own(partner: Workshop) -> Source:
    """The certificate that we have already."""
    subject = {"organization_name": "Acme", "common_name": "services"}
    certificate = partner.issue("own", "root_ca", key_id="services", issuer_key_id="services", subject=subject)
    return Source("ca.pem", to_pem([certificate]))


def test_a_cross_certificate_for_what_we_have_already_is_taken(partner: Workshop, own: Source) -> None:
    certificate = certified(partner)
    assert take(partner, certificate, own=own).certificate == certificate


def test_a_cross_certificate_that_has_expired_is_warned_of(partner: Workshop, own: Source) -> None:
    certificate = certified(partner, not_after="+10d")
    assert take(partner, certificate, own=own).warnings == ()
    partner.clock.forward(days=11)
    told = "services: its path was valid until 20260111120000Z; have incoming.pem issued again"
    assert take(partner, certificate, own=own).warnings == (told,)


def test_dates_outside_of_the_issuers_are_left_to_the_relying_parties(partner: Workshop) -> None:
    """A root that was issued again with its key starts later than what it signed before."""
    certificate = certified(partner)
    partner.clock.forward(days=1)
    again = partner.issue("partner", "root_ca", reissue_root=True, force=True, not_after="+100d")
    root = Source("partner.pem", to_pem([again]))
    assert take(partner, certificate, trusted=(root,)).certificate == certificate
    partner.clock.forward(days=100)
    with pytest.raises(SpecError, match="the issuer CN=partner,O=Acme expired"):
        take(partner, certificate, trusted=(root,))


@pytest.mark.parametrize("string_type", [_ASN1Type.PrintableString, _ASN1Type.UTF8String])
def test_a_cross_certificate_for_another_subject_is_refused_in_letters_and_string_types(
    partner: Workshop, own: Source, string_type: _ASN1Type
) -> None:
    """RFC 5280 4.1.2.6: as it is encoded in the issuer of what the authority issued."""
    word = "Acme" if string_type is _ASN1Type.PrintableString else "Others"
    ours = x509.load_pem_x509_certificate(own.content or b"").subject
    first = x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, word, _type=string_type)
    planned = partner.plan("services", "subordinate_ca", "partner")
    spec = replace(planned.spec, subject=x509.Name([first, *list(ours)[1:]]))
    certificate = partner.carry_out(replace(planned, spec=spec)).certificate
    with pytest.raises(SpecError, match=rf"the subject is CN=services,O={word}, and ca\.pem has CN=services,O=Acme"):
        take(partner, certificate, own=own)


def test_a_cross_certificate_with_another_key_identifier_is_refused(partner: Workshop, own: Source) -> None:
    certificate = certified(partner, subject_key_identifier=b"\x01\x02")
    with pytest.raises(SpecError, match=r"the subject key identifier is 01:02, and ca\.pem has "):
        take(partner, certificate, own=own)


def test_without_trusted_roots_the_path_may_end_anywhere(partner: Workshop) -> None:
    assert take(partner, certified(partner), trusted=()).bundle == ()


def test_a_certificate_that_restricts_our_key_to_pss_is_refused(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    workshop.root("partner")
    workshop.key("services", "RSA_2048")
    certificate = certified(workshop)
    assert take(workshop, certificate).certificate == certificate
    with pytest.raises(SpecError, match=r"incoming\.pem: the key is restricted to RSASSA-PSS"):
        take(workshop, restricted_to_pss(certificate))
