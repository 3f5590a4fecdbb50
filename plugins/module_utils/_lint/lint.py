# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pkilint finds in a certificate or CRL; the library is needed here alone, and only by who wants to lint."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from .._pki.errors import SpecError

SEVERITIES = ("fatal", "error", "warning", "notice", "info", "debug")
"""The gravest first."""


@dataclass(frozen=True)
class Finding:
    """One thing that a linter found.

    Attributes:
        severity: one of SEVERITIES.
        code: pkilint's, such as pkix.ca_certificate_no_ski.
        message: where it was found, and what, where pkilint says more than the code does.
    """

    severity: str
    code: str
    message: str


def lint(der: bytes, kind: str = "certificate") -> list[Finding]:
    """Return what pkilint finds against RFC 5280 in *der*, the gravest first.

    Args:
        kind: certificate or crl.
    Raises:
        SpecError: pkilint is not installed, or the structure cannot be parsed at all.
    """
    if find_spec("pkilint") is None:
        raise SpecError("lint: needs the Python library pkilint where the module runs; install it, or use lint: off")
    load, validators = _linter(kind)
    try:
        document = load(der, kind)
    except ValueError as exc:
        raise SpecError(f"lint: pkilint cannot parse the {kind} ({exc})") from exc
    found = [
        Finding(str(told.finding.severity).lower(), told.finding.code, _message(result.node.path, told.message))
        for result in validators.validate(document.root)
        for told in result.finding_descriptions
    ]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _message(path: str, message: str | None) -> str:
    return f"{path}: {message}" if message else path


@cache
def _linter(kind: str) -> tuple[Callable[[bytes, str], Any], Any]:
    """Return the loader and the validators of *kind*; pkilint is imported here, which takes half a second."""
    # Its own traceback of an unexpected error would go to stderr, and says no more than the finding that it also is.
    logging.getLogger("pkilint").addHandler(logging.NullHandler())
    return _LINTERS[kind]()


def _certificate_linter() -> tuple[Callable[[bytes, str], Any], Any]:
    from pkilint.loader import load_der_certificate
    from pkilint.pkix import certificate, extension, name

    decoding = certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS)
    parts = [
        certificate.create_issuer_validator_container([]),
        certificate.create_validity_validator_container(),
        certificate.create_subject_validator_container([]),
        certificate.create_extensions_validator_container([]),
        certificate.create_spki_validator_container([]),
    ]
    return load_der_certificate, certificate.create_pkix_certificate_validator_container(decoding, parts)


def _crl_linter() -> tuple[Callable[[bytes, str], Any], Any]:
    from pkilint import pkix
    from pkilint.loader import load_der_crl
    from pkilint.pkix import crl, extension, name

    decoding = [
        pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
        pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
    ]
    parts = [
        crl.create_issuer_validator_container([]),
        crl.create_validity_validator_container([]),
        crl.create_extensions_validator_container([]),
    ]
    return load_der_crl, crl.create_pkix_crl_validator_container(decoding, parts)


_LINTERS: Mapping[str, Callable[[], tuple[Callable[[bytes, str], Any], Any]]] = {
    "certificate": _certificate_linter,
    "crl": _crl_linter,
}
