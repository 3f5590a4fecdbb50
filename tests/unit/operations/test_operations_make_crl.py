# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Full CRLs: what they list, when they are made again, and what is refused."""

from __future__ import annotations

import copy
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.rootstock.pki.plugins.module_utils._ledger.state import Revocation
from ansible_collections.rootstock.pki.plugins.module_utils._lint.lint import lint
from ansible_collections.rootstock.pki.plugins.module_utils._operations import make_crl as flow
from ansible_collections.rootstock.pki.plugins.module_utils._operations.crl_plan import file_crl_ports, plan_crls
from ansible_collections.rootstock.pki.plugins.module_utils._operations.ledger_facts import (
    assumed_revocations,
    planned_facts,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.certificates import serial_hex
from ansible_collections.rootstock.pki.plugins.module_utils._pki.crl import CrlSpec, crl_builder, crl_to_der
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import (
    AwsError,
    LedgerError,
    SignerError,
    SpecError,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.task import Source
from tests.unit.operations.crl_desk import CrlDesk, number, serials
from tests.unit.signer.local_kms import SIGNING_SPECS, denied, local_key, throttled


@pytest.fixture
def desk(tmp_path: Path) -> CrlDesk:
    return CrlDesk(tmp_path)


def test_the_first_crl_is_empty(desk: CrlDesk) -> None:
    crl = desk.make()
    assert len(crl) == 0
    assert number(crl) == int(desk.shop.clock().timestamp() * 1000)
    assert crl.next_update_utc == desk.shop.clock() + timedelta(days=7)


def test_openssl_refuses_the_revoked_and_accepts_the_good(desk: CrlDesk) -> None:
    bad, good = desk.issue("bad"), desk.issue("good")
    desk.revoke(bad)
    crl = desk.make()
    assert "certificate revoked" in desk.verdict(bad, [crl])
    assert desk.verdict(good, [crl]).endswith("leaf.pem: OK\n")


@pytest.mark.parametrize("key_spec", SIGNING_SPECS)
def test_every_kind_of_key_signs_crls(tmp_path: Path, key_spec: str) -> None:
    desk = CrlDesk(tmp_path, key_spec=key_spec)
    desk.revoke("0A17")
    crl = desk.make()
    issuer = x509.load_pem_x509_certificate(desk.path("ca.pem").read_bytes())
    assert crl.is_signature_valid(issuer.public_key())
    assert serials(crl) == {0x0A17}


def test_a_second_run_signs_nothing(desk: CrlDesk) -> None:
    desk.make()
    calls = desk.sign_calls
    assert not desk.plan().remake
    desk.make()
    assert desk.sign_calls == calls


def test_a_new_revocation_makes_a_new_crl_and_the_diff_names_it(desk: CrlDesk) -> None:
    web = desk.issue("web")
    first = desk.make()
    desk.revoke(web)
    planned = desk.plan()
    assert planned.plan.reason == "revocations changed"
    assert f"{serial_hex(web.serial_number)} key_compromise 20260101120000Z" in str(planned.plan.diff["after"])
    second = desk.make()
    assert serials(second) == {web.serial_number}
    assert number(second) > number(first)


def test_a_crl_can_be_planned_for_revocations_that_are_only_planned(desk: CrlDesk) -> None:
    bad, held = desk.issue("bad"), desk.issue("held")
    hold = desk.revoke(held, "certificate_hold")
    desk.make()
    now = desk.shop.clock()
    assumed = planned_facts(
        {
            serial_hex(bad.serial_number): Revocation("", "key_compromise", now, None, bad.not_valid_after_utc),
            hold.serial: None,
        }
    )
    task = desk.task()
    planned = plan_crls(task, file_crl_ports(task, desk.shop.clock, assumed_revocations(assumed)))[0].plan
    desk.revoke(bad)
    desk.release(hold)
    assert planned == desk.plan().plan
    assert planned.reason == "revocations changed"


def test_revocations_may_wait_for_the_next_regular_crl(desk: CrlDesk) -> None:
    desk.make(at_once=False)
    desk.revoke("0A17")
    assert not desk.plan(at_once=False).remake
    desk.shop.clock.forward(days=6)
    assert serials(desk.make(at_once=False)) == {0x0A17}


def test_reasons_and_invalidity_dates_are_told(desk: CrlDesk) -> None:
    since = desk.shop.clock() - timedelta(days=3)
    desk.revoke("0A17", "ca_compromise", invalidity_date=since)
    desk.revoke("0A18", "unspecified")
    told, silent = desk.make()
    assert told.extensions.get_extension_for_class(x509.CRLReason).value.reason == x509.ReasonFlags.ca_compromise
    assert told.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc == since
    assert len(silent.extensions) == 0


def test_a_released_hold_leaves_the_crl(desk: CrlDesk) -> None:
    hold = desk.revoke(desk.issue("badge"), "certificate_hold")
    assert len(desk.make()) == 1
    desk.release(hold)
    assert len(desk.make()) == 0


def test_an_expired_certificate_leaves_after_one_more_crl(desk: CrlDesk) -> None:
    desk.revoke(desk.issue("short", not_after="+2d"))
    assert len(desk.make()) == 1
    desk.shop.clock.forward(days=6)
    assert len(desk.make()) == 1, "the first CRL after its end still lists it"
    desk.shop.clock.forward(days=6)
    assert len(desk.make()) == 0
    desk.shop.clock.forward(days=6)
    assert len(desk.make()) == 0, "and it stays away"


def test_it_is_made_again_when_next_update_comes_near(desk: CrlDesk) -> None:
    first = desk.make()
    desk.shop.clock.forward(days=4)
    assert not desk.plan().remake
    desk.shop.clock.forward(days=1)
    assert desk.plan().plan.reason == "renewal: good until 20260108120000Z, renewed from 20260106043336Z on"
    assert number(desk.make()) > number(first)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"next_update": "+9d"}, "changed: next_update"),
        ({"freshest_crl": ("http://pki.acme.example/delta.der",)}, "changed: freshest_crl"),
        ({"force": True}, "force"),
    ],
)
def test_another_wish_makes_a_new_crl(desk: CrlDesk, changed: dict[str, object], reason: str) -> None:
    desk.make()
    assert desk.plan(**changed).plan.reason == reason


def test_a_lost_file_is_made_again(desk: CrlDesk) -> None:
    first = desk.make()
    desk.path().write_text("<<<<<<< ours\n")
    assert number(desk.make()) > number(first)


def test_an_older_crl_of_the_ledger_is_replaced(desk: CrlDesk) -> None:
    desk.make()
    older = desk.path().read_bytes()
    desk.revoke("0A17")
    desk.make()
    desk.path().write_bytes(older)
    assert desk.plan().plan.reason == "the file is an older one"
    assert len(desk.make()) == 1


def test_a_crl_that_the_ledger_does_not_know_is_not_replaced(desk: CrlDesk) -> None:
    ledger = desk.path("ledger.jsonl")
    before = ledger.read_bytes()
    desk.revoke("0A17")
    known = number(desk.make())
    ledger.write_bytes(before)
    shutil.rmtree(ledger.parent / ".ledger.jsonl.index", ignore_errors=True)
    with pytest.raises(LedgerError, match=f"holds the CRL number {known} .* an older ledger would take revocations"):
        desk.plan()
    assert number(desk.make(force=True)) > known


def test_a_crl_made_elsewhere_is_replaced_by_one_with_a_higher_number(desk: CrlDesk) -> None:
    made_elsewhere = a_crl(desk, desk.shop.keys["root"], known := 20260101120000)
    desk.path().write_bytes(made_elsewhere)
    assert number(desk.make(force=True)) > known


def test_the_number_of_a_crl_that_another_key_signed_says_nothing(desk: CrlDesk) -> None:
    desk.path().write_bytes(a_crl(desk, local_key("ECC_NIST_P256", 93), 20260101120000))
    assert number(desk.make(force=True)) < 20260101120000


def a_crl(desk: CrlDesk, key: Any, crl_number: int) -> bytes:
    """Return a CRL in the name of the authority that the ledger does not know."""
    issuer = x509.load_pem_x509_certificate(desk.path("ca.pem").read_bytes())
    spec = CrlSpec(issuer, crl_number, desk.shop.clock(), desk.shop.clock() + timedelta(days=7))
    return crl_builder(spec, []).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_numbers_rise_when_the_clock_does_not(desk: CrlDesk) -> None:
    numbers = [number(desk.make(force=True)) for _unused in range(3)]
    assert numbers == sorted(set(numbers))
    assert numbers[1] == numbers[0] + 1


def test_numbers_rise_when_a_clock_goes_back(desk: CrlDesk) -> None:
    first = number(desk.make())
    desk.shop.clock.forward(minutes=-3)
    assert number(desk.make(force=True)) == first + 1


def test_two_branches_that_revoked_come_together(tmp_path: Path) -> None:
    desk = CrlDesk(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    other = copy.copy(desk)
    other.folder = tmp_path / "b"
    desk.revoke("0A17")
    ours = desk.make()
    other.revoke("0B17")
    other.millisecond = 1
    theirs = other.make()
    assert number(theirs) == number(ours) + 1
    merged = dict.fromkeys(desk.path("ledger.jsonl").read_text().splitlines())
    merged |= dict.fromkeys(other.path("ledger.jsonl").read_text().splitlines())
    desk.path("ledger.jsonl").write_text("".join(f"{line}\n" for line in merged))
    desk.shop.clock.forward(minutes=1)
    both = desk.make()
    assert serials(both) == {0x0A17, 0x0B17}
    assert number(both) > number(theirs) > number(ours)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"next_update": "-1h"}, "is not later than"),
        ({"renew_before": "9d"}, "renew_before '?9d'? is not shorter"),
        ({"digest": "sha512"}, "digest sha512 does not fit"),
        ({"distribution_point": ("http://",)}, "URI"),
    ],
)
def test_what_makes_no_sense_is_refused(desk: CrlDesk, options: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        desk.plan(**options)


def test_an_authority_without_crl_sign_is_refused(tmp_path: Path) -> None:
    desk = CrlDesk(tmp_path)
    desk.shop.authority("mute", "root", key_usage=("key_cert_sign",))
    desk.name = "mute"
    with pytest.raises(SpecError, match="key usage lacks crl_sign"):
        desk.plan()


def test_an_end_entity_is_refused(desk: CrlDesk) -> None:
    leaf = desk.issue("leaf")
    desk.path("ca.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
    desk.path("ledger.jsonl").unlink()
    with pytest.raises(SpecError, match="is no CA"):
        desk.plan()


def test_an_expired_authority_is_refused(desk: CrlDesk) -> None:
    desk.shop.clock.forward(days=11000)
    with pytest.raises(SpecError, match="expired"):
        desk.plan()


def test_the_ledger_of_another_authority_is_refused(desk: CrlDesk) -> None:
    desk.shop.root("other")
    shutil.copy(desk.folder / "other" / "ca.pem", desk.path("ca.pem"))
    with pytest.raises(LedgerError, match="ledger of another authority"):
        desk.plan()


def test_a_missing_issuer_is_pending(desk: CrlDesk) -> None:
    task = replace(desk.task(), issuer=Source("ca.pem", None), ledger_path=str(desk.folder / "none" / "ledger.jsonl"))
    planned = plan_crls(task, file_crl_ports(task, desk.shop.clock))[0]
    assert planned.plan.pending == ("the issuer's certificate ca.pem does not exist yet; issue it first",)
    assert planned.remake


def test_a_refusal_by_aws_closes_the_intent(desk: CrlDesk) -> None:
    desk.shop.signers["root"].failures.append(denied())
    with pytest.raises(AwsError):
        desk.make()
    assert desk.ledger.read().open_intents == ()
    assert not desk.path().exists()


def test_every_attempt_is_on_record(desk: CrlDesk) -> None:
    desk.shop.signers["root"].failures.append(throttled())
    made = desk.make_all()[0]
    assert made.sign_calls == 2
    kinds = [line.split('"kind":"')[1].split('"')[0] for line in desk.shop.ledger_lines("root")]
    assert kinds[-3:] == ["intent", "attempt", "crl"]


def test_a_signature_of_another_key_is_not_stored(desk: CrlDesk) -> None:
    desk.shop.key("wrong")
    desk.shop.signers["root"] = desk.shop.signers["wrong"]
    with pytest.raises(SignerError):
        desk.make()
    assert not desk.path().exists()
    assert (desk.ledger.read().crls, desk.ledger.read().open_intents) == ((), ())


def test_an_older_ledger_put_in_place_since_the_plan_takes_no_revocation_back(desk: CrlDesk) -> None:
    older = desk.path("ledger.jsonl").read_bytes()
    desk.revoke("0A17")
    desk.make()
    kept = desk.path().read_bytes()
    desk.revoke("0A18")
    task = desk.task()
    ports = file_crl_ports(task, desk.shop.clock)
    planned = plan_crls(task, ports)[0]
    desk.path("ledger.jsonl").write_bytes(older)
    with pytest.raises(LedgerError, match="an older ledger would take revocations back"):
        flow.carry_out_crl(planned, ports, desk.signing())
    assert desk.path().read_bytes() == kept


def test_a_run_that_comes_second_takes_the_first_ones_crl(desk: CrlDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.revoke("0A17")
    task = desk.task()
    ports = file_crl_ports(task, desk.shop.clock)
    late = plan_crls(task, ports)[0]
    real = flow._compose

    def overtaken(*arguments: object) -> object:
        composed = real(*arguments)
        monkeypatch.setattr(flow, "_compose", real)
        desk.make()
        return composed

    monkeypatch.setattr(flow, "_compose", overtaken)
    made = flow.carry_out_crl(late, ports, desk.signing())
    assert made.by_another
    assert len(desk.ledger.read().crls) == 1


def test_pkilint_finds_nothing(desk: CrlDesk) -> None:
    since = desk.shop.clock() - timedelta(days=3)
    desk.revoke("0A17", invalidity_date=since)
    desk.revoke("0A18", "unspecified")
    found = lint(crl_to_der(desk.make()), "crl")
    assert [finding for finding in found if finding.severity in ("fatal", "error", "warning")] == []
