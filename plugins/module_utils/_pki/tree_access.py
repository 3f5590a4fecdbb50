# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the key policies of a tree would deny to those who build it, found before anything exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .tree import Tree
from .tree_accounts import account_of, role_arn
from .tree_entries import Entry
from .tree_options import ADMINISTRATOR_ROLE, PRINCIPALS, SIGNER_ROLE

# The hash of a signature, where the issuer's key leaves no choice; empty where it hashes inside.
HASHES: Mapping[str, str] = {
    "ECC_NIST_P256": "sha256",
    "ECC_NIST_P384": "sha384",
    "ECC_NIST_P521": "sha512",
    "ECC_SECG_P256K1": "sha256",
    "ECC_NIST_EDWARDS25519": "",
    "ML_DSA_44": "",
    "ML_DSA_65": "",
    "ML_DSA_87": "",
}

EVERYBODY = "full"
"""The account_root under which IAM decides, whatever the lists say."""

READERS = ("administrators", "verifiers", "online_verifiers", "auditors")
"""Lists whose members may fetch the public key."""

DUTIES = (
    (ADMINISTRATOR_ROLE, "administer the key", ("administrators",), "administrators"),
    (SIGNER_ROLE, "sign", ("signers",), "signers"),
    (SIGNER_ROLE, "read the public key", READERS, "verifiers"),
)
"""Roles of a key, what each has to do, the lists that let it, and the one to add it to."""

ALGORITHMS: Mapping[str, str] = {"ECC_NIST_EDWARDS25519": "ED25519_SHA_512"}
DEFAULT_DIGEST = "sha256"


def access_problems(tree: Tree) -> list[str]:
    """Return what the generated key policies of *tree* would not let its roles do."""
    authorities = [authority for authority in tree.authorities if authority.name not in tree.misshapen]
    return [
        *(problem for authority in authorities for problem in _algorithms(authority, tree)),
        *(problem for entry in tree.well_shaped for problem in _roles(entry)),
    ]


def _algorithms(authority: Entry, tree: Tree) -> Iterator[str]:
    """Tell signatures that the statement for signers does not allow."""
    allowed = (authority.key or {}).get("signing_algorithms")
    if not isinstance(allowed, list) or not _is_generated(authority):
        return
    issued = (each for each in (*tree.entries, *tree.crosses) if tree.issuer_of(each) == authority)
    for entry in (authority, *issued):  # itself, as it signs its own CRLs in the same way
        wanted = algorithm_of(authority.key_spec, entry.text("digest"), entry.text("signature_padding"))
        if wanted not in allowed and entry.name not in tree.misshapen:
            yield (
                f"{entry.label}: {authority.name} would sign it with {wanted}, and the statement Signers of its key "
                f"policy allows {', '.join(map(str, allowed)) or 'nothing'}; add it to signing_algorithms of the key "
                f"of {authority.name}, or change digest or signature_padding"
            )


def algorithm_of(key_spec: str, digest: str, padding: str) -> str:
    """Return what AWS KMS calls the signature of a certificate or CRL under a key of *key_spec*.

    Args:
        digest, padding: as the entry says; empty for the default.
    """
    if key_spec.startswith("ML_DSA"):
        return "ML_DSA_SHAKE_256"
    bits = (HASHES.get(key_spec) or digest or DEFAULT_DIGEST).removeprefix("sha")
    if key_spec.startswith("RSA"):
        return f"RSASSA_{'PSS' if padding == 'pss' else 'PKCS1_V1_5'}_SHA_{bits}"
    return ALGORITHMS.get(key_spec, f"ECDSA_SHA_{bits}")


def _roles(entry: Entry) -> Iterator[str]:
    """Tell roles that their own key does not let do what they have to."""
    key = entry.key or {}
    if not _is_generated(entry) or key.get("account_root") == EVERYBODY:
        return
    for option, needs, lists, statement in DUTIES:
        arn = role_arn(entry, option)
        principals = [each for name in lists for each in _principals(key.get(name))]
        if arn and not any(_covers(principal, arn) for principal in principals):
            yield (
                f"{entry.label}: {option} {arn} has to {needs}, and its key policy does not let it; "
                f"add it to {statement} of the key"
            )


def _is_generated(entry: Entry) -> bool:
    key = entry.key or {}
    return any(key.get(name) is not None for name in PRINCIPALS)


def _principals(listed: object) -> list[str]:
    entries = listed if isinstance(listed, list) else []
    return [str(each.get("principal") if isinstance(each, Mapping) else each) for each in entries]


def _covers(principal: str, arn: str) -> bool:
    """Return whether a principal is the role, one of its sessions or its account."""
    account = account_of(arn)
    session = f":assumed-role/{arn.rpartition('/')[2]}/"
    return principal in (arn, account) or principal.endswith(f":{account}:root") or session in principal
