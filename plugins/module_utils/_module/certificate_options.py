# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the modules that issue certificates; twin of doc_fragments/certificate.py."""

from __future__ import annotations

from typing import Any

from .._pki.request import NOT_BEFORE, RENEW_BEFORE

CRL_REASONS = [
    "key_compromise",
    "ca_compromise",
    "affiliation_changed",
    "superseded",
    "cessation_of_operation",
    "certificate_hold",
    "privilege_withdrawn",
    "aa_compromise",
]

SUBJECT_KEY_OPTIONS: dict[str, Any] = {
    "key_id": {"type": "str"},
    "csr_path": {"type": "path"},
    "csr_content": {"type": "str"},
    "public_key_path": {"type": "path"},
    "public_key_content": {"type": "str"},
    "subject_certificate_path": {"type": "path"},
    "subject_certificate_content": {"type": "str"},
}

ISSUER_OPTIONS: dict[str, Any] = {
    "issuer_path": {"type": "path"},
    "issuer_content": {"type": "str"},
    "issuer_chain_path": {"type": "list", "elements": "path", "default": []},
    "issuer_key_id": {"type": "str"},
    "ledger_path": {"type": "path"},
    "authority_ledger_path": {"type": "path"},
    "former_ledger_path": {"type": "list", "elements": "path", "default": []},
}

_TEXTS: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
_FLAG: dict[str, Any] = {"type": "bool", "default": False}
_DISTRIBUTION_POINTS: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "full_name": _TEXTS,
        "relative_name": _TEXTS,
        "crl_issuer": _TEXTS,
        "reasons": {**_TEXTS, "choices": CRL_REASONS},
    },
}

# What a request and a certificate have in common.
REQUEST_OPTIONS: dict[str, Any] = {
    "certificate_profile": {"type": "str", "required": True},
    "certificate_profiles": {"type": "dict"},
    "subject": {"type": "dict"},
    "subject_ordered": {"type": "list", "elements": "dict"},
    "subject_alt_name": {"type": "list", "elements": "str"},
    "subject_alt_name_critical": _FLAG,
    "key_usage": {"type": "list", "elements": "str"},
    "key_usage_critical": {"type": "bool", "default": True},
    "extended_key_usage": {"type": "list", "elements": "str"},
    "extended_key_usage_critical": {"type": "bool"},
    "basic_constraints": {"type": "list", "elements": "str"},
    "path_length": {"type": "int"},
    "name_constraints_permitted": _TEXTS,
    "name_constraints_excluded": _TEXTS,
    "name_constraints_exclude_others": {"type": "bool", "default": True},
    "digest": {"type": "str", "choices": ["sha256", "sha384", "sha512"]},
    "signature_padding": {"type": "str", "choices": ["pkcs1v15", "pss"], "default": "pkcs1v15"},
    "certificate_policies": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "policy": {"type": "str", "required": True},
            "cps": _TEXTS,
            "user_notice": {
                "type": "dict",
                "options": {
                    "explicit_text": {"type": "str"},
                    "organization": {"type": "str"},
                    "notice_numbers": {"type": "list", "elements": "int", "default": []},
                },
            },
        },
    },
    "certificate_policies_critical": _FLAG,
    "ocsp_must_staple": _FLAG,
    "ocsp_must_staple_critical": _FLAG,
    "other_extensions": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "oid": {"type": "str", "required": True},
            "value": {"type": "str", "required": True},
            "critical": _FLAG,
        },
    },
}

CERTIFICATE_OPTIONS: dict[str, Any] = {
    **REQUEST_OPTIONS,
    "not_before": {"type": "str", "default": NOT_BEFORE},
    "not_after": {"type": "str"},
    "renew_before": {"type": "str", "default": RENEW_BEFORE},
    "authority_information_access": {"type": "dict", "options": {"ca_issuers": _TEXTS, "ocsp": _TEXTS}},
    "crl_distribution_points": _DISTRIBUTION_POINTS,
    "crl_partitions": {"type": "int"},
    "issuer_alt_name": _TEXTS,
    "freshest_crl": _DISTRIBUTION_POINTS,
    "policy_constraints": {
        "type": "dict",
        "options": {"require_explicit_policy": {"type": "int"}, "inhibit_policy_mapping": {"type": "int"}},
    },
    "inhibit_any_policy": {"type": "int"},
    "ocsp_no_check": _FLAG,
    "subject_information_access": {"type": "dict", "options": {"ca_repository": _TEXTS, "time_stamping": _TEXTS}},
    "subject_key_identifier": {"type": "str"},
    "lint": {"type": "str", "choices": ["off", "warn", "error"], "default": "off"},
}

CSR_OPTIONS: dict[str, Any] = {
    **REQUEST_OPTIONS,
    "name": {"type": "str"},
    "key_id": {"type": "str", "required": True},
    "ledger_path": {"type": "path"},
}
