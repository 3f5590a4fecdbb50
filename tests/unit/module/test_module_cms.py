# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of kms_cms_sign, and of kms_verify for CMS: what they become, and what contradicts itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.rootstock.pki.plugins.module_utils._module.cms import (
    CMS_OPTIONS,
    signer_params,
    to_cms_spec,
)
from ansible_collections.rootstock.pki.plugins.module_utils._module.streams import write_pieces
from ansible_collections.rootstock.pki.plugins.module_utils._module.verifying import (
    VERIFY_OPTIONS,
    check_cms_options,
    to_trust,
)
from ansible_collections.rootstock.pki.plugins.module_utils._pki.errors import SpecError
from ansible_collections.rootstock.pki.plugins.module_utils._signer.specs import Content
from tests.unit.cms.cms_desk import CmsDesk
from tests.unit.cms.cms_judges import openssl_verifies
from tests.unit.cms.cms_people import certificate, cms_signer, middle, new_with_old, old_root, put_pem, root

SIGNER, OTHER = certificate("ECC_NIST_P256"), certificate("RSA_2048")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "contract").write_bytes(b"agreed")
    put_pem(tmp_path / "signer.pem", SIGNER)
    put_pem(tmp_path / "full.pem", SIGNER, middle())
    put_pem(tmp_path / "other.pem", OTHER)
    put_pem(tmp_path / "middle.pem", middle())
    put_pem(tmp_path / "root.pem", root())
    return tmp_path


def params(folder: Path, **given: Any) -> dict[str, Any]:
    usual = {
        "src": str(folder / "contract"),
        "dest": str(folder / "contract.p7s"),
        "key_id": "alias/signer",
        "certificate_path": str(folder / "signer.pem"),
    }
    chosen = {name: value for name, value in {**usual, **given}.items() if value is not None}
    return {name: chosen.get(name, option.get("default")) for name, option in CMS_OPTIONS.items()}


def two(folder: Path, second: str = "other.pem") -> dict[str, Any]:
    given = [("alias/signer", "signer.pem"), ("alias/other", second)]
    signers = [
        {"key_id": key, "certificate_path": str(folder / name), "signing_algorithm": None, "assume_role": None}
        for key, name in given
    ]
    return {"key_id": None, "certificate_path": None, "signers": signers}


def test_one_signer_becomes_a_message(folder: Path) -> None:
    missing: list[str] = []
    spec = to_cms_spec(params(folder), missing)
    assert (spec.content, spec.dest) == (Content(str(folder / "contract")), str(folder / "contract.p7s"))
    assert (spec.form, spec.attached, spec.signing_time, spec.anchors) == ("der", False, True, ())
    assert [(one.key_id, one.signing_algorithm) for one in spec.signers] == [("alias/signer", "ECDSA_SHA_256")]
    assert missing == []


def test_several_signers_each_have_their_key_and_default(folder: Path) -> None:
    spec = to_cms_spec(params(folder, **two(folder)), [])
    assert [one.signing_algorithm for one in spec.signers] == ["ECDSA_SHA_256", "RSASSA_PKCS1_V1_5_SHA_512"]
    assert spec.hash_names == ("sha256", "sha512")


@pytest.mark.parametrize(
    ("certificates", "carried"), [("none", ()), ("signer", (SIGNER,)), ("chain", (SIGNER, middle()))]
)
@pytest.mark.parametrize("told_by", ["full.pem", "intermediate_certificates"])
def test_the_message_carries_what_is_asked_for_and_never_a_root(
    folder: Path, certificates: str, carried: tuple[Any, ...], told_by: str
) -> None:
    given: dict[str, Any] = {"certificate_path": str(folder / "full.pem")}
    if told_by != "full.pem":
        given = {told_by: [str(folder / "middle.pem")], "root_certificates": [str(folder / "root.pem")]}
    assert to_cms_spec(params(folder, certificates=certificates, **given), []).certificates == carried


@pytest.mark.parametrize("anchors", [["old.pem"], ["old.pem", "root.pem"]])
def test_after_a_rollover_the_message_carries_what_those_who_trust_the_old_root_need(
    folder: Path, tmp_path: Path, anchors: list[str]
) -> None:
    put_pem(tmp_path / "old.pem", old_root())
    put_pem(tmp_path / "links.pem", middle(), new_with_old())
    given = {
        "intermediate_certificates": [str(tmp_path / "links.pem")],
        "root_certificates": [str(tmp_path / name) for name in anchors],
    }
    spec = to_cms_spec(params(folder, **given), [])
    assert set(spec.certificates) == {SIGNER, middle(), new_with_old()}
    desk = CmsDesk(tmp_path, (replace(cms_signer("ECC_NIST_P256"), certificate=SIGNER),))
    desk.sign(certificates=spec.certificates)
    for anchor in (old_root(), root()):
        assert openssl_verifies(desk.dest, "der", desk.content, anchor=anchor)[0]
        assert desk.verify(anchors=(anchor,)).reason == ""


def test_a_text_is_a_content(folder: Path) -> None:
    spec = to_cms_spec(params(folder, src=None, content="ä"), [])
    assert spec.content == Content("content", "ä".encode())


def test_files_that_are_not_there_yet_are_noted(folder: Path) -> None:
    missing: list[str] = []
    gone = str(folder / "gone")
    spec = to_cms_spec(params(folder, src=gone, certificate_path=gone, root_certificates=[gone]), missing)
    assert spec.signers == ()
    assert sorted(missing) == sorted(
        [f"src {gone} does not exist yet"]
        + [f"{option} {gone} does not exist yet" for option in ("certificate_path", "root_certificates")]
    )


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    (folder / "broken.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    given = {"dest": str(folder), "intermediate_certificates": [str(folder / "broken.pem")]}
    with pytest.raises(SpecError) as refused:
        to_cms_spec(params(folder, signing_algorithm="ECDSA_SHA_384", **given), [])
    wanted = [
        "signing_algorithm ECDSA_SHA_384 does not fit a key of spec ECC_NIST_P256; use one of ECDSA_SHA_256",
        "dest .*: is a folder; name a file in it",
        "broken.pem: not a readable certificate",
    ]
    assert [part for part in wanted if not re.search(part, str(refused.value))] == []


def test_one_certificate_signs_once(folder: Path) -> None:
    with pytest.raises(SpecError, match="signers: two of them have the same certificate"):
        to_cms_spec(params(folder, **two(folder, "full.pem")), [])


def test_signers_are_told_in_one_way(folder: Path) -> None:
    with pytest.raises(SpecError, match="signers: is empty"):
        signer_params(params(folder, key_id=None, certificate_path=None, signers=[]))
    with pytest.raises(SpecError, match="certificate_path: belongs into signers"):
        signer_params(params(folder, **{**two(folder), "certificate_path": "x"}))


def verify_params(**given: Any) -> dict[str, Any]:
    return {name: given.get(name, option.get("default")) for name, option in VERIFY_OPTIONS.items()}


def test_a_message_is_not_trusted_because_it_says_so() -> None:
    with pytest.raises(SpecError, match="root_certificates: are needed for format cms, or certificate_path"):
        check_cms_options(verify_params(format="cms", signature_path="m"))
    check_cms_options(verify_params(format="cms", signature_path="m", root_certificates=["root.pem"]))
    check_cms_options(verify_params(format="cms", signature_path="m", certificate_path="signer.pem"))


def test_what_has_no_meaning_for_a_message_is_refused() -> None:
    given = {"signature": "AA==", "key_id": "alias/x", "digest_algorithm": "sha256", "manifest": True}
    with pytest.raises(SpecError) as refused:
        check_cms_options(verify_params(format="cms", root_certificates=["root.pem"], **given))
    names = [f"{name}:" for name in (*given, "signature_path")]
    assert [name for name in names if name not in str(refused.value)] == []


def test_a_certificate_of_the_task_is_trusted_where_no_root_is_given(folder: Path) -> None:
    path, trusted = str(folder / "full.pem"), str(folder / "root.pem")
    assert to_trust(verify_params(certificate_path=path), []) == (SIGNER, [SIGNER, middle()], [SIGNER])
    given = verify_params(certificate_path=path, root_certificates=[trusted])
    assert to_trust(given, []) == (SIGNER, [SIGNER, middle()], [root()])


def test_anybody_who_is_trusted_may_have_signed_where_no_certificate_is_given(folder: Path) -> None:
    given = verify_params(root_certificates=[str(folder / "root.pem")])
    assert to_trust(given, []) == (None, [], [root()])


class Mover:
    """What write_pieces() asks of a module."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.params = {"unsafe_writes": False}

    def add_cleanup_file(self, path: str) -> None:
        self.kept.append(path)

    def atomic_move(self, source: str, target: str, unsafe_writes: bool, keep_dest_attrs: bool) -> None:
        assert (unsafe_writes, keep_dest_attrs) == (False, True)
        Path(source).rename(target)


def test_pieces_become_a_file_or_nothing_does(tmp_path: Path) -> None:
    dest = tmp_path / "new" / "file"
    write_pieces(Mover(), str(dest), [b"a", memoryview(b"b")])
    assert dest.read_bytes() == b"ab"

    def broken() -> Any:
        yield b"c"
        raise SpecError("changed")

    mover = Mover()
    with pytest.raises(SpecError, match="changed"):
        write_pieces(mover, str(dest), broken())
    assert dest.read_bytes() == b"ab"
    assert [str(path) for path in dest.parent.iterdir() if path != dest] == mover.kept


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpecError, match="cannot be written"):
        write_pieces(Mover(), str(tmp_path / "file" / "below"), [b""])
