# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extensions that a task gives in DER, because no option says them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from .der import encode, is_one_value, wrap
from .domain_names import shown
from .errors import SpecError
from .extensions import EXTENSION_NAMES, WantedExtension
from .usages import to_oid

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

_ED25519 = bytes.fromhex("300506032b6570")
_ANY_KEY = wrap(0x30, _ED25519 + b"\x03\x21\x00" + bytes(32))
_ANY_TIME = wrap(0x17, b"260101000000Z")
_NOBODY = wrap(0x30, b"")
_VERSION_AND_SERIAL = bytes.fromhex("a003020102020101")


def other_extension(item: object) -> WantedExtension:
    """Return the extension of one entry of other_extensions.

    Raises:
        SpecError: the OID belongs to another option, or the value is not the DER of such an extension.
    """
    if not isinstance(item, Mapping):
        raise SpecError(f"other_extensions: {shown(str(item))} is no dictionary; write oid, value and critical")
    oid = to_oid(str(item.get("oid") or ""))
    name = EXTENSION_NAMES.get(oid.dotted_string)
    if name is not None:
        raise SpecError(f"other_extensions: {oid.dotted_string} is {name}, which other options say; leave it out here")
    try:
        value = base64.b64decode(str(item.get("value") or ""), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise SpecError(f"other_extensions: the value of {oid.dotted_string} is not base64 ({exc})") from exc
    if not is_one_value(value):
        raise SpecError(f"other_extensions: the value of {oid.dotted_string} is not one DER value in base64")
    _require_readable(oid.dotted_string, value)
    return WantedExtension(x509.UnrecognizedExtension(oid, value), bool(item.get("critical")))


def _require_readable(oid: str, value: bytes) -> None:
    """Refuse what the library could not read back: it knows more extensions than there are options."""
    try:
        read = x509.load_der_x509_certificate(_certificate_with(oid, value)).extensions[0].value.public_bytes()
    except (ValueError, KeyError, TypeError) as exc:
        raise SpecError(f"other_extensions: the value of {oid} is not what this extension holds ({exc})") from exc
    if read != value:
        raise SpecError(f"other_extensions: the value of {oid} is not in DER, where each value is written in one way")


def _certificate_with(oid: str, value: bytes) -> bytes:
    """Return a certificate of nobody with one extension and without a signature (RFC 5280 4.1); it is only read."""
    extension = wrap(0x30, encode("OID", oid) + wrap(0x04, value))
    validity = wrap(0x30, _ANY_TIME + _ANY_TIME)
    extensions = wrap(0xA3, wrap(0x30, extension))
    tbs = wrap(0x30, _VERSION_AND_SERIAL + _ED25519 + _NOBODY + validity + _NOBODY + _ANY_KEY + extensions)
    return wrap(0x30, tbs + _ED25519 + b"\x03\x01\x00")
