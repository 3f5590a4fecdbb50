# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Authorities with several CRLs: each certificate says in which one it is, and that one alone is signed again."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.rootstock.pki.plugins.module_utils._ledger import files
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.indexed import IndexedState
from ansible_collections.rootstock.pki.plugins.module_utils._ledger.reading import read_state
from ansible_collections.rootstock.pki.plugins.module_utils._lint.lint import lint
from ansible_collections.rootstock.pki.plugins.module_utils._operations import crl_shards
from ansible_collections.rootstock.pki.plugins.module_utils._operations import issue_certificate as issuing
from ansible_collections.rootstock.pki.plugins.module_utils._operations.make_crl import make_crl
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl import crl_entries, crl_to_der
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl_partitions import PARTITION_SIZE
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._pki.extension_words import said_extensions
from tests.unit.operations.crl_desk import CrlDesk, serials

URL = "http://pki.acme.example/services/crl-{partition}.der"
FILE = "crl-{partition}.pem"


@pytest.fixture
def desk(tmp_path: Path) -> CrlDesk:
    return CrlDesk(tmp_path, "services", above="root")


def points(url: str = URL) -> dict[str, Any]:
    made, problems = said_extensions({"crl_distribution_points": [{"full_name": [url]}]})
    assert problems == []
    return {"more": tuple(made)}


def issue(desk: CrlDesk, name: str, partitions: int | None = 4) -> x509.Certificate:
    return desk.issue(name, crl_partitions=partitions, **points())


def make(desk: CrlDesk, partitions: int | None = 4, **options: Any) -> int:
    """Make the CRLs of all partitions and return how many were signed."""
    done = desk.make_all(
        FILE, partitions=partitions, distribution_point=(URL.replace("{", "%7B").replace("}", "%7D"),), **options
    )
    return sum(made.sign_calls for made in done)


def partition(certificate: x509.Certificate) -> int:
    point = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0]
    match = re.fullmatch(r"http://pki\.acme\.example/services/crl-(\d+)\.der", point.full_name[0].value)
    assert match
    return int(match[1])


def test_a_certificate_says_in_which_crl_it_is(desk: CrlDesk) -> None:
    certificates = [issue(desk, f"web{count}") for count in range(6)]
    assert [partition(one) for one in certificates] == [one.serial_number % 4 for one in certificates]
    intent = desk.ledger.read().intent_of(f"{certificates[0].serial_number:X}")
    assert intent is not None
    told = {"crl_partitions": "4", "crl_partition": str(partition(certificates[0]))}
    assert told.items() <= intent.details.items()


def test_a_second_run_issues_nothing(desk: CrlDesk) -> None:
    first = issue(desk, "web")
    assert issue(desk, "web") == first


def test_each_partition_has_a_crl_that_says_which_one_it_is(desk: CrlDesk) -> None:
    assert make(desk) == 4
    for count in range(4):
        found = desk.crl(f"crl-{count}.pem").extensions.get_extension_for_class(x509.IssuingDistributionPoint)
        assert found.critical
        assert found.value.full_name[0].value == URL.replace("{partition}", str(count))


def test_a_revocation_signs_the_crl_of_its_partition_alone(desk: CrlDesk) -> None:
    web = issue(desk, "web")
    make(desk)
    desk.revoke(web)
    assert make(desk) == 1
    assert make(desk) == 0
    listed = {count: serials(desk.crl(f"crl-{count}.pem")) for count in range(4)}
    assert listed == {count: {web.serial_number} if count == partition(web) else set() for count in range(4)}


def test_a_revocation_recorded_while_a_crl_is_composed_is_in_the_next_one(
    desk: CrlDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "read_state", lambda path, _index_from: read_state(path, 1))
    web = issue(desk, "web")
    make(desk)
    told = IndexedState.revocations.fget

    def overtaken(state: IndexedState) -> Any:
        yield from list(told(state))
        monkeypatch.setattr(IndexedState, "revocations", property(told))
        desk.revoke(web)
        desk.ledger.read()  # it brings the index up to date

    with_placeholder = {"partitions": 4, "distribution_point": (URL,)}
    planned = desk.plans(FILE, force=True, **with_placeholder)[partition(web)]
    monkeypatch.setattr(IndexedState, "revocations", property(overtaken))
    make_crl(planned, desk.signing())
    assert make(desk) == 1
    assert serials(desk.crl(f"crl-{partition(web)}.pem")) == {web.serial_number}
    assert make(desk) == 0


def test_openssl_takes_the_crl_of_the_partition(desk: CrlDesk) -> None:
    bad, good = issue(desk, "bad"), issue(desk, "good")
    desk.revoke(bad)
    make(desk)
    above = desk.desk_above().make()
    crls = [desk.crl(f"crl-{count}.pem") for count in range(4)]
    assert "certificate revoked" in desk.verdict(bad, [above, *crls])
    assert desk.verdict(good, [above, *crls]).endswith("OK\n")
    others = [crl for count, crl in enumerate(crls) if count != partition(good)]
    assert "different CRL scope" in desk.verdict(good, [above, *others])


def test_partitions_have_delta_crls_too(desk: CrlDesk) -> None:
    web = issue(desk, "web")
    make(desk, at_once=False)
    desk.revoke(web)
    assert make(desk, at_once=False) == 0
    done = desk.make_all("delta-{partition}.pem", base=FILE, partitions=4)
    assert [int(made.line.details["entries"]) for made in done] == [int(n == partition(web)) for n in range(4)]
    assert done[0].line.scope == "partition-0-delta"


@pytest.mark.parametrize(
    ("first", "then", "message"),
    [(4, 8, "with 4 partitions, .* with 8 partitions"), (None, 4, "without partitions, .* with 4")],
)
def test_the_number_is_fixed_by_the_first_certificate(
    desk: CrlDesk, first: int | None, then: int, message: str
) -> None:
    desk.issue("first", crl_partitions=first, **(points() if first else {}))
    with pytest.raises(SpecError, match=message):
        issue(desk, "second", then)
    with pytest.raises(SpecError, match=message):
        make(desk, then)


def test_number_and_urls_have_to_fit(desk: CrlDesk) -> None:
    with pytest.raises(SpecError, match="crl_partitions is given, but no URL"):
        desk.issue("web", crl_partitions=4)
    with pytest.raises(SpecError, match="crl_partitions is missing"):
        issue(desk, "web", None)
    with pytest.raises(SpecError, match="crl_partitions is 1; give two or more"):
        issue(desk, "web", 1)


@pytest.mark.parametrize(("key_spec", "partitions"), [("ECC_NIST_P256", 4), ("ECC_NIST_EDWARDS25519", None)])
def test_a_root_has_one_crl(tmp_path: Path, key_spec: str, partitions: int | None) -> None:
    desk = CrlDesk(tmp_path, key_spec=key_spec)
    with pytest.raises(SpecError, match="CN=root,O=Acme signs itself and has one CRL"):
        issue(desk, "web", partitions)
    with pytest.raises(SpecError, match="CN=root,O=Acme signs itself and has one CRL"):
        make(desk, partitions or 0)


def test_openssl_wants_a_crl_of_the_root_too_and_none_that_names_itself(tmp_path: Path) -> None:
    desk = CrlDesk(tmp_path)
    web = desk.issue("web", **points("http://pki.acme.example/root/crl.der"))
    assert desk.verdict(web, [desk.make()]).endswith("OK\n")
    named = desk.make(distribution_point=("http://pki.acme.example/root/crl.der",))
    assert "error 44 at 1 depth lookup: different CRL scope" in desk.verdict(web, [named])


def test_pkilint_finds_nothing(desk: CrlDesk) -> None:
    desk.revoke(issue(desk, "web"))
    make(desk)
    for count in range(4):
        found = lint(crl_to_der(desk.crl(f"crl-{count}.pem")), "crl")
        assert [finding for finding in found if finding.severity in ("fatal", "error", "warning")] == []


def test_an_ed25519_authority_opens_partitions_as_needed(tmp_path: Path) -> None:
    desk = CrlDesk(tmp_path, "services", key_spec="ECC_NIST_EDWARDS25519", above="root")
    desk.shop.serial = 1 << 158
    assert make(desk, 0) == 1
    issued = [issue(desk, f"device{count}", None) for count in range(PARTITION_SIZE + 1)]
    assert [partition(one) for one in issued] == [0] * PARTITION_SIZE + [1]
    for one in issued:
        desk.revoke(one)
    assert make(desk, 0) == 2
    assert len(desk.crl("crl-0.pem")) == PARTITION_SIZE
    assert serials(desk.crl("crl-1.pem")) == {issued[-1].serial_number}
    with pytest.raises(SpecError, match="an Ed25519 authority opens partitions as needed"):
        issue(desk, "more", 4)


def test_a_crl_of_an_ed25519_authority_has_invalidity_dates_as_long_as_it_can_be_signed(tmp_path: Path) -> None:
    desk = CrlDesk(tmp_path, "services", key_spec="ECC_NIST_EDWARDS25519", above="root")
    desk.shop.serial = 1 << 158
    issued = [issue(desk, f"device{count}", None) for count in range(PARTITION_SIZE)]
    since = desk.shop.clock()
    with_dates = []
    for half in (issued[:32], issued[32:]):
        for one in half:
            desk.revoke(one, invalidity_date=since)
        assert make(desk, 0) == 1
        crl = desk.crl("crl-0.pem")
        with_dates.append((len(crl), sum(entry.invalidity_date is not None for entry in crl_entries(crl))))
    assert with_dates == [(32, 32), (64, 0)]
    assert make(desk, 0) == 0


def test_an_ed25519_authority_that_issued_without_urls_keeps_its_one_crl(tmp_path: Path) -> None:
    desk = CrlDesk(tmp_path, "services", key_spec="ECC_NIST_EDWARDS25519", above="root")
    desk.issue("web")
    with pytest.raises(SpecError, match=r"without partitions, .* opened as needed; .* \(crl\.partitions: 1 in"):
        issue(desk, "web", None)
    web = desk.issue("web", **points("http://pki.acme.example/services/crl.der"))
    desk.revoke(web)
    crls = [desk.desk_above().make(), desk.make()]
    assert "certificate revoked" in desk.verdict(web, crls)


def test_a_partition_that_others_filled_meanwhile_is_left_for_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = CrlDesk(tmp_path, "services", key_spec="ECC_NIST_EDWARDS25519", above="root")
    desk.shop.serial = 1 << 158
    monkeypatch.setattr(crl_shards, "PARTITION_SIZE", 1)
    monkeypatch.setattr(crl_shards, "PARTITION_RESERVE", 0)
    real = issuing.place

    def overtaken(*arguments: Any) -> Any:
        placed = real(*arguments)
        monkeypatch.setattr(issuing, "place", real)
        assert partition(issue(desk, "early", None)) == 0
        return placed

    monkeypatch.setattr(issuing, "place", overtaken)
    assert partition(issue(desk, "late", None)) == 1
    assert desk.ledger.read().open_intents == ()


def test_an_overfull_partition_loses_its_reasons_and_then_keeps_no_other_from_being_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = CrlDesk(tmp_path, "services", key_spec="ECC_NIST_EDWARDS25519", above="root")
    desk.shop.serial = 1 << 158
    monkeypatch.setattr(crl_shards, "PARTITION_SIZE", 1)
    assert [partition(issue(desk, name, None)) for name in ("first", "second")] == [0, 1]
    made_elsewhere = [f"{(3 << 157) + count:X}" for count in range(100)]
    for count, serial in enumerate(made_elsewhere[:90]):
        desk.revoke(serial, "superseded" if count % 45 else "certificate_hold")
    assert make(desk, 0) == 2
    reasons = Counter(entry.reason for entry in crl_entries(desk.crl("crl-0.pem")))
    assert reasons == {"unspecified": 88, "certificate_hold": 2}
    assert make(desk, 0) == 0
    for serial in made_elsewhere[90:]:
        desk.revoke(serial)
    second = desk.ledger.read().by_name("second")[0].serial
    desk.revoke(second)
    refused, fine = desk.plans(FILE, partitions=0, distribution_point=(URL,))
    assert re.search(r"crl-0\.pem: a CRL of 100 entries is .* 4096 bytes.* from a new authority", refused.refusal)
    assert not fine.refusal
    assert make(desk, 0) == 1
    assert serials(desk.crl("crl-1.pem")) == {int(second, 16)}


def test_an_ed25519_authority_without_partitions_issues_no_more_than_fit(tmp_path: Path) -> None:
    desk = CrlDesk(tmp_path, key_spec="ECC_NIST_EDWARDS25519")
    issued = [desk.issue(f"device{count}", not_after="+9d") for count in range(PARTITION_SIZE)]
    with pytest.raises(SpecError, match=r"cannot sign the CRL that revokes more; .* from an authority below"):
        desk.issue("one-more")
    for one in issued:
        desk.revoke(one, "superseded")
    assert len(desk.make()) == PARTITION_SIZE
    desk.shop.clock.forward(days=10)
    assert desk.issue("later")
