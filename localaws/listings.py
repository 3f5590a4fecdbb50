# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists as AWS gives them: in pages, and with aliases of AWS's own that stand for no key yet."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.services import kms

from localaws.keys import Handler, RefusedError, Reply, Request, to_reply

EVERYTHING = 10**9


def _pages(listing: Callable[[dict[str, Any]], Reply], member: str, size: int) -> Handler:
    """Return a handler that gives *member* of *listing* in pages of *size* unless told otherwise."""

    def handler(request: Request) -> Reply:
        items = json.loads(listing({**request.data, "Limit": EVERYTHING})[2])[member]
        marker = request.data.get("Marker", "0")
        if not marker.isdigit():
            raise RefusedError("InvalidMarkerException")
        end = int(marker) + request.data.get("Limit", size)
        more = {"NextMarker": str(end)} if end < len(items) else {}
        return to_reply({member: items[int(marker) : end], "Truncated": bool(more), **more})

    return handler


def _all_aliases(data: dict[str, Any]) -> Reply:
    """List the aliases, AWS's own first."""
    reply: Reply = kms._list_aliases(data)
    if data.get("KeyId"):
        return reply
    name = "alias/aws/acm"
    own = {"AliasName": name, "AliasArn": kms._alias_arn(name)}
    return to_reply({"Aliases": [own, *json.loads(reply[2])["Aliases"]]})


HANDLERS: dict[str, Handler] = {
    "ListAliases": _pages(_all_aliases, "Aliases", 50),
    "ListKeys": _pages(kms._list_keys, "Keys", 100),
    "ListResourceTags": _pages(kms._list_resource_tags, "Tags", 50),
}
