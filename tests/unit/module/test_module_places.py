# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module writes is none of the other files of its task, whatever they are called, and is a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.rootstock.pki.plugins.module_utils._module.crls import CRL_OPTIONS, crl_places, to_crl_task
from ansible_collections.rootstock.pki.plugins.module_utils._module.places import Place, Use, place_problems
from tests.unit.module.authorities import below, make_root, root_options
from tests.unit.module.controller import MODULES, Controller, module_named

Options = Mapping[str, Any]

CERTIFICATE = ["path", "der_path", "chain_path", "fullchain_path"]
WRITTEN = {
    "kms_cms_sign": ["dest"],
    "kms_decrypt": ["dest"],
    "kms_public_key": ["path"],
    "kms_sign": ["dest", "manifest_path"],
    "kms_x509_cert": CERTIFICATE,
    "kms_x509_crl": ["path", "der_path"],
    "kms_x509_csr": ["path"],
    "x509_cert_import": CERTIFICATE,
}
"""The options of files that a module writes; all others of type path it reads, or they are ledgers."""

RECORDING = ["kms_x509_cert_pipe", "kms_x509_csr_pipe", "x509_ledger", "x509_revocation"]
"""What writes into a ledger alone."""

MINIMAL: dict[str, Options] = {
    "kms_cms_sign": {"key_id": "alias/x", "certificate_path": "signer", "content": "x", "dest": "made"},
    "kms_decrypt": {"key_id": "alias/x", "src": "box", "dest": "made"},
    "kms_public_key": {"key_id": "alias/x", "path": "made"},
    "kms_sign": {"key_id": "alias/x", "content": "x"},
    "kms_x509_cert": {"key_id": "alias/x", "certificate_profile": "tls_server", "path": "made"},
    "kms_x509_cert_pipe": {"key_id": "alias/x", "certificate_profile": "tls_server", "name": "web"},
    "kms_x509_crl": {"issuer_key_id": "alias/x", "issuer_content": "x", "ledger_path": "ledger", "path": "made"},
    "kms_x509_csr": {"key_id": "alias/x", "certificate_profile": "tls_server", "path": "made"},
    "kms_x509_csr_pipe": {"key_id": "alias/x", "certificate_profile": "tls_server", "name": "web"},
    "x509_cert_import": {"src": "answer", "path": "made", "public_key_path": "key"},
    "x509_ledger": {},
    "x509_revocation": {"name": "x", "ledger_path": "ledger"},
}
_SUBJECT = {option: {"key_id": None} for option in ("csr_path", "public_key_path", "subject_certificate_path")}
BESIDE: dict[str, Mapping[str, Options]] = {
    "kms_cms_sign": {"src": {"content": None}, "signers": {"key_id": None, "certificate_path": None}},
    "kms_sign": {
        "src": {"content": None},
        "manifest_path": {"manifest": True, "content": None, "files": ["signed"]},
        "files": {"content": None, "src": None},
    },
    "kms_x509_cert": _SUBJECT,
    "kms_x509_cert_pipe": _SUBJECT,
    "kms_x509_crl": {"issuer_path": {"issuer_content": None}},
    "x509_revocation": {"path": {"name": None}},
}
"""What else an option needs that is added to the minimal task; None takes away what it stands instead of."""

FOLDERS = [("kms_sign", "dest", "files"), ("kms_sign", "manifest_path", "src")]  # where one of the two is a folder


def paths_in(spec: Options, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield each option that names files, behind the list whose suboption it is."""
    for option, rules in spec.items():
        if "path" in (rules["type"], rules.get("elements")):
            yield above, option
        elif "options" in rules:
            yield from paths_in(rules["options"], option)


def pairs(module: str) -> list[tuple[str, str, str]]:
    """Return each two options that may not name the same file, the second one as paths_in() yields it."""
    written = WRITTEN.get(module, [])
    others = [place for place in paths_in(module_named(module).ARGUMENT_SPEC) if place[1] not in written]
    read = [place for place in others if not place[1].endswith("ledger_path")]
    ledgers = [option for _above, option in others if option == "ledger_path"]
    found = [(one, "", other) for one, other in combinations(written, 2)]
    found += [(one, *other) for one in written for other in others]
    found += [(one, *other) for one in ledgers for other in read]
    return [pair for pair in found if (module, pair[0], pair[2]) not in FOLDERS]


def task(module: str, given: Options) -> Options:
    """Return a task with the options *given*, and with as few others as possible."""
    beside = [more for option, more in BESIDE.get(module, {}).items() if option in given]
    whole = {**MINIMAL[module], **{name: value for more in beside for name, value in more.items()}, **given}
    return {name: value for name, value in whole.items() if value is not None}


def naming(module: str, above: str, option: str, path: str) -> Options:
    if above:
        return {above: [{"key_id": "alias/x", option: path}]}
    is_list = module_named(module).ARGUMENT_SPEC[option]["type"] == "list"
    return {option: [path] if is_list else path}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: in it a folder with two names, and a file in that."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"what somebody needs")
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def what_is_in(folder: Path) -> dict[str, bytes | None]:
    return {str(path): None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")}


def test_each_option_that_is_documented_as_a_place_of_something_is_known_here_as_one() -> None:
    documented: dict[str, list[str]] = {}
    keeping = []
    for name in MODULES:
        said = yaml.safe_load(module_named(name).DOCUMENTATION)
        keeping += [name] if "ansible.builtin.files" in said["extends_documentation_fragment"] else []
        for option, rules in said.get("options", {}).items():
            (first, *_more) = [rules["description"]] if isinstance(rules["description"], str) else rules["description"]
            if rules["type"] == "path" and first.startswith("Where "):
                documented.setdefault(name, []).append(option)
    assert {name: sorted(options) for name, options in documented.items()} == {
        name: sorted(options) for name, options in WRITTEN.items()
    }
    assert keeping == sorted(WRITTEN)
    assert sorted(MINIMAL) == sorted([*WRITTEN, *RECORDING])


@pytest.mark.parametrize("module", MINIMAL)
def test_no_module_writes_into_a_file_that_its_task_names_for_something_else(
    controller: Controller, folder: Path, module: str
) -> None:
    before = what_is_in(folder)
    same = f"are the same file {(folder / 'real' / 'file').resolve()}, "
    wrong = []
    for one, above, other in pairs(module):
        given = {**naming(module, above, other, str(folder / "real" / "file")), one: "link/../link/file"}
        for check in (True, False):
            told = controller.run(module, task(module, given), check=check)
            if f"{one} and {other} {same}" not in told.get("msg", "") or told["msg"].count("same file") != 1:
                wrong.append((one, other, told))
    assert wrong == []
    assert what_is_in(folder) == before


@pytest.mark.parametrize("module", MINIMAL)
def test_no_module_takes_the_name_of_a_folder_for_a_file(controller: Controller, folder: Path, module: str) -> None:
    before = what_is_in(folder)
    written = [*WRITTEN.get(module, []), "ledger_path"]
    names = [option for _above, option in paths_in(module_named(module).ARGUMENT_SPEC) if option in written]
    wrong = []
    for option in names:
        for path in ("new/", "new/.", "link/", "real/.."):
            for check in (True, False):
                told = controller.run(module, task(module, {option: path}), check=check)
                if f"{option} {path}: is" not in told.get("msg", "") or "a folder; name a file in it" not in told.get(
                    "msg", ""
                ):
                    wrong.append((option, path, told))
    assert names
    assert wrong == []
    assert what_is_in(folder) == before


LEDGERS = [
    ("kms_x509_cert", {"path": "ledger.jsonl"}, "ledger_path"),
    ("kms_x509_cert", {"path": "x", "der_path": "real/ledger.jsonl", "issuer_path": "link/ca.pem"}, "ledger_path"),
    ("kms_x509_cert", {"path": "real/ca.pem", "chain_path": "link/ledger.jsonl"}, "authority_ledger_path"),
    ("kms_x509_cert_pipe", {"issuer_path": "ledger.jsonl"}, "issuer_path"),
    (
        "kms_x509_crl",
        {"der_path": "real/ledger.jsonl", "issuer_path": "link/ca.pem", "ledger_path": None},
        "ledger_path",
    ),
    ("kms_x509_csr", {"path": "ledger.jsonl"}, "ledger_path"),
    ("x509_cert_import", {"path": "real/ca.pem", "der_path": "link/ledger.jsonl"}, "authority_ledger_path"),
]


@pytest.mark.parametrize(("module", "given", "named"), LEDGERS)
def test_a_ledger_that_the_task_does_not_name_is_not_written_into_either(
    controller: Controller, folder: Path, module: str, given: Options, named: str
) -> None:
    before = what_is_in(folder)
    told = controller.run(module, task(module, given))
    assert f"{named} are the same file " in told["msg"]
    assert what_is_in(folder) == before


SIGNATURES = [
    ({"files": ["a", "b", "a.sig"]}, "the signature over a and files are the same file {}/a.sig, which the task"),
    ({"files": ["x/a", "y/a"], "dest": "made/"}, "the signature over x/a and the signature over y/a are the same file"),
    ({"files": ["a"], "manifest_path": "made/../SUMS", "dest": "./SUMS"}, "dest and manifest_path are the same file"),
    ({"files": ["a", "SUMS.sig"], "manifest_path": "SUMS"}, "dest and files are the same file {}/SUMS.sig"),
    ({"files": ["a", "ledger"], "ledger_path": "ledger"}, "ledger_path and files are the same file {}/ledger"),
    (
        {"manifest_path": "SUMS", "files": None, "src": ".", "ledger_path": "l/ledger"},
        "ledger_path l/ledger: is in ., the folder that is signed",
    ),
]


@pytest.mark.parametrize(("given", "sentence"), SIGNATURES)
def test_signatures_of_many_files_share_no_place_with_what_is_signed(
    controller: Controller, folder: Path, given: Options, sentence: str
) -> None:
    before = what_is_in(folder)
    told = controller.run("kms_sign", task("kms_sign", given))
    assert sentence.format(folder.resolve()) in told["msg"]
    assert what_is_in(folder) == before


def test_a_partition_does_not_write_into_a_file_that_has_its_number(folder: Path) -> None:
    given = {"path": "{partition}.pem", "der_path": "1{partition}.pem", "issuer_path": "3.pem", "issuer_key_id": "x"}
    params = {name: given.get(name, option.get("default")) for name, option in CRL_OPTIONS.items()}
    whole = to_crl_task({**params, "crl_urls": ["http://a.example/{partition}"]}, compare_entries=False)
    issuer = Place("issuer_path", "3.pem", Use.INPUT)
    assert list(place_problems([*crl_places(params, [whole]), issuer])) == []
    every = [whole.of_partition(number) for number in range(12)]
    told = [text.partition(",")[0] for text in place_problems([*crl_places(params, every), issuer])]
    assert sorted(told) == [
        f"der_path and path are the same file {folder.resolve()}/10.pem",
        f"der_path and path are the same file {folder.resolve()}/11.pem",
        f"path and issuer_path are the same file {folder.resolve()}/3.pem",
    ]


def test_what_is_read_alone_may_be_one_file_and_so_may_ledgers(controller: Controller, tmp_path: Path) -> None:
    ledger = str(tmp_path / "root" / "ledger.jsonl")
    make_root(controller, tmp_path, ledger_path=ledger, authority_ledger_path=ledger, former_ledger_path=[ledger])
    root = str(tmp_path / "root" / "ca.pem")
    given = {"issuer_chain_path": [root, root], "authority_ledger_path": ledger, "former_ledger_path": [ledger, ledger]}
    web = below(tmp_path, "web", **given, fullchain_path=str(tmp_path / "full.pem"))
    taken = {
        "src": web["path"],
        "path": str(tmp_path / "taken" / "web.pem"),
        "public_key_path": root.replace("ca.pem", "public_key.pem"),
        "certificate_profile": "tls_client",
        "issuer_chain_path": [root, web["path"]],
        "trusted_certificate_path": [root],
    }
    renewal = root_options(tmp_path, not_after="+4000d", reissue_root=True)
    for module, options in (
        ("kms_x509_cert", web),
        ("x509_cert_import", taken),
        ("kms_x509_cert", renewal),
    ):
        told = [controller.run(module, options) for _run in range(2)]
        assert [one.get("changed", one) for one in told] == [True, False]
        controller.clock.tick()


def test_a_file_that_has_the_name_of_another_one_in_another_folder_is_none_of_its_task(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "b").symlink_to("a/b")
    names = ["a/x", "b/x", "x", "loop", "a/\0", "a/\0"]
    assert list(place_problems([Place("path", str(tmp_path / name)) for name in names])) == []
