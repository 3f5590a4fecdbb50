# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extensions in words, for diffs and messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .extensions import WantedExtension
from .general_names import constraint_text, general_name_text
from .names import name_text
from .usages import extended_key_usage_names, key_usage_names

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]  # require_cryptography() in the module says so


def _access_texts(value: Any) -> list[str]:
    methods = {"1.3.6.1.5.5.7.48.1": "ocsp", "1.3.6.1.5.5.7.48.2": "ca_issuers"}
    return [
        f"{methods.get(item.access_method.dotted_string, item.access_method.dotted_string)} "
        f"{general_name_text(item.access_location)}"
        for item in value
    ]


def _distribution_point_texts(value: Any) -> list[str]:
    texts: list[str] = []
    for point in value:
        texts += [f"relative {name_text(x509.Name([point.relative_name]))}"] if point.relative_name else []
        texts += [general_name_text(name) for name in (*(point.full_name or ()), *(point.crl_issuer or ()))]
    return texts


def _name_constraint_texts(value: Any) -> list[str]:
    permitted = [f"permitted {constraint_text(name)}" for name in value.permitted_subtrees or ()]
    return [*permitted, *(f"excluded {constraint_text(name)}" for name in value.excluded_subtrees or ())]


def _basic_constraint_texts(value: Any) -> list[str]:
    path_length = [] if value.path_length is None else [f"path_length {value.path_length}"]
    return ["CA:TRUE" if value.ca else "CA:FALSE", *path_length]


def _policy_texts(value: Any) -> list[str]:
    qualifiers = (item for policy in value for item in policy.policy_qualifiers or ())
    told = [item if isinstance(item, str) else str(item.explicit_text or "user notice") for item in qualifiers]
    return [*(policy.policy_identifier.dotted_string for policy in value), *told]


def _policy_constraint_texts(value: Any) -> list[str]:
    given = {
        "require_explicit_policy": value.require_explicit_policy,
        "inhibit_policy_mapping": value.inhibit_policy_mapping,
    }
    return [f"{name} {skip}" for name, skip in given.items() if skip is not None]


_TEXTS: Mapping[str, Callable[[Any], list[str]]] = {
    "key_usage": key_usage_names,
    "extended_key_usage": extended_key_usage_names,
    "basic_constraints": _basic_constraint_texts,
    "subject_alt_name": lambda value: [general_name_text(name) for name in value],
    "issuer_alt_name": lambda value: [general_name_text(name) for name in value],
    "name_constraints": _name_constraint_texts,
    "authority_information_access": _access_texts,
    "subject_information_access": _access_texts,
    "crl_distribution_points": _distribution_point_texts,
    "freshest_crl": _distribution_point_texts,
    "subject_key_identifier": lambda value: [value.digest.hex()],
    "authority_key_identifier": lambda value: [(value.key_identifier or b"").hex()],
    "ocsp_no_check": lambda _value: ["present"],
    "ocsp_must_staple": lambda value: [feature.name for feature in value],
    "certificate_policies": _policy_texts,
    "policy_constraints": _policy_constraint_texts,
    "inhibit_any_policy": lambda value: [str(value.skip_certs)],
}


def _hex_texts(value: Any) -> list[str]:
    return [value.public_bytes().hex()]


def extension_texts(extension: WantedExtension) -> list[str]:
    """Return *extension* in words for a diff; one we have no words for as the hex of its DER value."""
    to_texts = _TEXTS.get(extension.name, _hex_texts)
    return [*to_texts(extension.value), *(["critical"] if extension.critical else [])]
