# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Delta CRLs: what changed since the full one, holds that end, and what OpenSSL makes of both (RFC 5280 5.2.4)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.entries import Revoked
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.holders import this_holder
from ansible_collections.rootstock.pki.plugins.module_utils._lint.lint import lint
from ansible_collections.rootstock.pki.plugins.module_utils._operations import make_crl as flow
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl import crl_entries, crl_to_der
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.extension_words import said_extensions
from ansible_collections.rootstock.pki.plugins.module_utils._pki.extensions import WantedExtension
from tests.unit.operations.crl_desk import CrlDesk, number, serials

FULL = {"at_once": False, "freshest_crl": ("http://pki.acme.example/root/delta.der",)}
REASON = x509.CRLReason


@pytest.fixture
def desk(tmp_path: Path) -> CrlDesk:
    return CrlDesk(tmp_path)


def delta(desk: CrlDesk) -> x509.CertificateRevocationList:
    return desk.make("delta.pem", base="crl.pem", next_update="+1d")


def base_number(crl: x509.CertificateRevocationList) -> int:
    found = crl.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    assert found.critical
    return found.value.crl_number


def reasons(crl: x509.CertificateRevocationList) -> dict[int, str]:
    return {entry.serial_number: entry.extensions.get_extension_for_class(REASON).value.reason.name for entry in crl}


def test_a_delta_crl_lists_what_is_new_since_its_base(desk: CrlDesk) -> None:
    desk.revoke("0A17")
    full = desk.make(**FULL)
    desk.revoke("0A18", "superseded")
    made = delta(desk)
    assert base_number(made) == number(full) < number(made)
    assert reasons(made) == {0x0A18: "superseded"}


@pytest.mark.parametrize("partitions", [None, 2])
def test_openssl_joins_a_delta_crl_with_a_base_that_says_which_one_it_is(
    tmp_path: Path, partitions: int | None
) -> None:
    desk = CrlDesk(tmp_path, "services", above="root")
    part = "" if partitions is None else "-{partition}"
    url, delta_url = (f"http://pki.acme.example/services/{name}{part}.der" for name in ("crl", "delta"))
    points = {"crl_distribution_points": [{"full_name": [url]}], "freshest_crl": [{"full_name": [delta_url]}]}
    more = tuple(said_extensions(points)[0])
    bad, good = (desk.issue(name, more=more, crl_partitions=partitions) for name in ("bad", "good"))
    scope = {"distribution_point": (url,), "freshest_crl": (delta_url,)}
    desk.make_all(f"crl{part}.pem", partitions=partitions, at_once=False, **scope)
    desk.revoke(bad)
    desk.make_all(f"delta{part}.pem", partitions=partitions, base=f"crl{part}.pem", next_update="+1d")
    files = [f"{kind}{part}.pem".format(partition=n) for n in range(partitions or 1) for kind in ("crl", "delta")]
    crls = [desk.desk_above().make(), *map(desk.crl, files)]
    assert "certificate revoked" in desk.verdict(bad, crls, "-use_deltas", "-extended_crl")
    assert desk.verdict(good, crls, "-use_deltas", "-extended_crl").endswith("OK\n")
    assert not any(
        planned.remake
        for planned in desk.plans(
            f"delta{part}.pem",
            partitions=partitions,
            base=f"crl{part}.pem",
            next_update="+1d",
            distribution_point=(f"URI:{url}",),
        )
    )


@pytest.mark.parametrize("of_base", [(), ("http://pki.acme.example/root/crl.der",)])
def test_a_delta_crl_of_another_scope_than_its_base_is_refused(desk: CrlDesk, of_base: tuple[str, ...]) -> None:
    desk.make(distribution_point=of_base)
    with pytest.raises(SpecError, match=r"crl_urls has http://other\.example/crl\.der, and the base CRL .* leave crl_"):
        desk.plan("delta.pem", base="crl.pem", distribution_point=("http://other.example/crl.der",))


def test_openssl_refuses_what_the_delta_crl_revokes(desk: CrlDesk) -> None:
    point = x509.DistributionPoint(
        [x509.UniformResourceIdentifier("http://pki.acme.example/root/delta.der")], None, None, None
    )
    more = (WantedExtension(x509.FreshestCRL([point]), critical=False),)
    bad, good = desk.issue("bad", more=more), desk.issue("good", more=more)
    full = desk.make(**FULL)
    assert desk.verdict(bad, [full]).endswith("OK\n")
    desk.revoke(bad)
    crls = [full, delta(desk)]
    assert "certificate revoked" in desk.verdict(bad, crls, "-use_deltas", "-extended_crl")
    assert desk.verdict(good, crls, "-use_deltas", "-extended_crl").endswith("OK\n")


def test_a_hold_that_ends_is_taken_off_the_base(desk: CrlDesk) -> None:
    hold = desk.revoke("0A17", "certificate_hold")
    desk.make(**FULL)
    desk.release(hold)
    assert reasons(delta(desk)) == {0x0A17: "remove_from_crl"}


def test_a_hold_that_began_and_ended_after_the_base_is_named_too(desk: CrlDesk) -> None:
    desk.make(**FULL)
    hold = desk.revoke("0A17", "certificate_hold")
    assert reasons(delta(desk)) == {0x0A17: "certificate_hold"}
    desk.release(hold)
    assert reasons(delta(desk)) == {0x0A17: "remove_from_crl"}
    desk.revoke("0A18")
    assert reasons(delta(desk)) == {0x0A17: "remove_from_crl", 0x0A18: "key_compromise"}


def test_a_hold_that_becomes_final_is_listed_anew(desk: CrlDesk) -> None:
    desk.revoke("0A17", "certificate_hold")
    desk.make(**FULL)
    desk.revoke("0A17", "key_compromise")
    assert reasons(delta(desk)) == {0x0A17: "key_compromise"}


def test_the_next_full_crl_empties_the_delta(desk: CrlDesk) -> None:
    desk.make(**FULL)
    desk.revoke("0A17")
    assert len(delta(desk)) == 1
    desk.shop.clock.forward(days=6)
    full = desk.make(**FULL)
    assert serials(full) == {0x0A17}
    after = delta(desk)
    assert (len(after), base_number(after)) == (0, number(full))


def test_a_second_run_signs_nothing(desk: CrlDesk) -> None:
    desk.make(**FULL)
    delta(desk)
    calls = desk.sign_calls
    delta(desk)
    desk.make(**FULL)
    assert desk.sign_calls == calls


def test_full_and_delta_crls_share_their_numbers(desk: CrlDesk) -> None:
    numbers = [number(desk.make(**FULL)), number(delta(desk)), number(desk.make(force=True, **FULL))]
    assert numbers == sorted(set(numbers))


def test_a_full_crl_leaves_the_intent_of_a_delta_crl_that_is_stored(
    desk: CrlDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = replace(this_holder(), started="1")
    desk.make(**FULL)
    with monkeypatch.context() as patched:
        patched.setattr(flow, "this_holder", lambda: ended)
        patched.setattr(flow, "crl_line", interrupted)
        with pytest.raises(KeyboardInterrupt):
            delta(desk)
    desk.make(force=True, **FULL)
    assert [intent.details["scope"] for intent in desk.ledger.read().open_intents] == ["delta"]
    delta(desk)
    assert desk.ledger.read().open_intents == ()


def interrupted(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_without_its_base_a_delta_crl_is_pending(desk: CrlDesk) -> None:
    planned = desk.plan("delta.pem", base="crl.pem")
    assert len(planned.plan.pending) == 1
    with pytest.raises(SpecError, match=r"the base CRL .* does not exist yet"):
        desk.make("delta.pem", base="crl.pem")


def test_a_base_that_is_not_the_last_full_crl_is_refused(desk: CrlDesk) -> None:
    desk.make(**FULL)
    old = desk.path().read_bytes()
    desk.make(force=True, **FULL)
    desk.path().write_bytes(old)
    with pytest.raises(SpecError, match="is not the last full CRL of the ledger"):
        delta(desk)


SILENT, SILENT_AND_HELD = 88, 7


def ed25519_desk(folder: Path) -> tuple[CrlDesk, list[Revoked]]:
    """Return an authority with so many entries in its full CRL that they say no reason but hold, and these holds."""
    desk = CrlDesk(folder, key_spec="ECC_NIST_EDWARDS25519")
    since = desk.shop.clock()
    for count in range(SILENT):
        desk.revoke(f"{(7 << 156) + count:X}", "superseded", invalidity_date=since)
    holds = [desk.revoke(f"{(6 << 156) + count:X}", "certificate_hold") for count in range(SILENT_AND_HELD)]
    full = desk.make(**FULL)
    found = Counter(entry.reason for entry in crl_entries(full))
    assert found == {"unspecified": SILENT, "certificate_hold": SILENT_AND_HELD}
    desk.shop.clock.forward(minutes=6)
    return desk, holds


def test_a_delta_crl_repeats_nothing_that_its_base_shows_without_a_reason(tmp_path: Path) -> None:
    desk, holds = ed25519_desk(tmp_path)
    assert len(delta(desk)) == 0
    desk.revoke("0A17", "superseded", invalidity_date=desk.shop.clock())
    desk.release(holds[0])
    desk.revoke(holds[1].serial, "key_compromise", revoked_at=holds[1].revoked_at)
    made = delta(desk)
    changed = {0x0A17: "superseded", int(holds[0].serial, 16): "remove_from_crl"}
    assert reasons(made) == {**changed, int(holds[1].serial, 16): "key_compromise"}
    assert [entry.serial_number for entry in crl_entries(made) if entry.invalidity_date] == [0x0A17]


def test_a_delta_crl_repeats_nothing_that_its_base_shows_without_a_date_but_tells_another_reason(
    tmp_path: Path,
) -> None:
    desk = CrlDesk(tmp_path, key_spec="ECC_NIST_EDWARDS25519")
    for count in range(64):
        desk.revoke(f"{(7 << 156) + count:X}", "superseded", invalidity_date=desk.shop.clock())
    shown = {(entry.reason, entry.invalidity_date) for entry in crl_entries(desk.make(**FULL))}
    assert shown == {("superseded", None)}
    desk.revoke(f"{7 << 156:X}", "key_compromise")
    assert reasons(delta(desk)) == {7 << 156: "key_compromise"}


@pytest.mark.parametrize("key_spec", ["ECC_NIST_P256", "ECC_NIST_EDWARDS25519"])
def test_a_reason_that_a_base_never_had_is_told_where_the_base_says_all(tmp_path: Path, key_spec: str) -> None:
    desk = CrlDesk(tmp_path, key_spec=key_spec)
    first = desk.revoke("0A17", "unspecified")
    desk.make(**FULL)
    desk.revoke("0A17", "key_compromise", revoked_at=first.revoked_at)
    assert reasons(delta(desk)) == {0x0A17: "key_compromise"}


def test_openssl_joins_an_ed25519_base_without_reasons_and_its_delta(tmp_path: Path) -> None:
    desk = CrlDesk(tmp_path, key_spec="ECC_NIST_EDWARDS25519")
    points = {"freshest_crl": [{"full_name": list(FULL["freshest_crl"])}]}
    early, late, good = (desk.issue(name, more=tuple(said_extensions(points)[0])) for name in ("early", "late", "good"))
    for count in range(90):
        desk.revoke(f"{(7 << 156) + count:X}", "superseded")
    desk.revoke(early)
    full = desk.make(**FULL)
    desk.shop.clock.forward(minutes=6)
    desk.revoke(late)
    made = delta(desk)
    assert serials(made) == {late.serial_number}
    for bad in (early, late):
        assert "certificate revoked" in desk.verdict(bad, [full, made], "-use_deltas", "-extended_crl")
    assert desk.verdict(good, [full, made], "-use_deltas", "-extended_crl").endswith("OK\n")


def test_the_diff_of_a_crl_without_reasons_names_what_is_new(tmp_path: Path) -> None:
    desk, _holds = ed25519_desk(tmp_path)
    desk.revoke("0A17", "key_compromise")
    before, after = (desk.plan(**{**FULL, "force": True}).plan.diff[side] for side in ("before", "after"))
    assert "revoked_certificates" not in before
    assert after["revoked_certificates"] == ["0A17 key_compromise 20260101120600Z"]


def test_pkilint_finds_nothing_in_both(desk: CrlDesk) -> None:
    full = desk.make(**FULL)
    desk.revoke("0A17")
    for crl in (full, delta(desk)):
        found = lint(crl_to_der(crl), "crl")
        assert [finding for finding in found if finding.severity in ("fatal", "error", "warning")] == []
