"""hub-mcp as a real child process, spoken to in hand-written lines of JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import anyio
from anyio.abc import ByteReceiveStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

PATIENCE = 20
MODERN = "2026-07-28"
CLIENT = {"name": "tests", "version": "1"}


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: ours, but with these settings only."""
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith(("HUB_MCP_", "AIHUBMIX_"))
    }
    return {**ours, **settings}


def envelope(version: str = MODERN) -> dict[str, Any]:
    """What every request of a stateless revision carries in `params._meta`."""
    prefix = "io.modelcontextprotocol"
    return {
        f"{prefix}/protocolVersion": version,
        f"{prefix}/clientInfo": CLIENT,
        f"{prefix}/clientCapabilities": {},
    }


@dataclass
class Child:
    """One hub-mcp process; `said` is every line of its standard output, parsed."""

    process: Process
    said: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        assert self.process.stdout is not None
        self._out = BufferedByteReceiveStream(self.process.stdout)
        self._ids = count(1)

    async def write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.send(line + b"\n")

    async def send(self, **message: Any) -> None:
        await self.write(json.dumps({"jsonrpc": "2.0", **message}).encode())

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and wait for its answer, past whatever else is said."""
        number = next(self._ids)
        await self.send(id=number, method=method, params=params)
        while (answer := await self.receive()).get("id") != number:
            pass
        return answer

    async def ask_modern(self, method: str, **params: Any) -> dict[str, Any]:
        return await self.ask(method, **params, _meta=envelope())

    async def receive(self) -> dict[str, Any]:
        with anyio.fail_after(PATIENCE):
            line = await self._out.receive_until(b"\n", 10_000_000)
        message: dict[str, Any] = json.loads(line)
        self.said.append(message)
        return message

    async def shake_hands(self, version: str = "2025-11-25") -> dict[str, Any]:
        answer = await self.ask("initialize", protocolVersion=version, capabilities={}, clientInfo=CLIENT)
        await self.send(method="notifications/initialized")
        return answer

    async def leave(self) -> int:
        """Close its standard input, as a host does that is done; returns the exit code."""
        assert self.process.stdin is not None
        await self.process.stdin.aclose()
        return await self.ended()

    async def signalled(self, number: int) -> int:
        self.process.send_signal(number)
        return await self.ended()

    async def ended(self, seconds: float = 5) -> int:
        with anyio.fail_after(seconds):
            return await self.process.wait()

    async def rest(self) -> list[str]:
        """What else it wrote to standard output before it ended."""
        return (self._out.buffer + await read_all(self.process.stdout)).decode().splitlines()

    async def stderr(self) -> str:
        return (await read_all(self.process.stderr)).decode()


async def read_all(stream: ByteReceiveStream | None) -> bytes:
    assert stream is not None
    with anyio.fail_after(PATIENCE):
        return b"".join([chunk async for chunk in stream])


@asynccontextmanager
async def hub_mcp(*arguments: str, **settings: str) -> AsyncIterator[Child]:
    """`python -m hub_mcp`; killed at the end of the block if it still runs."""
    command = [sys.executable, "-m", "hub_mcp", *arguments]
    async with await anyio.open_process(command, env=environment(settings)) as process:
        try:
            yield Child(process)
        finally:
            with suppress(ProcessLookupError):
                process.kill()


def sandboxed(url: str, **more: str) -> dict[str, str]:
    """The settings of a server whose hub is the tests' embedded one."""
    return {"HUB_MCP_PROFILE": "sandbox", "HUB_MCP_BASE_URL": url, **more}
