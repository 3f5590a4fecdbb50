# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task that wants a certificate names, its files read."""

from __future__ import annotations

from dataclasses import dataclass

from .certificate import CertificateRequest

KMS, CSR, PUBLIC_KEY, CERTIFICATE = "kms", "csr", "public_key", "certificate"
LEDGER_NAME = "ledger.jsonl"


@dataclass(frozen=True)
class Source:
    """Bytes that a task names; `content` is None where the file does not exist yet."""

    label: str
    content: bytes | None


@dataclass(frozen=True)
class CertificateTask:
    """One task that wants a certificate, its files read.

    Attributes:
        path: where the certificate is kept; empty where it is only returned.
        present: bytes at the path now, None where nothing is.
        subject_kind: KMS, CSR, PUBLIC_KEY or CERTIFICATE; `subject` names the key in KMS or holds the bytes.
        issuer: None for a self-signed certificate.
        chain: more certificates above the issuer, in any order.
        issuer_key_id: key that signs, as the task names it.
        digest: hash of the signature where the key leaves a choice; empty for its default.
        padding: pkcs1v15 or pss, for RSA alone.
        lint: off, warn or error: what is done about a linter's findings before signing.
        crl_partitions: how many CRLs the issuer has, where that is a fixed number and more than one.
        authority_ledger_path: the ledger of what the certificate's own key issues; empty where the task names none.
        former_ledgers: paths of the ledgers of those who may have issued it before.
    """

    request: CertificateRequest
    path: str
    present: bytes | None
    subject_kind: str
    subject: Source
    issuer: Source | None
    chain: tuple[Source, ...]
    issuer_key_id: str
    ledger_path: str
    digest: str = ""
    padding: str = "pkcs1v15"
    force: bool = False
    reissue_root: bool = False
    lint: str = "off"
    crl_partitions: int | None = None
    authority_ledger_path: str = ""
    former_ledgers: tuple[str, ...] = ()


@dataclass(frozen=True)
class CsrTask:
    """One task that wants a request for a key in KMS.

    Attributes:
        path: where the request is kept; empty where it is only returned.
        present: bytes that are there now, None where nothing is.
        digest, padding: as in CertificateTask, for the key's own signature.
    """

    request: CertificateRequest
    path: str
    present: bytes | None
    key_id: str
    ledger_path: str
    digest: str = ""
    padding: str = "pkcs1v15"
    force: bool = False
