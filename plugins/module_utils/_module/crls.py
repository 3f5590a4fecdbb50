# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a module's options to a CRL task, and from CRLs to files and results."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._pki.certificates import asn1_time
from .._pki.crl import crl_pem
from .._pki.crl_partitions import OPENED_AS_NEEDED, fill_in, for_url, has_placeholder
from .._pki.crl_task import DER, CrlTask
from .._pki.errors import SpecError
from .._pki.plan import Change, Plan
from .._pki.task import Source
from .files import KeptFile, file_changes, octets_of, read_file, read_if_there
from .places import Place, ledger_beside

CRL_OPTIONS: dict[str, Any] = {
    "issuer_path": {"type": "path"},
    "issuer_content": {"type": "str"},
    "issuer_key_id": {"type": "str", "required": True},
    "ledger_path": {"type": "path"},
    "path": {"type": "path", "required": True},
    "format": {"type": "str", "choices": ["pem", "der"], "default": "pem"},
    "der_path": {"type": "path"},
    "base_path": {"type": "path"},
    "next_update": {"type": "str", "default": "+7d"},
    "renew_before": {"type": "str", "default": "33%"},
    "on_revocation": {"type": "str", "choices": ["sign", "wait"], "default": "sign"},
    "digest": {"type": "str", "choices": ["sha256", "sha384", "sha512"]},
    "signature_padding": {"type": "str", "choices": ["pkcs1v15", "pss"], "default": "pkcs1v15"},
    "crl_urls": {"type": "list", "elements": "str", "default": []},
    "delta_crl_urls": {"type": "list", "elements": "str", "default": []},
    "crl_partitions": {"type": "int"},
    "planned_revocations": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "serial_number_hex": {"type": "str", "required": True},
            "reason": {"type": "str"},
            "revoked_at": {"type": "str"},
            "invalidity_date": {"type": "str"},
            "not_after": {"type": "str"},
        },
    },
    "force": {"type": "bool", "default": False},
    "backup": {"type": "bool", "default": False},
    "return_content": {"type": "bool", "default": False},
}


def to_crl_task(params: Mapping[str, Any], compare_entries: bool) -> CrlTask:
    """Convert a module's options and read the issuer's certificate.

    Args:
        compare_entries: whether somebody wants to know which certificates a new CRL has more or less.
    Raises:
        SpecError: options are missing or contradict each other; all problems in one message.
    """
    beside = params["ledger_path"] or params["issuer_path"]
    if not beside:
        raise SpecError(
            f"{params['path']}: ledger_path is missing; without issuer_path there is no folder for a ledger"
        )
    problems = _partition_problems(params)
    if problems:
        raise SpecError(f"{params['path']}: " + "; ".join(problems))
    return CrlTask(
        issuer=_issuer(params),
        issuer_key_id=params["issuer_key_id"],
        ledger_path=params["ledger_path"] or ledger_beside(beside),
        path=params["path"],
        form=params["format"],
        base_path=params["base_path"] or "",
        next_update=params["next_update"],
        renew_before=params["renew_before"],
        digest=params["digest"] or "",
        padding=params["signature_padding"],
        distribution_point=tuple(map(for_url, params["crl_urls"])),
        freshest_crl=tuple(map(for_url, params["delta_crl_urls"])),
        at_once=params["on_revocation"] == "sign",
        force=params["force"],
        partitions=(params["crl_partitions"] or OPENED_AS_NEEDED) if has_placeholder(params["path"]) else None,
        compare_entries=compare_entries,
    )


def _issuer(params: Mapping[str, Any]) -> Source:
    if params["issuer_content"] is not None:
        return Source("issuer_content", octets_of(params["issuer_content"], "issuer_content"))
    return Source(params["issuer_path"], read_if_there(params["issuer_path"]))


def _partition_problems(params: Mapping[str, Any]) -> list[str]:
    """Return what does not fit where an authority has one CRL for all, or one for each partition."""
    problems = []
    given, wanted = params["crl_partitions"], has_placeholder(params["path"])
    texts = {option: [params[option]] for option in ("der_path", "base_path") if params[option]}
    texts |= {option: params[option] for option in ("crl_urls", "delta_crl_urls")}
    if given is not None and not wanted:
        problems.append("path lacks {partition}, the place of a partition's number")
    if given is not None and given < 2:
        problems.append(f"crl_partitions is {given}; give two or more, or leave it out")
    for option, found in texts.items():
        problems += [f"{option} {text}: {_MISPLACED[wanted]}" for text in found if has_placeholder(text) != wanted]
    if wanted and not params["crl_urls"] and not params["base_path"]:
        problems.append("crl_urls is missing; a CRL of a partition says which one it is (RFC 5280 5.2.5)")
    if params["base_path"] and params["delta_crl_urls"]:
        problems.append("delta_crl_urls is for full CRLs, and base_path makes a delta CRL (RFC 5280 5.2.6)")
    return problems


_MISPLACED = {True: "lacks {partition}, which path has", False: "has {partition}, which path lacks"}


def crl_file(task: CrlTask, der: bytes) -> KeptFile:
    """Return the file at the task's path."""
    return KeptFile(task.path, der if task.form == DER else crl_pem(der), "path")


def der_copy(params: Mapping[str, Any], task: CrlTask, der: bytes | None = None) -> tuple[KeptFile, ...]:
    """Return the copy of the CRL in DER, if the task wants one.

    Args:
        der: None while a new CRL is only planned.
    """
    if not params["der_path"]:
        return ()
    path = params["der_path"] if task.partition is None else fill_in(params["der_path"], task.partition)
    return (KeptFile(path, der, "der_path"),)


def crl_places(params: Mapping[str, Any], tasks: Sequence[CrlTask]) -> list[Place]:
    """Return the files that are written for *tasks*; path and der_path may be one file where both are DER."""
    found: list[Place] = []
    for task in tasks:
        copies = [Place("der_path", file.path) for file in der_copy(params, task)]
        found.append(Place("path", task.path))
        found += [copy for copy in copies if task.form != DER or not _is_same(copy.path, task.path)]
    return found


def _is_same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def crl_paths(params: Mapping[str, Any], tasks: Sequence[CrlTask]) -> list[str]:
    """Return the files that get the mode and owner of the task."""
    return [path for task in tasks for path in (task.path, *(file.path for file in der_copy(params, task)))]


def joint_plan(params: Mapping[str, Any], planned: Sequence[Any]) -> Plan:
    """Return the plans of all CRLs as one, with their files."""
    changes: list[Change] = []
    for one in planned:
        files = file_changes(der_copy(params, one.task, None if one.remake else one.present))
        found = [*one.plan.changes, *one.completion, *files]
        partition = one.task.partition
        changes += found if partition is None else [replace(c, field=f"{partition}: {c.field}") for c in found]
    pending = tuple(dict.fromkeys(text for one in planned for text in one.plan.pending))
    return Plan(tuple(changes), pending, joint_reason(planned))


def joint_reason(planned: Sequence[Any]) -> str:
    reasons = {one.task.path: one.plan.reason for one in planned if one.plan.reason}
    if len(planned) == 1:
        return "".join(reasons.values())
    return "; ".join(f"{path}: {reason}" for path, reason in reasons.items())


def crl_results(params: Mapping[str, Any], lines: Sequence[tuple[CrlTask, Any]]) -> dict[str, Any]:
    """Return what the module tells of the CRLs that are current."""
    facts = [_facts(params, task, line) for task, line in lines]
    if any(task.partition is not None for task, _unused in lines):
        return {"crls": facts}
    return facts[0] if facts else {}


def _facts(params: Mapping[str, Any], task: CrlTask, line: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "path": task.path,
        "crl_number": line.number,
        "base_crl_number": line.base_number,
        "this_update": asn1_time(line.this_update),
        "next_update": asn1_time(line.next_update),
        "revoked_count": int(line.details.get("entries", 0)),
    }
    for copy in der_copy(params, task):
        told["der_path"] = copy.path
    if params["return_content"] and os.path.exists(task.path):
        content = read_file(task.path)
        told["crl"] = base64.b64encode(content).decode() if task.form == DER else content.decode()
    return told
