# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many files in one go: each is signed once, a failure keeps what was made, problems come in one message."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._operations.making_signatures import (
    AT_ONCE,
    make_signatures,
)
from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_file import SigningWork
from ansible_collections.rootstock.pki.plugins.module_utils._operations.sign_files import (
    combined_plan,
    known_results,
    plan_signatures,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import AwsError, KeyStateError, SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.algorithms import ALGORITHMS
from ansible_collections.rootstock.pki.plugins.module_utils._signer.ports import SignReply
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content, SignatureSpec
from ansible_collections.rootstock.pki.plugins.module_utils._signer.verify import prepare, verify_signature
from tests.unit.operations.signing_desk import Desk
from tests.unit.signer.local_kms import KEY_ARN, SIGNING_SPECS, LocalSigner, denied
from tests.unit.signer.test_signer_structures import to_be_signed


def specs(desk: Desk, count: int) -> list[SignatureSpec]:
    made = []
    for number in range(count):
        path = desk.folder / f"{number:03}"
        path.write_bytes(b"file %d" % number)
        made.append(SignatureSpec(Content(str(path)), f"{path}.sig"))
    return made


def read(dest: str) -> bytes | None:
    return Path(dest).read_bytes() if dest and Path(dest).exists() else None


def plan(desk: Desk, wanted: list[SignatureSpec]) -> list[SigningWork]:
    return plan_signatures(wanted, desk.key(), (), read, desk.planning)


def test_each_file_gets_its_signature_and_a_second_run_makes_none(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    wanted = specs(desk, 30)
    made = make_signatures(plan(desk, wanted), desk.signing)
    for spec, one in zip(wanted, made, strict=True):
        assert Path(spec.dest).read_bytes() == one.signature
        content = Path(spec.content.name).read_bytes()
        verify_signature(desk.private.public_key(), one.signature, content, ALGORITHMS["ECDSA_SHA_256"])
    again = plan(desk, wanted)
    assert not combined_plan(again).changed
    assert [told["dest"] for told in known_results(again, many=True)["signatures"]] == [spec.dest for spec in wanted]
    assert all(told["verified"] for told in known_results(again, many=True)["signatures"])


def test_only_what_changed_is_signed_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    wanted = specs(desk, 6)
    make_signatures(plan(desk, wanted), desk.signing)
    (tmp_path / "003").write_bytes(b"changed")
    (tmp_path / "005.sig").unlink()
    works = plan(desk, wanted)
    assert sum(one.sign_calls for one in make_signatures(works, desk.signing)) == 2
    assert (
        combined_plan(works).reason == f"{tmp_path}/003.sig is no ECDSA_SHA_256 signature of this content by this key"
    )


def test_the_diff_names_each_signature(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    diff: Any = combined_plan(plan(desk, specs(desk, 3))).diff
    assert sorted(diff["after"]) == [f"{tmp_path}/{number:03}.sig" for number in range(3)]


def test_kms_is_asked_for_several_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    together = threading.Barrier(AT_ONCE, timeout=20)

    class Waiting(LocalSigner):
        def sign(self, message: bytes, message_type: str, signing_algorithm: str) -> SignReply:
            together.wait()
            return super().sign(message, message_type, signing_algorithm)

    desk.signer = Waiting(desk.private)
    assert len(make_signatures(plan(desk, specs(desk, AT_ONCE)), desk.signing)) == AT_ONCE


def test_a_failure_keeps_what_was_made_and_asks_for_no_more(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    wanted = specs(desk, 60)
    allowed = 10

    class Exhausted(LocalSigner):
        def sign(self, message: bytes, message_type: str, signing_algorithm: str) -> SignReply:
            if len(self.asked) >= allowed:
                raise denied()
            return super().sign(message, message_type, signing_algorithm)

    desk.signer = Exhausted(desk.private)
    with pytest.raises(AwsError, match=r"not allowed \(\d+ of 60 signatures were made; run again for the others\)"):
        make_signatures(plan(desk, wanted), desk.signing)
    kept = [spec for spec in wanted if Path(spec.dest).exists()]
    assert len(kept) == len(desk.signer.asked)
    assert len(kept) < allowed + AT_ONCE


def test_every_signature_has_its_lines_in_the_ledger(tmp_path: Path) -> None:
    desk = Desk(tmp_path, recorded=True)
    make_signatures(plan(desk, specs(desk, 12)), desk.signing)
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    intents = {line["id"]: line for line in lines if line["kind"] == "intent"}
    signed = {line["intent"] for line in lines if line["kind"] == "signed"}
    assert len(lines) == 24
    assert signed == set(intents)
    sums = {hashlib.sha256(b"file %d" % number).hexdigest() for number in range(12)}
    assert {line["content_sha256"] for line in intents.values()} == sums


def test_all_contents_that_cannot_be_signed_are_named_in_one_message(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    wanted = specs(desk, 4)
    (tmp_path / "000").write_bytes(b"")
    (tmp_path / "001").unlink()
    (tmp_path / "001").mkdir()
    (tmp_path / "002").write_bytes(to_be_signed()["TBSCertificate"])
    with pytest.raises(SpecError) as refused:
        plan(desk, wanted)
    for problem in ("000: is empty", "001: cannot be read (Is a directory)", "002: is a TBSCertificate"):
        assert problem in str(refused.value)


def test_files_that_are_not_there_are_pending(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    wanted = specs(desk, 2)
    (tmp_path / "001").unlink()
    assert combined_plan(plan(desk, wanted)).pending == (f"{tmp_path}/001 does not exist yet",)


def test_tags_are_read_once_for_all_files(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    plan(desk, specs(desk, 5))
    assert desk.keys.asked.count(("use_of", KEY_ARN)) == 1


def digest_spec(algorithm: str, digest: bytes, **changed: Any) -> SignatureSpec:
    return SignatureSpec(Content("digest_value", digest=digest, digest_algorithm=algorithm), **{"dest": "", **changed})


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_digest_is_signed_with_the_algorithm_of_the_key_that_fits(algorithm: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, "RSA_2048")
    desk.keys.uses[KEY_ARN] = "sign"
    digest = hashlib.new(algorithm, b"seen by nobody").digest()
    (work,) = plan(desk, [digest_spec(algorithm, digest)])
    (made,) = make_signatures([work], desk.signing)
    row = ALGORITHMS[f"RSASSA_PKCS1_V1_5_SHA_{algorithm[-3:]}"]
    verify_signature(desk.private.public_key(), made.signature, b"seen by nobody", row)


def test_a_digest_is_signed_with_pss_when_asked(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "RSA_2048")
    digest = hashlib.sha384(b"seen by nobody").digest()
    (work,) = plan(desk, [digest_spec("sha384", digest, signing_algorithm="RSASSA_PSS_SHA_384")])
    (made,) = make_signatures([work], desk.signing)
    verify_signature(desk.private.public_key(), made.signature, b"seen by nobody", ALGORITHMS["RSASSA_PSS_SHA_384"])


@pytest.mark.parametrize("key_spec", [spec for spec in SIGNING_SPECS if spec == "ML_DSA_65"])
def test_a_mu_is_signed(key_spec: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, key_spec)
    public_key, row = desk.private.public_key(), ALGORITHMS["ML_DSA_SHAKE_256"]
    mu = prepare(b"seen by nobody", row, public_key=public_key)
    (made,) = make_signatures(plan(desk, [digest_spec("mu", mu)]), desk.signing)
    verify_signature(public_key, made.signature, b"seen by nobody", row)


@pytest.mark.parametrize(
    ("key_spec", "algorithm", "sentence"),
    [
        ("ECC_NIST_P256", "sha512", "digest_algorithm sha512: does not fit ECDSA_SHA_256; it signs sha256"),
        ("ECC_NIST_EDWARDS25519", "sha512", "does not fit ED25519_SHA_512; it signs no digest; give the content"),
        ("RSA_2048", "mu", "digest_algorithm mu: does not fit RSASSA_PKCS1_V1_5_SHA_512; it signs sha512"),
    ],
)
def test_a_digest_that_does_not_fit_is_refused(key_spec: str, algorithm: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=sentence):
        plan(Desk(tmp_path, key_spec), [digest_spec(algorithm, bytes(64))])


@pytest.mark.parametrize(("use", "sentence"), [("ca", "tagged rootstock:use=ca"), (None, "its tags may not be read")])
def test_no_key_that_may_be_an_authority_s_signs_a_digest(use: str | None, sentence: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.keys.uses[KEY_ARN] = use
    with pytest.raises(KeyStateError, match=sentence):
        plan(desk, [digest_spec("sha256", bytes(32))])


def test_the_record_of_a_digest_says_that_it_is_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path, recorded=True)
    make_signatures(plan(desk, [digest_spec("sha256", bytes(32))]), desk.signing)
    intent = json.loads((tmp_path / "ledger.jsonl").read_text().splitlines()[0])
    assert intent["content_sha256"] == "00" * 32
    assert intent["details"]["digest"] == "sha256:" + "00" * 32


@pytest.mark.parametrize("signature_format", ["raw", "base64", "p1363"])
def test_every_format_is_recognised_when_it_is_there(signature_format: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.sign(format=signature_format)
    assert not desk.plan(format=signature_format).plan.changed
    other = "raw" if signature_format != "raw" else "p1363"
    assert desk.plan(format=other).plan.changed
