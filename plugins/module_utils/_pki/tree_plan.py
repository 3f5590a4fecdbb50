# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be done for a tree: which key, which file, which URL, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from .task import LEDGER_NAME
from .times import EARLIEST
from .tree import Tree
from .tree_accounts import account_problems, key_id, made_in, made_with, used_key_id, used_with
from .tree_crls import certificate_crl_problems, crl_pointers, crl_problems, crl_time_problems, crls
from .tree_cross import reachable, with_crosses
from .tree_entries import Entry
from .tree_external import answers, imports, requests, their_roots, trusted
from .tree_gate import Findings, judge_tree
from .tree_lifetimes import renewals
from .tree_options import ADMINISTRATOR_ROLE, AUTHORITY, CERTIFICATE, CROSS, EXTERNAL_FILES, SIGNER_ROLE, SOURCE_FILES
from .tree_partners import partner_answers, partner_chains, partner_imports
from .tree_place import Place, place_problems

CA_ISSUERS = "ca.der"
"""Last part of the URL of an issuer's certificate below pki_base_url (RFC 5280 4.2.2.1)."""

AWS_OPTIONS = ("region", ADMINISTRATOR_ROLE, SIGNER_ROLE)
"""Options of a key that say where it is, who makes it and who signs with it, not what it is."""

_URLS = ("authority_information_access", "crl_distribution_points")
# Options of an entry that are paths, keys and names of others; the rest a task takes as it is written.
_WORKED_OUT = (
    "name",
    "generation",
    "issuer",
    "key",
    *SOURCE_FILES,
    "external",
    "crl",
    "cross_signed_by",
    "cross_certificates",
    *EXTERNAL_FILES,
)


def judge_inventory(tree: Tree, place: Place, now: datetime) -> Findings:
    """Return everything that is wrong with an inventory."""
    found, about_crls = judge_tree(tree, now), _judge_crls(tree, place, now)
    problems = (*place_problems(place), *found.problems, *about_crls.problems, *account_problems(tree))
    return Findings(problems, (*found.dated, *about_crls.dated))


def _judge_crls(tree: Tree, place: Place, now: datetime) -> Findings:
    problems = [text for authority in tree.authorities for text in crl_problems(authority, place)]
    dated = []
    for authority in tree.authorities:
        found = crl_time_problems(authority, now)
        if crl_time_problems(authority, EARLIEST):
            problems += found
        else:
            dated += [(authority.name, text) for text in found]
    for entry in tree.well_shaped:
        issuer = tree.issuer_of(entry)
        if issuer is not None:
            said = {**entry.options, **_urls(entry, issuer, place)}
            problems += certificate_crl_problems(entry, issuer, said, place)
    return Findings(tuple(problems), tuple(dated))


def dated_problems(found: Findings, place: Place) -> list[dict[str, str]]:
    """Return what is wrong with times where the authority that it hangs on does not exist yet."""
    return [{"path": place.of_authority(name, "ca.pem"), "problem": problem} for name, problem in found.dated]


def source_files(tree: Tree, place: Place) -> list[dict[str, str]]:
    """Return the files that have to be there, which others make: CSRs, public keys, certificates to certify again."""
    return [
        {"name": entry.name, "path": place.path(entry.text(option)), "needed_by": f"{entry.label}: {option}"}
        for entry in tree.certificates
        for option in SOURCE_FILES
        if entry.text(option) and not entry.is_foreign_ca
    ]


def kms_keys(order: Sequence[Entry], pki_name: str) -> list[dict[str, object]]:
    """Return the options of one kms_key task per key in KMS."""
    return [{"name": entry.name, **_kms_key(entry, entry.key, pki_name)} for entry in order if entry.key is not None]


def _kms_key(entry: Entry, key: Mapping[str, object], pki_name: str) -> dict[str, object]:
    options = {name: value for name, value in key.items() if name not in ("alias", *AWS_OPTIONS)}
    if entry.alias:
        options["alias"] = key_id(entry)
    if not key.get("key_id"):
        options.setdefault("description", f"{pki_name}: {entry.label}")
    return {"key_spec": entry.key_spec, "use": _use(entry), **options, **made_in(entry), **made_with(entry)}


def _use(entry: Entry) -> str:
    if entry.kind == AUTHORITY:
        return "ca"
    purposes = entry.profile.extended_key_usage if entry.profile else ()
    return "ocsp" if "ocsp_signing" in purposes else "sign"


def public_keys(tree: Tree, order: Sequence[Entry], place: Place) -> list[dict[str, object]]:
    """Return the options of one kms_public_key task per authority, and per key that its issuer cannot look up.

    An authority's have the certificate_path too: with the certificate its key is fixed.
    """
    return [
        {
            "name": entry.name,
            "key_id": used_key_id(entry),
            "path": _public_key_path(entry, place),
            **({"certificate_path": place.of_authority(entry.name, "ca.pem")} if entry.kind == AUTHORITY else {}),
            **used_with(entry),
        }
        for entry in order
        if entry.kind == AUTHORITY or _is_apart(entry, tree)
    ]


def _public_key_path(entry: Entry, place: Place) -> str:
    if entry.kind != CERTIFICATE:
        return place.of_authority(entry.of or entry.name, "public_key.pem")
    return f"{place.of_authority('certificates', entry.name)}.public_key.pem"


def _is_apart(entry: Entry, tree: Tree) -> bool:
    """True for a key in KMS that is not to be looked up where, and as whom, its issuer signs."""
    issuer = tree.issuer_of(entry)
    if entry.key is None or issuer is None:
        return False
    return entry.region != issuer.region or SIGNER_ROLE in (issuer.key or {}) or ADMINISTRATOR_ROLE in entry.key


def certificates(tree: Tree, order: Sequence[Entry], place: Place) -> list[dict[str, object]]:
    """Return the options of one kms_x509_cert task per certificate, issuers first."""
    placed, leads = with_crosses(tree, order), renewals(tree)
    position = {entry.name: at for at, entry in enumerate(placed)}
    return [
        {
            "name": entry.name,
            "return_content": not entry.issuer,
            **_said(entry),
            **({"renew_before": leads[entry.name]} if entry.name in leads else {}),
            **_own_files(entry, place),
            **_subject_key(entry, tree, place),
            **_issuer(entry, tree, place, position),
        }
        for entry in placed
        if not entry.external
    ]


def ledgers(tree: Tree, place: Place) -> list[str]:
    """Return the ledgers of all authorities: what moves to another issuer is in that of the former one."""
    return [place.of_authority(name, LEDGER_NAME) for name in tree.by_name]


def _said(entry: Entry) -> dict[str, object]:
    return {option: value for option, value in entry.options.items() if option not in (*_WORKED_OUT, *_URLS)}


def _own_files(entry: Entry, place: Place) -> dict[str, object]:
    if entry.kind == AUTHORITY:
        files: dict[str, object] = {
            "path": place.of_authority(entry.name, "ca.pem"),
            "der_path": place.of_authority(entry.name, CA_ISSUERS),
        }
        # The chain of an authority is what the certificates below it need besides themselves.
        return files | ({"fullchain_path": place.of_authority(entry.name, "chain.pem")} if entry.issuer else {})
    if entry.kind == CROSS:
        return {
            "path": place.of_authority(entry.of, f"cross/{entry.issuer}.pem"),
            "authority_ledger_path": place.of_authority(entry.of, LEDGER_NAME),
        }
    stem = place.of_authority("certificates", entry.name)
    return {"path": f"{stem}.pem", "chain_path": f"{stem}.chain.pem", "fullchain_path": f"{stem}.fullchain.pem"}


def _subject_key(entry: Entry, tree: Tree, place: Place) -> dict[str, object]:
    if entry.issuer and (entry.kind != CERTIFICATE or _is_apart(entry, tree)):
        return {"public_key_path": _public_key_path(entry, place)}
    if entry.key is not None:
        return {"key_id": used_key_id(entry)}
    return {option: place.path(entry.text(option)) for option in SOURCE_FILES if entry.text(option)}


def _issuer(entry: Entry, tree: Tree, place: Place, position: Mapping[str, int]) -> dict[str, object]:
    """Return who signs; the task runs in the region, and as the role, of the key that does.

    Args:
        position: of each certificate that this run issues. A chain cannot name what is issued after it, as where
            authorities vouch for each other in a ring.
    """
    issuer = tree.issuer_of(entry)
    if issuer is None:
        return used_with(entry)
    line, crosses = (
        [one for one in found if position.get(one.name, -1) < position[entry.name]] for found in reachable(tree, entry)
    )
    above = [place.of_authority(authority.name, "ca.pem") for authority in line]
    above += [str(_own_files(cross, place)["path"]) for cross in crosses]
    above += partner_chains(tree, line, place)
    for authority in filter(lambda one: one.external, line):
        above += [place.of_authority(authority.name, "chain.pem"), *trusted(authority, place)]
    return {
        **used_with(issuer),
        "issuer_path": above[0],
        "issuer_chain_path": above[1:],
        "issuer_key_id": used_key_id(issuer),
        "ledger_path": place.of_authority(issuer.name, LEDGER_NAME),
        **_urls(entry, issuer, place),
    }


def _urls(entry: Entry, issuer: Entry, place: Place) -> dict[str, object]:
    options: dict[str, object] = {}
    if place.base_url:
        options["authority_information_access"] = {"ca_issuers": [f"URI:{place.url(issuer.name, CA_ISSUERS)}"]}
        if "crl_distribution_points" not in entry.options:
            options |= crl_pointers(issuer, place)
    return options | {option: entry.options[option] for option in _URLS if option in entry.options}


def plan_tree(tree: Tree, order: Sequence[Entry], place: Place, pki_name: str) -> dict[str, object]:
    """Return the options of every task that makes the tree, in order."""
    external = {
        entry.name: {"name": entry.name, "key_id": used_key_id(entry), **_said(entry), **used_with(entry)}
        for entry in order
        if entry.external
    }
    return {
        "pki_dir": place.path(place.pki_dir),
        "requests": requests(order, place, external),
        "answers": [*answers(tree, order, place), *partner_answers(tree, order, place)],
        "imports": [*imports(tree, order, place), *partner_imports(tree, order, place)],
        "their_roots": their_roots(order, place),
        "kms_keys": kms_keys(order, pki_name),
        "public_keys": public_keys(tree, order, place),
        "certificates": certificates(tree, order, place),
        "ledgers": ledgers(tree, place),
        "crls": crls(order, place),
    }
