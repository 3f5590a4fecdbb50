# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificate profiles as data: what kind of certificate a name such as tls_server stands for."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from .attributes import is_oid
from .errors import SpecError
from .problems import refuse
from .times import to_duration
from .usages import extended_key_usages, key_usages

# Key types a profile tells apart; the key usage that fits depends on them (RFC 5280 4.2.1.3, RFC 8410 5, RFC 9881 5).
RSA, EC, ED25519, ML_DSA = "RSA", "EC", "Ed25519", "ML-DSA"
KEY_TYPES = (RSA, EC, ED25519, ML_DSA)
SAN_KINDS = ("DNS", "IP", "email", "URI", "RID", "dirName", "otherName")
COPYABLE = ("subject_alt_name", "ocsp_must_staple")
CUSTOM = "custom"

_MAILBOXES = ("email", "otherName:1.3.6.1.5.5.7.8.9")  # SmtpUTF8Mailbox (RFC 9598 3)
_CA_USAGE = ("key_cert_sign", "crl_sign")
_NIST = ("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521")
_RSA = ("RSA_2048", "RSA_3072", "RSA_4096")
# Specs of keys that can be certified, in the words of the KMS API.
KEY_SPECS = (*_RSA, *_NIST, "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87")


def _all(*usages: str) -> Mapping[str, tuple[str, ...]]:
    return dict.fromkeys(KEY_TYPES, usages)


def _rsa_encrypts(*usages: str) -> Mapping[str, tuple[str, ...]]:
    """Key transport exists for RSA alone; EC keys agree on one instead, and signature keys do neither."""
    return {**_all(*usages), RSA: (*usages, "key_encipherment")}


@dataclass(frozen=True)
class Profile:
    """One kind of certificate.

    Attributes:
        key_usage: key usage bits by key type (RFC 5280 4.2.1.3).
        not_after: default end of validity, relative to the time of issue.
        ca: whether it is an authority (basic constraints).
        self_signed: True for the one kind that has no issuer.
        extended_key_usage: names of _pki/usages.py or dotted OIDs; empty means no such extension.
        san_kinds: at least one subject alternative name of these kinds is required; empty means none is.
        csr_extensions: extensions that may be taken over from a CSR.
        csr_san_kinds: kinds of alternative names that may be taken over from a CSR; otherName:OID is one type alone.
        longest: longest validity, as a relative time; empty means as long as the issuer.
        key_specs: specs of subject keys as in the KMS API; empty means any.
        ocsp_no_check: whether relying parties need not ask for its revocation (RFC 6960 4.2.2.2.1).
    """

    name: str
    key_usage: Mapping[str, tuple[str, ...]] = field(hash=False)
    not_after: str
    ca: bool = False
    self_signed: bool = False
    extended_key_usage: tuple[str, ...] = ()
    extended_key_usage_critical: bool = False
    san_kinds: tuple[str, ...] = ()
    csr_extensions: tuple[str, ...] = ()
    csr_san_kinds: tuple[str, ...] = ()
    longest: str = ""
    key_specs: tuple[str, ...] = ()
    ocsp_no_check: bool = False

    @property
    def is_custom(self) -> bool:
        return self.name == CUSTOM


_BUILT_IN = (
    Profile("root_ca", _all(*_CA_USAGE), "+10950d", ca=True, self_signed=True),
    Profile("subordinate_ca", _all(*_CA_USAGE), "+3650d", ca=True),
    Profile(
        "tls_server",
        _rsa_encrypts("digital_signature"),
        "+397d",
        extended_key_usage=("server_auth",),
        san_kinds=("DNS", "IP"),
        csr_extensions=COPYABLE,
        csr_san_kinds=("DNS", "IP"),
        longest="825d",
    ),
    Profile(
        "tls_client",
        _all("digital_signature"),
        "+397d",
        extended_key_usage=("client_auth",),
        csr_extensions=("subject_alt_name",),
        csr_san_kinds=("DNS", "IP", "email", "URI"),
        longest="825d",
    ),
    Profile(
        "tls_peer",
        _rsa_encrypts("digital_signature"),
        "+397d",
        extended_key_usage=("server_auth", "client_auth"),
        san_kinds=("DNS", "IP", "URI"),
        csr_extensions=COPYABLE,
        csr_san_kinds=("DNS", "IP", "URI"),
        longest="825d",
    ),
    Profile("code_signing", _all("digital_signature"), "+1095d", extended_key_usage=("code_signing",)),
    Profile(
        "document_signing",
        _all("digital_signature", "content_commitment"),
        "+1095d",
        extended_key_usage=("document_signing",),
        csr_extensions=("subject_alt_name",),
        csr_san_kinds=_MAILBOXES,
    ),
    Profile(
        "email_protection",
        _rsa_encrypts("digital_signature"),
        "+825d",
        extended_key_usage=("email_protection",),
        san_kinds=("email", "otherName"),
        csr_extensions=("subject_alt_name",),
        csr_san_kinds=_MAILBOXES,
        longest="1185d",
    ),
    Profile(
        "timestamping",
        _all("digital_signature"),
        "+1825d",
        extended_key_usage=("time_stamping",),
        extended_key_usage_critical=True,
    ),
    Profile(
        "ocsp_signing",
        _all("digital_signature"),
        "+90d",
        extended_key_usage=("ocsp_signing",),
        longest="397d",
        ocsp_no_check=True,
    ),
    Profile(
        "iam_roles_anywhere",
        _all("digital_signature"),
        "+365d",
        extended_key_usage=("client_auth",),
        csr_extensions=("subject_alt_name",),
        csr_san_kinds=("DNS", "URI"),
        key_specs=(*_RSA, *_NIST),
    ),
    Profile(CUSTOM, _all(), "+397d"),
)
PROFILES: Mapping[str, Profile] = {profile.name: profile for profile in _BUILT_IN}


def profile_named(name: str, definitions: Mapping[str, Any] | None = None) -> Profile:
    """Return the profile *name*, built in or made from *definitions*.

    Args:
        definitions: the user's own profiles by name, each with `extends` and what it says otherwise.
    Raises:
        SpecError: there is none of that name, or its definition is wrong; all problems in one message.
    """
    own = definitions or {}
    if name in PROFILES:
        if name in own:
            raise SpecError(f"certificate profile {name} is built in; give your own another name")
        return PROFILES[name]
    if name not in own:
        known = [*PROFILES, *own]
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise SpecError(f"certificate_profile {name} does not exist; {hint}")
    return _extended(name, own[name])


def _extended(name: str, definition: object) -> Profile:
    if not isinstance(definition, Mapping):
        raise SpecError(f"certificate profile {name}: expected a dictionary with extends")
    base = PROFILES.get(str(definition.get("extends")))
    if base is None:
        raise SpecError(f"certificate profile {name}: extends has to name one of {', '.join(PROFILES)}")
    problems: list[str] = []
    changes: dict[str, Any] = {}
    for option, value in definition.items():
        if option == "extends":
            continue
        reader = _READERS.get(str(option))
        if reader is None:
            problems.append(f"{option} is unknown; there are extends, {', '.join(_READERS)}")
            continue
        try:
            changes.update(reader(value, base))
        except SpecError as exc:
            problems.append(str(exc))
    refuse(f"certificate profile {name}: {problem}" for problem in problems)
    return replace(base, name=name, **changes)


def _texts(option: str, value: object, allowed: Sequence[str] = ()) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise SpecError(f"{option} has to be a list of texts")
    unknown = [item for item in value if allowed and item not in allowed]
    if unknown:
        raise SpecError(f"{option}: {', '.join(unknown)} is unknown; there are {', '.join(allowed)}")
    return tuple(dict.fromkeys(str(item) for item in value))


def _read_key_usage(value: object, base: Profile) -> dict[str, Any]:
    if isinstance(value, Mapping):
        unknown = [str(key_type) for key_type in value if key_type not in KEY_TYPES]
        if unknown:
            raise SpecError(f"key_usage: {', '.join(unknown)} is no type of key; there are {', '.join(KEY_TYPES)}")
        given = {str(kind): key_usages(_texts("key_usage", words)) for kind, words in value.items()}
        return {"key_usage": {**base.key_usage, **given}}
    return {"key_usage": _all(*key_usages(_texts("key_usage", value)))}


def _read_span(option: str, sign: str) -> Callable[[object, Profile], dict[str, Any]]:
    def read(value: object, _base: Profile) -> dict[str, Any]:
        if to_duration(str(value)) <= timedelta(0):
            raise SpecError(f"{option} {value} is no time to come; write one such as 90d")
        return {option: f"{sign}{str(value).strip().lstrip('+')}"}

    return read


def _read_flag(option: str) -> Callable[[object, Profile], dict[str, Any]]:
    def read(value: object, _base: Profile) -> dict[str, Any]:
        if not isinstance(value, bool):
            raise SpecError(f"{option} has to be true or false")
        return {option: value}

    return read


def _read_list(option: str, allowed: Sequence[str] = ()) -> Callable[[object, Profile], dict[str, Any]]:
    return lambda value, _base: {option: _texts(option, value, allowed)}


def _read_csr_san_kinds(value: object, _base: Profile) -> dict[str, Any]:
    kinds = _texts("csr_san_kinds", value)
    unknown = [kind for kind in kinds if kind not in SAN_KINDS and not _is_one_type(kind)]
    if unknown:
        known = ", ".join(SAN_KINDS)
        raise SpecError(f"csr_san_kinds: {', '.join(unknown)} is unknown; there are {known}, otherName:1.2.3")
    return {"csr_san_kinds": kinds}


def _is_one_type(kind: str) -> bool:
    prefix, _colon, oid = kind.partition(":")
    return prefix == "otherName" and is_oid(oid)


# What a definition may say, and how it becomes a field of Profile.
_READERS: Mapping[str, Callable[[object, Profile], dict[str, Any]]] = {
    "key_usage": _read_key_usage,
    "extended_key_usage": lambda value, _base: {
        "extended_key_usage": extended_key_usages(_texts("extended_key_usage", value))
    },
    "extended_key_usage_critical": _read_flag("extended_key_usage_critical"),
    "san_kinds": _read_list("san_kinds", SAN_KINDS),
    "csr_extensions": _read_list("csr_extensions", COPYABLE),
    "csr_san_kinds": _read_csr_san_kinds,
    "key_specs": _read_list("key_specs", KEY_SPECS),
    "not_after": _read_span("not_after", "+"),
    "longest": _read_span("longest", ""),
    "ocsp_no_check": _read_flag("ocsp_no_check"),
}
