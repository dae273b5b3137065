"""A gateway that is not ours: LiteLLM's proxy, from an environment of its own, as a child process."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from anyio.abc import Process
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult

from hub_mcp.sandbox.serve import running
from hub_mcp.sandbox.state import Sandbox

HERE = Path(__file__).parent
CONFIG = HERE / "litellm.yaml"
LITELLM = HERE.parent / ".venv-interop" / "bin" / "litellm"

START_SECONDS = 120
STOP_SECONDS = 3
PATIENCE = 20


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Gateway:
    """A running LiteLLM, and the vendor that it asks for some of its models."""

    url: str
    key: str
    vendor: Sandbox


@pytest.fixture(scope="session")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    home, key, vendor = tmp_path_factory.mktemp("litellm"), f"sk-{secrets.token_hex(8)}", Sandbox()
    async with running(vendor) as vendor_url:
        environment = _environment(home, INTEROP_KEY=key, INTEROP_VENDOR=f"{vendor_url}/v1")
        async with litellm(home, environment) as url:
            yield Gateway(url, key, vendor)


def _environment(home: Path, **more: str) -> dict[str, str]:
    """All that LiteLLM may know; with its own copies of what it would fetch, it asks no network."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
        # Whatever it might fetch all the same goes to a proxy that is not there.
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
        **more,
    }


@asynccontextmanager
async def litellm(home: Path, environment: dict[str, str]) -> AsyncIterator[str]:
    """LiteLLM on a free loopback port, from when it is healthy to the end of the block."""
    port, log = _free_port(), home / "log"
    command = [str(LITELLM), "--config", str(CONFIG), "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out:
        process = await anyio.open_process(command, env=environment, cwd=home, stdout=out, stderr=out)
    async with process:
        try:
            await _until_healthy(process, f"http://127.0.0.1:{port}", log)
            yield f"http://127.0.0.1:{port}"
        finally:
            with anyio.CancelScope(shield=True):
                await _stop(process)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def _until_healthy(process: Process, url: str, log: Path) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        with anyio.move_on_after(START_SECONDS):
            while process.returncode is None:
                with suppress(httpx2.HTTPError):
                    if (await client.get(f"{url}/health/readiness")).status_code == 200:
                        return
                await anyio.sleep(0.1)
    said = await anyio.Path(log).read_text(errors="replace")
    pytest.fail(f"LiteLLM did not start; it said:\n{said[-4000:]}")


async def _stop(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
        with anyio.move_on_after(STOP_SECONDS):
            await process.wait()
            return
        process.kill()


class Host:
    """What an MCP host does: calls tools, of a server that is a child process."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, tool: str, **arguments: Any) -> CallToolResult:
        with anyio.fail_after(PATIENCE):
            return await self.client.call_tool(tool, arguments)

    async def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer of a call that succeeds."""
        result = await self.call(tool, **arguments)
        assert not result.is_error, result.content
        assert result.structured_content is not None
        return result.structured_content

    async def fail(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """What is told of the error of a call that fails, and its `text`."""
        result = await self.call(tool, **arguments)
        assert result.is_error, result.content
        return {**(result.meta or {})["hub_mcp/error"], "text": result.content[0].text}


Connect = Callable[..., AbstractAsyncContextManager[Host]]


@pytest.fixture(scope="session")
def connect(gateway: Gateway) -> Connect:
    """`python -m hub_mcp` in front of the gateway; settings that are None are left out."""

    @asynccontextmanager
    async def connected(**changes: str | None) -> AsyncIterator[Host]:
        settings = {
            "HUB_MCP_PROFILE": "openai",
            "HUB_MCP_BASE_URL": gateway.url,
            "HUB_MCP_API_KEY": gateway.key,
            **changes,
        }
        environment = {name: value for name, value in settings.items() if value is not None}
        server = StdioServerParameters(command=sys.executable, args=["-m", "hub_mcp"], env=environment)
        async with Client(server) as client:
            yield Host(client)

    return connected


@pytest.fixture(scope="session")
async def host(connect: Connect) -> AsyncIterator[Host]:
    """One that all tests share: starting a server for each would take longer than the tests."""
    async with connect() as connected:
        yield connected
