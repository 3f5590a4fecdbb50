# Copyright: Contributors to the rootstock.pki project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process that serves: ministack behind one loopback port, extended before it starts, with control endpoints."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.protocol.events import StreamClosed

from localaws.faults import Call, Control, Fault, HangUpError

Reply = tuple[int, dict[str, str], bytes]
Dispatch = Callable[..., Awaitable[Reply]]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ENVIRONMENT = {
    "AUTH": "true",
    "BIND_HOST": "127.0.0.1",
    "CLOUDTRAIL_RECORDING": "1",
    "DOCKER_HOST": "unix:///nonexistent",  # no container of the user's is anybody's business here
    "IOT_MTLS_ENABLED": "0",
    "LOG_LEVEL": "WARNING",
    "SFTP_ENABLED": "0",
}
FOREIGN = ("AWS_", "MINISTACK_", "LOCALSTACK_", "EDGE_PORT", "PERSIST_STATE", "S3_PERSIST", "SERVICES", "USE_SSL")


def prepare_environment(port: int, state: Path | None) -> None:
    """Set what ministack reads while it is imported; nothing of the user's own reaches it."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    os.environ.update(ENVIRONMENT, GATEWAY_PORT=str(port))
    if state:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.chmod(0o700)
        os.environ.update(PERSIST_STATE="1", STATE_DIR=str(state.resolve()))


class Gateway:
    """Ministack with its calls counted and faults let in."""

    def __init__(self, ministack: Any, stopping: asyncio.Event) -> None:
        self.ministack = ministack
        self.control = Control()
        self.stopping = stopping
        self._dispatch: Dispatch = ministack._dispatch_service_request
        ministack._dispatch_service_request = self.dispatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/_localaws/"):
            await self._answer_control(scope, receive, send)
            return
        try:
            await self.ministack.app(scope, receive, send)
        except HangUpError:
            stream = send.__self__  # type: ignore[attr-defined]  # ASGI has no word for hanging up
            await stream.send(StreamClosed(stream_id=stream.stream_id))

    async def _answer_control(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        try:
            asked = json.loads(body or b"null")
            if (scope["method"], scope["path"]) == ("PUT", "/_localaws/age"):
                from localaws import records

                records.age(asked["key"], asked["days"])
                reply: object = {}
            else:
                reply = self.control.answer(scope["method"], scope["path"], asked)
            status = 404 if reply is None else 200
        except ValueError as exc:
            status, reply = 400, {"message": str(exc)}
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(reply).encode()})

    async def dispatch(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
    ) -> Reply:
        """Carry out one AWS call, with what was asked to go wrong with it."""
        call = self._describe(method, path, headers, body, query)
        faults = self.control.arrive(call)
        reply = await self._suffer(faults, "before", call, headers, request_id)
        if reply is None:
            reply = await self._dispatch(method, path, headers, body, query, request_id)
            reply = await self._suffer(faults, "after", call, headers, request_id) or reply
        reply[1].setdefault("x-amzn-requestid", request_id)
        return reply

    def _describe(self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Call:
        from ministack.core.iam_actions import extract_iam_action
        from ministack.core.iam_evaluator import resolve_caller_identity
        from ministack.core.router import detect_service, extract_access_key_id

        params = self.ministack._routing_params(method, path, headers, body, query)
        service = detect_service(method, path, headers, params)
        operation = extract_iam_action(service, method, path, headers, body, params) or f"{service}:{method}"
        caller = resolve_caller_identity(extract_access_key_id(headers, query)) or {}
        return Call(operation, caller.get("userArn", "unknown"), caller.get("accountId", ""))

    async def _suffer(
        self, faults: list[Fault], when: str, call: Call, headers: dict[str, str], request_id: str
    ) -> Reply | None:
        reply = None
        for fault in (fault for fault in faults if fault.when == when):
            if fault.action == "die":
                self._die()
            elif fault.action == "drop":
                raise HangUpError
            elif fault.action == "delay":
                await self._wait(fault.seconds)
            else:
                reply = reply or self._failure(fault, call, headers, request_id)
        return reply

    def _die(self) -> None:
        """End as a crash does for the client; what AWS had done stays done, where state is kept."""
        from ministack.core.persistence import save_all

        save_all(self.ministack._build_persistence_save_dict())
        os._exit(70)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except asyncio.TimeoutError:
            return
        raise HangUpError

    def _failure(self, fault: Fault, call: Call, headers: dict[str, str], request_id: str) -> Reply:
        from ministack.core.iam_actions import access_denied_response

        service = call.operation.partition(":")[0]
        _unused, reply_headers, body = access_denied_response(
            service, call.operation, call.caller, request_id, error_code=fault.code, message=fault.message,
            headers=headers,
        )  # fmt: skip
        return fault.status, reply_headers, body


async def announce(endpoint: str) -> None:
    """Print the endpoint once it answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(endpoint.rpartition(":")[2]))
    writer.write(b"GET /_ministack/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    await reader.readline()
    writer.close()
    print(endpoint, flush=True)


async def follow(parent: int, stopping: asyncio.Event) -> None:
    """Stop when the process that started this one is gone."""
    while os.getppid() == parent:
        await asyncio.sleep(1)
    stopping.set()


async def run(listener: socket.socket, parent: int | None) -> None:
    import ministack.app

    from localaws import overlay

    overlay.install()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    tasks = [asyncio.create_task(announce(endpoint))]
    if parent:
        tasks.append(asyncio.create_task(follow(parent, stopping)))
    app: Any = Gateway(ministack.app, stopping)  # ASGI's types are hypercorn's own
    await serve(app, config, shutdown_trigger=stopping.wait, mode="asgi")
    for task in tasks:
        task.cancel()


def main(port: int, state: Path | None = None, parent: int | None = None) -> int:
    """Serve on a loopback port until SIGTERM."""
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as exc:
        print(f"port {port} cannot be had: {exc.strerror}; take another with --port", file=sys.stderr)
        return 2
    prepare_environment(listener.getsockname()[1], state)
    asyncio.run(run(listener, parent))
    return 0
