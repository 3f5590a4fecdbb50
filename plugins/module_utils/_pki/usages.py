# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key usage and extended key usage (RFC 5280 4.2.1.3, 4.2.1.12) in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from .errors import SpecError

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so

KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)

# RFC 5280 4.2.1.12; document signing: RFC 9336; the last three are what their makers assigned.
EXTENDED_KEY_USAGES: Mapping[str, str] = {
    "server_auth": "1.3.6.1.5.5.7.3.1",
    "client_auth": "1.3.6.1.5.5.7.3.2",
    "code_signing": "1.3.6.1.5.5.7.3.3",
    "email_protection": "1.3.6.1.5.5.7.3.4",
    "time_stamping": "1.3.6.1.5.5.7.3.8",
    "ocsp_signing": "1.3.6.1.5.5.7.3.9",
    "ipsec_ike": "1.3.6.1.5.5.7.3.17",
    "document_signing": "1.3.6.1.5.5.7.3.36",
    "any_extended_key_usage": "2.5.29.37.0",
    "smartcard_logon": "1.3.6.1.4.1.311.20.2.2",
    "kerberos_pkinit_kdc": "1.3.6.1.5.2.3.5",
    "certificate_transparency": "1.3.6.1.4.1.11129.2.4.4",
}
TIME_STAMPING = "time_stamping"
_EXTENDED_KEY_USAGE_NAMES = {oid: name for name, oid in EXTENDED_KEY_USAGES.items()}

# OpenSSL's long names and older words for the same, without spaces and case.
_SYNONYMS: Mapping[str, str] = {
    "nonrepudiation": "content_commitment",
    "certificatesign": "key_cert_sign",
    "tlswebserverauthentication": "server_auth",
    "tlswebclientauthentication": "client_auth",
    "e-mailprotection": "email_protection",
    "secureemail": "email_protection",
    "any": "any_extended_key_usage",
    "ipsecinternetkeyexchange": "ipsec_ike",
    "microsoftsmartcardlogin": "smartcard_logon",
}
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,38})){1,40}")


def _plain(word: str) -> str:
    return re.sub(r"[ _]", "", word).lower()


_WORDS = {_plain(name): name for name in (*KEY_USAGES, *EXTENDED_KEY_USAGES)} | dict(_SYNONYMS)


def to_oid(text: str) -> x509.ObjectIdentifier:
    """Return the object identifier that *text* writes with dots.

    Raises:
        SpecError: it is none.
    """
    try:
        if not _OID.fullmatch(text):
            raise ValueError(text)
        return x509.ObjectIdentifier(text)
    except ValueError as exc:
        raise SpecError(f"{text!r} is not an object identifier; write one such as 1.3.6.1.5.5.7.3.1") from exc


def key_usages(words: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the key usage bits that *words* mean, such as digitalSignature or digital_signature.

    Raises:
        SpecError: every word that means none.
    """
    found = {word: _WORDS.get(_plain(word), "") for word in words}
    unknown = [word for word, name in found.items() if name not in KEY_USAGES]
    if unknown:
        raise SpecError(f"key_usage: {', '.join(unknown)} is unknown; there are {', '.join(KEY_USAGES)}")
    return tuple(dict.fromkeys(found.values()))


def extended_key_usages(words: Iterable[str], option: str = "extended_key_usage") -> tuple[str, ...]:
    """Return the names, or dotted OIDs, that *words* mean, such as serverAuth or 1.3.6.1.5.5.7.3.1.

    Args:
        option: where they come from, for the message.
    Raises:
        SpecError: every word that means none.
    """
    given = list(words)
    found = [_EXTENDED_KEY_USAGE_NAMES.get(word, _WORDS.get(_plain(word), word)) for word in given]
    unknown = [word for word, name in zip(given, found, strict=True) if not _is_purpose(name)]
    if unknown:
        names = ", ".join(EXTENDED_KEY_USAGES)
        raise SpecError(f"{option}: {', '.join(unknown)} is unknown; give an OID, or one of {names}")
    return tuple(dict.fromkeys(found))


def _is_purpose(name: str) -> bool:
    return name in EXTENDED_KEY_USAGES or _OID.fullmatch(name) is not None


def to_key_usage(names: Sequence[str]) -> x509.KeyUsage:
    """Return the extension of these bits.

    Raises:
        SpecError: encipher_only or decipher_only without key_agreement, where they have no meaning.
    """
    if "key_agreement" not in names and not {"encipher_only", "decipher_only"}.isdisjoint(names):
        raise SpecError("key_usage: encipher_only and decipher_only mean something with key_agreement alone")
    return x509.KeyUsage(**{usage: usage in names for usage in KEY_USAGES})


def key_usage_names(value: x509.KeyUsage) -> list[str]:
    """Return the bits that are set."""
    usages = KEY_USAGES if value.key_agreement else KEY_USAGES[:-2]
    return [usage for usage in usages if getattr(value, usage)]


def to_extended_key_usage(names: Sequence[str]) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([to_oid(EXTENDED_KEY_USAGES.get(name, name)) for name in names])


def is_for_time_stamping_alone(value: x509.ExtendedKeyUsage | None, critical: bool) -> bool:
    """Tell whether the purpose of a timestamping service stands alone, and critical, as it has to (RFC 3161 2.3)."""
    return value is not None and critical and extended_key_usage_names(value) == [TIME_STAMPING]


def extended_key_usage_names(value: x509.ExtendedKeyUsage) -> list[str]:
    return [_EXTENDED_KEY_USAGE_NAMES.get(oid.dotted_string, oid.dotted_string) for oid in value]
