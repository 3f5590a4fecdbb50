# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of an inventory's entries, and the shapes of their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

AUTHORITY, CERTIFICATE, CROSS = "authority", "certificate", "cross-certificate"

VARIABLES = {AUTHORITY: "pki_authorities", CERTIFICATE: "pki_certificates"}


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def is_number(value: object) -> bool:
    """True for a whole number as YAML or a template has it; none that matters here has more than nine digits."""
    return str(value).isdecimal() and len(str(value)) < 10


def found(value: object) -> str:
    """Return *value* as messages show it; an option without a value is empty in YAML."""
    return "empty" if value is None else f"{value!r}"


def listed(variable: str, given: object) -> tuple[Sequence[object], list[str]]:
    """Return the entries of a variable, none where it is no list, and what is wrong with it."""
    return (given, []) if is_list(given) else ((), [f"{variable} is {found(given)}; expected a list"])


def text_problems(given: Mapping[str, object]) -> list[str]:
    """Return which variables are no strings: the validation of a role takes numbers for them, and hands none on."""
    return [
        f"{variable} is {found(value)}; expected a string{'' if value is None else ', so put it between quotes'}"
        for variable, value in given.items()
        if not isinstance(value, str)
    ]


@dataclass(frozen=True)
class Shape:
    """What a value looks like.

    Attributes:
        read: makes of a value that fits what it stands for; templates yield strings on older releases of ansible-core.
    """

    words: str
    fits: Callable[[object], bool]
    read: Callable[[Any], object] = lambda value: value


_TEXT = Shape("a string", lambda value: isinstance(value, (str, int, float)) and not isinstance(value, bool), str)
_TEXTS = Shape("a list of strings", lambda value: is_list(value) and all(isinstance(item, str) for item in value))
_NUMBER = Shape("a whole number, 0 or more", is_number, int)
_FROM_ONE = Shape("a whole number, 1 or more", lambda value: is_number(value) and int(str(value)) > 0, int)
_FLAG = Shape(
    "true or false",
    lambda value: str(value).lower() in ("true", "false", "yes", "no"),
    lambda value: str(value).lower() in ("true", "yes"),
)
_MAP = Shape("a mapping", lambda value: isinstance(value, Mapping))
_LIST = Shape("a list", is_list)
_LINT = Shape(  # what is not quoted as off is false in YAML
    "off, warn or error",
    lambda value: value is False or value in ("off", "warn", "error"),
    lambda value: value or "off",
)
_JSON = Shape("a mapping or JSON", lambda value: isinstance(value, (Mapping, str)))

# Lists of principals that make a key policy.
PRINCIPALS = (
    "administrators",
    "signers",
    "verifiers",
    "online_verifiers",
    "encrypters",
    "decrypters",
    "auditors",
)

# Options of an entry -> shape. Twin of roles/pki_tree/meta/argument_specs.yml; a test compares them.
COMMON_OPTIONS: Mapping[str, Shape] = {
    "name": _TEXT,
    "generation": _FROM_ONE,
    "issuer": _TEXT,
    "certificate_profile": _TEXT,
    "key": _MAP,
    "subject": _MAP,
    "subject_ordered": _LIST,
    "subject_alt_name": _TEXTS,
    "subject_alt_name_critical": _FLAG,
    "not_before": _TEXT,
    "not_after": _TEXT,
    "renew_before": _TEXT,
    "digest": _TEXT,
    "signature_padding": _TEXT,
    "authority_information_access": _MAP,
    "crl_distribution_points": _LIST,
    "crl_partitions": _NUMBER,
    "freshest_crl": _LIST,
    "issuer_alt_name": _TEXTS,
    "key_usage": _TEXTS,
    "key_usage_critical": _FLAG,
    "extended_key_usage": _TEXTS,
    "extended_key_usage_critical": _FLAG,
    "certificate_policies": _LIST,
    "certificate_policies_critical": _FLAG,
    "subject_information_access": _MAP,
    "subject_key_identifier": _TEXT,
    "other_extensions": _LIST,
    "lint": _LINT,
}
# What limits an authority.
_LIMITS: Mapping[str, Shape] = {
    "path_length": _NUMBER,
    "name_constraints_permitted": _TEXTS,
    "name_constraints_excluded": _TEXTS,
    "name_constraints_exclude_others": _FLAG,
    "policy_constraints": _MAP,
    "inhibit_any_policy": _NUMBER,
}
AUTHORITY_OPTIONS: Mapping[str, Shape] = {
    **COMMON_OPTIONS,
    **_LIMITS,
    "reissue_root": _FLAG,
    "crl": _MAP,
    "cross_signed_by": _TEXTS,
    "cross_certificates": _LIST,
    "external": _FLAG,
    "certificate_path": _TEXT,
    "trusted_certificate_path": _TEXTS,
}
# What stands in crl.
CRL_OPTIONS: Mapping[str, Shape] = {
    "next_update": _TEXT,
    "renew_before": _TEXT,
    "partitions": _FROM_ONE,
}
# What stands in cross_certificates.
CROSS_OPTIONS: Mapping[str, Shape] = {
    "name": _TEXT,
    "certificate_path": _TEXT,
    "trusted_certificate_path": _TEXTS,
    "path_length": _NUMBER,
}
CERTIFICATE_OPTIONS: Mapping[str, Shape] = {
    **COMMON_OPTIONS,
    **_LIMITS,
    "csr_path": _TEXT,
    "public_key_path": _TEXT,
    "subject_certificate_path": _TEXT,
    "basic_constraints": _TEXTS,
    "ocsp_must_staple": _FLAG,
    "ocsp_must_staple_critical": _FLAG,
    "ocsp_no_check": _FLAG,
}
# What a request cannot ask for: an external authority's issuer decides on it.
OF_THE_ISSUER = (
    "not_before",
    "not_after",
    "renew_before",
    "authority_information_access",
    "crl_distribution_points",
    "crl_partitions",
    "freshest_crl",
    "issuer_alt_name",
    "policy_constraints",
    "inhibit_any_policy",
    "subject_information_access",
    "subject_key_identifier",
    "lint",
    "reissue_root",
)
EXTERNAL_FILES = ("certificate_path", "trusted_certificate_path")
# What somebody sends who wants a certificate and keeps the key.
SOURCE_FILES = ("csr_path", "public_key_path", "subject_certificate_path")
ADMINISTRATOR_ROLE, SIGNER_ROLE = "administrator_role", "assume_role"
"""Options of a key that say who makes it, and who signs with it."""

KEY_OPTIONS: Mapping[str, Shape] = {
    "alias": _TEXT,
    "key_id": _TEXT,
    "key_spec": _TEXT,
    "description": _TEXT,
    "tags": _MAP,
    "purge_tags": _FLAG,
    "policy": _JSON,
    **dict.fromkeys(PRINCIPALS, _LIST),
    "break_glass_principals": _TEXTS,
    "signing_algorithms": _TEXTS,
    "account_root": _TEXT,
    "minimum_pending_window": _NUMBER,
    "region": _TEXT,
    ADMINISTRATOR_ROLE: _MAP,
}
AUTHORITY_KEY_OPTIONS: Mapping[str, Shape] = {**KEY_OPTIONS, SIGNER_ROLE: _MAP}
OPTIONS: Mapping[str, Mapping[str, Shape]] = {AUTHORITY: AUTHORITY_OPTIONS, CERTIFICATE: CERTIFICATE_OPTIONS}
OPTIONS_OF_KEYS: Mapping[str, Mapping[str, Shape]] = {AUTHORITY: AUTHORITY_KEY_OPTIONS, CERTIFICATE: KEY_OPTIONS}
ROLE_OPTIONS: Mapping[str, Shape] = {
    "role_arn": _TEXT,
    "session_name": _TEXT,
    "external_id": _TEXT,
    "duration": _NUMBER,
}

STATES = ("revoked", "released", "retired")
# Options of an entry of pki_revocations that say which certificate is meant; one of them does.
SELECTORS = ("name", "serial_number_hex", "serial_number", "path")
# Twin of roles/pki_revocation/meta/argument_specs.yml; a test compares them.
REVOCATION_OPTIONS: Mapping[str, Shape] = {
    "authority": _TEXT,
    **dict.fromkeys(SELECTORS, _TEXT),
    "serial_number": _NUMBER,
    "issued_before": _TEXT,
    "reason": _TEXT,
    "revocation_date": _TEXT,
    "invalidity_date": _TEXT,
    "state": Shape(", ".join(STATES[:-1]) + f" or {STATES[-1]}", lambda value: value in STATES),
    "foreign": _FLAG,
}

# Specs of keys that can sign certificates, in the words of the KMS API.
KEY_SPECS = (
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
)
DEFAULT_KEY_SPEC = "ECC_NIST_P256"
