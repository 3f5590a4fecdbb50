# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task wants signed, as values."""

from __future__ import annotations

from dataclasses import dataclass

FILE, MANIFEST = "file", "manifest"
"""What a ledger calls the purpose of a signature."""


@dataclass(frozen=True)
class Content:
    """Something to be signed: a file, bytes, or a digest of something that nobody here has seen.

    Args:
        name: the path, or what it is called in messages.
        data: the content itself; None for the file called *name*.
        digest: of the content, instead of it.
        digest_algorithm: what made *digest*, sha256, sha384, sha512 or mu; empty where there is none.
    """

    name: str
    data: bytes | None = None
    digest: bytes = b""
    digest_algorithm: str = ""


@dataclass(frozen=True)
class SignatureSpec:
    """One signature as the task wants it.

    Attributes:
        dest: where it is kept; empty where it is only returned.
        signing_algorithm: empty for the key's default.
        message_type: DIGEST, RAW or EXTERNAL_MU; empty for the algorithm's own.
        format: one of formats.FORMATS.
        purpose: for the ledger.
    """

    content: Content
    dest: str
    signing_algorithm: str = ""
    message_type: str = ""
    format: str = "raw"
    purpose: str = FILE
