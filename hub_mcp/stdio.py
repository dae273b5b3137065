"""The MCP server on standard input and output, until the host closes its end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import anyio
from mcp.server.stdio import stdio_server

from .compose import open_hub
from .errors import SettingsError
from .server import create_server
from .settings import Settings

USED_WRONGLY = 2


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Serve until the host is done; returns the exit code."""
    try:
        settings = Settings.from_env(environ)
    except SettingsError as error:
        sys.stderr.write(f"hub-mcp: {error}\n")
        return USED_WRONGLY
    log_to_stderr(settings.log_level)
    return anyio.run(serve, settings)


def log_to_stderr(level: str) -> None:
    logging.basicConfig(
        level=level.upper(), stream=sys.stderr, format="hub-mcp %(levelname)s %(name)s: %(message)s"
    )
    # These write a line a request, with its URL; ours say what matters.
    for chatty in ("httpx2", "httpcore2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


async def serve(settings: Settings) -> int:
    """Serve one host; the exit code is 0 when it left, 130 after Ctrl-C, 143 after SIGTERM."""
    server = create_server(settings, lambda: open_hub(settings))
    async with stdio_server() as (incoming, outgoing):
        with anyio.CancelScope() as scope, _leaving_at_signals(scope):
            await server.run(incoming, outgoing, server.create_initialization_options())
    return 0


@contextmanager
def _leaving_at_signals(scope: anyio.CancelScope) -> Iterator[None]:
    """Cancel `scope` at SIGINT or SIGTERM, so that what is under way ends in order; then leave the process."""
    received: list[int] = []
    loop = asyncio.get_running_loop()

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        loop.call_soon_threadsafe(scope.cancel)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        # Here, not later: the SDK's reader fails where a line comes in just now, and would cancel us.
        if received:
            _leave(received[0])


def _leave(number: int) -> NoReturn:
    # Not sys.exit: a thread still waits for the host's next line, and would be waited for.
    logging.shutdown()
    sys.stderr.flush()
    os._exit(128 + number)
