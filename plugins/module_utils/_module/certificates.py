# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a module's options to a certificate task, and from the certificate to files and results."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from .._pki.certificates import asn1_time, is_self_signed, serial_hex, to_der, to_pem
from .._pki.errors import SpecError
from .._pki.request import to_request
from .._pki.task import CERTIFICATE, CSR, KMS, PUBLIC_KEY, CertificateTask, CsrTask, Source
from .files import KeptFile, octets_of, read_file, read_if_there
from .places import ledger_beside


def to_task(params: Mapping[str, Any], path: str, present: bytes | None) -> CertificateTask:
    """Convert a module's options and read the files they name.

    Args:
        path: where the certificate is kept; empty where it is only returned.
        present: the certificate that is there now.
    Raises:
        SpecError: a file cannot be read, or options are missing or contradict each other.
    """
    stem = os.path.splitext(os.path.basename(path))[0]
    request = to_request(params["name"] or stem, params)
    kind, subject = _subject_source(params)
    issuer = _issuer_source(params)
    if issuer is None and kind != KMS:
        raise SpecError(f"{request.name}: a self-signed certificate needs key_id; for others give issuer_path as well")
    if issuer is not None and not params["issuer_key_id"]:
        raise SpecError(f"{request.name}: issuer_key_id is missing; name the KMS key of {issuer.label}")
    beside = params["issuer_path"] if issuer is not None else path
    if not params["ledger_path"] and not beside:
        raise SpecError(f"{request.name}: ledger_path is missing; without a file there is no folder for a ledger")
    return CertificateTask(
        request=request,
        path=path,
        present=present,
        subject_kind=kind,
        subject=subject,
        issuer=issuer,
        chain=tuple(Source(path, read_if_there(path)) for path in params["issuer_chain_path"]),
        issuer_key_id=params["issuer_key_id"] if issuer is not None else params["key_id"],
        ledger_path=params["ledger_path"] or ledger_beside(beside),
        digest=params["digest"] or "",
        padding=params["signature_padding"],
        force=bool(params.get("force")),
        reissue_root=bool(params.get("reissue_root")),
        lint=params["lint"],
        crl_partitions=params["crl_partitions"],
        authority_ledger_path=params["authority_ledger_path"] or "",
        former_ledgers=tuple(params["former_ledger_path"]),
    )


def to_csr_task(params: Mapping[str, Any], path: str, present: bytes | None) -> CsrTask:
    """Convert the options of a request.

    Args:
        path: where it is kept; empty where it is only returned.
    Raises:
        SpecError: options are wrong, all problems in one message.
    """
    stem = os.path.splitext(os.path.basename(path))[0]
    return CsrTask(
        request=to_request(params["name"] or stem, params),
        path=path,
        present=present,
        key_id=params["key_id"],
        ledger_path=params["ledger_path"] or ledger_beside(path),
        digest=params["digest"] or "",
        padding=params["signature_padding"],
        force=bool(params.get("force")),
    )


def file_sources(paths: Sequence[str]) -> tuple[Source, ...]:
    """Return the content of files that have to be there.

    Raises:
        SpecError: one cannot be read.
    """
    return tuple(Source(path, read_file(path)) for path in paths)


def _subject_source(params: Mapping[str, Any]) -> tuple[str, Source]:
    if params["key_id"] is not None:
        return KMS, Source(params["key_id"], None)
    if params["csr_content"] is not None:
        return CSR, Source("csr_content", octets_of(params["csr_content"], "csr_content"))
    if params["csr_path"] is not None:
        return CSR, Source(params["csr_path"], read_file(params["csr_path"]))
    if params["subject_certificate_content"] is not None:
        content = octets_of(params["subject_certificate_content"], "subject_certificate_content")
        return CERTIFICATE, Source("subject_certificate_content", content)
    if params["subject_certificate_path"] is not None:
        return CERTIFICATE, Source(params["subject_certificate_path"], read_file(params["subject_certificate_path"]))
    if params["public_key_content"] is not None:
        return PUBLIC_KEY, Source("public_key_content", octets_of(params["public_key_content"], "public_key_content"))
    return PUBLIC_KEY, Source(params["public_key_path"], read_if_there(params["public_key_path"]))


def _issuer_source(params: Mapping[str, Any]) -> Source | None:
    if params["issuer_content"] is not None:
        return Source("issuer_content", octets_of(params["issuer_content"], "issuer_content"))
    if params["issuer_path"] is not None:
        return Source(params["issuer_path"], read_if_there(params["issuer_path"]))
    return None


def certificate_files(params: Mapping[str, Any], certificate: Any | None, chain: Sequence[Any]) -> tuple[KeptFile, ...]:
    """Return the files of a certificate; their content is None while the certificate does not exist.

    Args:
        chain: the issuer and what is above it; self-signed certificates are left out of the files.
    """
    chain_pem = chain_text(chain).encode()
    own = None if certificate is None else to_pem([certificate])
    full = None if own is None else own + chain_pem
    kept = {
        "path": own,
        "der_path": None if certificate is None else to_der(certificate),
        "chain_path": chain_pem if own is not None or chain else None,
        "fullchain_path": full,
    }
    return tuple(KeptFile(params[option], content, option) for option, content in kept.items() if params[option])


def chain_text(chain: Sequence[Any]) -> str:
    """Return *chain* in PEM without self-signed certificates: relying parties have their own roots."""
    return to_pem([above for above in chain if not is_self_signed(above)]).decode()


def certificate_times(certificate: Any) -> dict[str, Any]:
    """Return serial number and validity as results write them."""
    return {
        "serial_number": certificate.serial_number,
        "serial_number_hex": serial_hex(certificate.serial_number),
        "not_before": asn1_time(certificate.not_valid_before_utc),
        "not_after": asn1_time(certificate.not_valid_after_utc),
    }


def certificate_result(certificate: Any, ledger_path: str, return_content: bool) -> dict[str, Any]:
    """Return what a module tells of the certificate that is current."""
    told = certificate_times(certificate)
    told["issued_path"] = os.path.join(os.path.dirname(ledger_path), "issued", f"{told['serial_number_hex']}.pem")
    if return_content:
        told["certificate"] = to_pem([certificate]).decode()
    return told


def lint_result(level: str, findings: Sequence[Any]) -> dict[str, Any]:
    """Return what a linter found, where the task asked for one."""
    facts = [{"severity": found.severity, "code": found.code, "message": found.message} for found in findings]
    return {} if level == "off" else {"lint_findings": facts}
