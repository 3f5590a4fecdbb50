# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing services: certificates of a tree whose keys sign files, each key with a policy of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .tree import Tree
from .tree_accounts import key_id
from .tree_entries import Entry
from .tree_keys import access_keys
from .tree_options import ADMINISTRATOR_ROLE
from .tree_partners import partner_answers, partner_imports
from .tree_place import Place
from .tree_plan import certificates, ledgers, public_keys

SIGNING_PURPOSES = ("document_signing", "code_signing", "email_protection")
"""Extended key usages of those who sign files (RFC 9336, RFC 5280 4.2.1.12)."""

SERVICE_KEY_OPTIONS = (
    "alias",
    "key_spec",
    "description",
    "region",
    ADMINISTRATOR_ROLE,
    "administrators",
    "signers",
    "verifiers",
    "online_verifiers",
    "auditors",
    "signing_algorithms",
)
"""Options of a service's key; a service's key policy is made, so nobody else's is taken."""


def service_problems(services: Sequence[Entry]) -> list[str]:
    """Return what is wrong with certificates as services, besides what is wrong with them anyway."""
    return [problem for service in services for problem in (*_key_problems(service), *_purpose_problems(service))]


def _key_problems(service: Entry) -> Iterator[str]:
    if service.key is None or not service.alias:
        yield f"service {service.name}: has no key with an alias; key: {{}} asks for one"
    for option in sorted(set(service.key or ()) - {*SERVICE_KEY_OPTIONS, "key_id"}):
        words = ", ".join(SERVICE_KEY_OPTIONS)
        yield f"service {service.name}: its key cannot have {option}, only {words}"


def _purpose_problems(service: Entry) -> Iterator[str]:
    if service.profile and not set(SIGNING_PURPOSES) & set(service.profile.extended_key_usage):
        yield (
            f"service {service.name}: {service.profile.name} certificates are not for signing files; "
            f"use {' or '.join(SIGNING_PURPOSES)}, or a profile that extends one of them"
        )


def plan_services(tree: Tree, order: Sequence[Entry], place: Place, pki_name: str) -> dict[str, object]:
    """Return the options of every task that makes the services in *order*, on top of the rest of *tree*."""
    authorities = tree.authorities if order else ()
    return {
        "pki_dir": place.path(place.pki_dir),
        "answers": partner_answers(tree, authorities, place),
        "imports": partner_imports(tree, authorities, place),
        "kms_keys": access_keys(order, pki_name),
        "public_keys": public_keys(tree, order, place),
        "certificates": [one for one in certificates(tree, order, place) if one["name"] in {e.name for e in order}],
        "ledgers": ledgers(tree, place),
        "services": [_service(tree, entry, place) for entry in order],
    }


def _service(tree: Tree, entry: Entry, place: Place) -> dict[str, object]:
    """Return what whoever signs has to know."""
    stem = place.of_authority("certificates", entry.name)
    *_between, root = list(tree.upwards(entry))
    return {
        "name": entry.name,
        "key_id": key_id(entry),
        "certificate_path": f"{stem}.fullchain.pem",
        "root_certificate_path": place.of_authority("trust", f"{root.name}.pem"),
    }
