# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of keys: aliases, and the tags that say whose a key is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .._pki.errors import SpecError

ALIAS_TAG = "rootstock:alias"
USE_TAG = "rootstock:use"
OUR_PREFIX = "rootstock:"
USES = ("ca", "ocsp", "sign", "encrypt")
USAGE_OF_USE = {"ca": "SIGN_VERIFY", "ocsp": "SIGN_VERIFY", "sign": "SIGN_VERIFY", "encrypt": "ENCRYPT_DECRYPT"}

AWS_ALIASES = "alias/aws/"
"""How the names of the keys of AWS's own begin."""

ALIAS = re.compile(r"alias/[A-Za-z0-9/_-]+")
ALIAS_LENGTH = 256
TAGS_AT_MOST = 50
TAG_KEY_LENGTH = 128
TAG_VALUE_LENGTH = 256


def to_alias(text: str) -> str:
    """Return *text*, written with or without alias/, as KMS takes it.

    Raises:
        SpecError: no alias name, or one that AWS keeps for itself.
    """
    name = text if text.startswith("alias/") else f"alias/{text}"
    if text.startswith("arn:"):
        raise SpecError(
            f"alias {text}: an ARN stands where a name such as pki/acme/root is expected; key_id takes ARNs"
        )
    if not ALIAS.fullmatch(name) or len(name) > ALIAS_LENGTH:
        raise SpecError(
            f"alias {text}: expected letters, digits, slashes, underscores, dashes; with alias/ {ALIAS_LENGTH} at most"
        )
    if name.startswith(AWS_ALIASES):
        raise SpecError(f"alias {text}: names that begin with alias/aws/ belong to AWS; choose another")
    return name


def visible_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that are the user's: neither ours nor AWS's own."""
    return {key: value for key, value in tags.items() if not key.lower().startswith((OUR_PREFIX, "aws:"))}


def own_tags(alias: str, use: str | None) -> dict[str, str]:
    """Return the tags that this collection puts on a key that it makes."""
    return {**({ALIAS_TAG: alias} if alias else {}), **({USE_TAG: use} if use else {})}


def check_tags(tags: Mapping[str, str]) -> list[str]:
    """Return what KMS, or this collection, would refuse in *tags*."""
    problems = [problem for key, value in tags.items() for problem in _check_tag(key, value)]
    allowed = TAGS_AT_MOST - len((ALIAS_TAG, USE_TAG))
    if len(tags) > allowed:
        problems.append(f"tags: {len(tags)} given, a key takes {allowed} beside the two of this collection")
    return problems


def _check_tag(key: str, value: str) -> list[str]:
    problems = []
    if key.lower().startswith(OUR_PREFIX):
        problems.append(f"tag {key}: names that begin with {OUR_PREFIX} belong to this collection; choose another")
    if key.lower().startswith("aws:"):
        problems.append(f"tag {key}: names that begin with aws: belong to AWS; choose another")
    if not 1 <= len(key) <= TAG_KEY_LENGTH:
        problems.append(f"tag {key[:40]!r}: a name has 1 to {TAG_KEY_LENGTH} characters, this one {len(key)}")
    if len(value) > TAG_VALUE_LENGTH:
        problems.append(f"tag {key}: a value has at most {TAG_VALUE_LENGTH} characters, this one {len(value)}")
    return problems
