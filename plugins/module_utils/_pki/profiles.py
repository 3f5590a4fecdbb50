# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificate profiles as data: what kind of certificate a name such as tls_server stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .errors import SpecError

# Key types a profile tells apart; the key usage that fits depends on them (RFC 5280 4.2.1.3, RFC 8410 5, RFC 9881 5).
RSA, EC, ED25519, ML_DSA = "RSA", "EC", "Ed25519", "ML-DSA"
KEY_TYPES = (RSA, EC, ED25519, ML_DSA)

_CA_USAGE = ("key_cert_sign", "crl_sign")


def _all(*usages: str) -> Mapping[str, tuple[str, ...]]:
    return dict.fromkeys(KEY_TYPES, usages)


def _rsa_encrypts(*usages: str) -> Mapping[str, tuple[str, ...]]:
    return {**_all(*usages), RSA: (*usages, "key_encipherment")}


@dataclass(frozen=True)
class Profile:
    """One kind of certificate.

    Attributes:
        key_usage: key usage bits by key type (RFC 5280 4.2.1.3), in the words of the cryptography library.
        extended_key_usage: names of _pki/extended_key_usage.py or dotted OIDs; empty means no such extension.
        san_kinds: at least one subject alternative name of these kinds is required; empty means none is.
        csr_extensions: extensions that may be taken over from a CSR.
        not_after: default end of validity, relative to the time of issue.
        longest_days: longest validity in days; None means as long as the issuer.
        self_signed: True for the one kind that has no issuer.
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
    longest_days: int | None = None
    ocsp_no_check: bool = False


_BUILT_IN = (
    Profile("root_ca", _all(*_CA_USAGE), "+7300d", ca=True, self_signed=True),
    Profile("subordinate_ca", _all(*_CA_USAGE), "+1825d", ca=True),
    Profile(
        "tls_server",
        _rsa_encrypts("digital_signature"),
        "+397d",
        extended_key_usage=("server_auth",),
        san_kinds=("DNS", "IP"),
        csr_extensions=("subject_alt_name",),
        longest_days=825,
    ),
    Profile(
        "tls_client",
        _all("digital_signature"),
        "+397d",
        extended_key_usage=("client_auth",),
        csr_extensions=("subject_alt_name",),
        longest_days=825,
    ),
    Profile(
        "document_signing",
        _all("digital_signature", "content_commitment"),
        "+1095d",
        extended_key_usage=("document_signing",),
        csr_extensions=("subject_alt_name",),
    ),
    Profile(
        "code_signing",
        _all("digital_signature"),
        "+1095d",
        extended_key_usage=("code_signing",),
    ),
    Profile(
        "ocsp_signing",
        _all("digital_signature"),
        "+90d",
        extended_key_usage=("ocsp_signing",),
        ocsp_no_check=True,
    ),
)
PROFILES: Mapping[str, Profile] = {profile.name: profile for profile in _BUILT_IN}


def profile_named(name: str) -> Profile:
    """Return the built-in profile *name*.

    Raises:
        SpecError: there is none; the message lists those there are.
    """
    if name not in PROFILES:
        raise SpecError(f"certificate_profile {name} does not exist; there are {', '.join(PROFILES)}")
    return PROFILES[name]
