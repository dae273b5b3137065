"""Serve a sandbox on a loopback port, for as long as a `with` block lasts.

The parts of uvicorn's server are used without its main loop, which only waits for signals and keeps
a Date header. So there is no background task whose failures would need a group, the answers hold no
clock, and stopping takes milliseconds instead of uvicorn's three waits of 100 ms.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import create_app
from .state import Sandbox

_HOST = "127.0.0.1"
_GRACE = 0.1


@asynccontextmanager
async def running(sandbox: Sandbox, port: int = 0) -> AsyncGenerator[str]:
    """Serve until the block ends, then drop whatever is still open. Port 0 takes a free one."""
    with _listen(port) as listener:
        url = f"http://{_HOST}:{listener.getsockname()[1]}"
        server = await _start(sandbox, listener)
        try:
            yield url
        finally:
            with anyio.CancelScope(shield=True):
                await _stop(server)


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's algorithm off: else small writes wait for an ACK, 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere the option lets two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise OSError(
            error.errno, f"the sandbox cannot listen on {_HOST}:{port}: {error.strerror}"
        ) from error
    return listener


async def _start(sandbox: Sandbox, listener: socket.socket) -> uvicorn.Server:
    config = uvicorn.Config(
        create_app(sandbox),
        http=_QuietProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        proxy_headers=False,
        timeout_keep_alive=75,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    return server


async def _stop(server: uvicorn.Server) -> None:
    """Close the door, hang up, and give handlers a moment to notice before they are cancelled."""
    for listening in server.servers:
        listening.close()
    await asyncio.sleep(0)  # a connection accepted just now gets its protocol
    while server.server_state.connections:
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
    await _finish(set(server.server_state.tasks))


async def _finish(tasks: set[asyncio.Task[None]]) -> None:
    pending = tasks and (await asyncio.wait(tasks, timeout=_GRACE))[1]
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending, timeout=_GRACE)


class _QuietProtocol(H11Protocol):
    """HTTP/1.1 with its own logger: broken replies are on purpose, and uvicorn's loggers are global."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = _log
        self.access_log = False


def _is_our_bug(record: logging.LogRecord) -> bool:
    """Exceptions are; cancelled handlers and incomplete replies are part of the play."""
    return bool(record.exc_info and isinstance(record.exc_info[1], Exception))


_log = logging.getLogger("hub_mcp.sandbox")
_log.setLevel(logging.ERROR)
_log.addFilter(_is_our_bug)
