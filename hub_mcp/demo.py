"""One whole session to look at: the embedded hub, this server as a child process, and the SDK's own client."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Awaitable
from typing import TypeVar

import click
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, TextContent

from .compose import SANDBOX_KEY
from .sandbox.serve import running
from .sandbox.state import Sandbox
from .settings import VARIABLES

T = TypeVar("T")

_MOST_LINES = 14


async def run() -> None:
    """Play the session and print it, each step with its time."""
    sandbox = Sandbox()
    async with running(sandbox) as url:
        click.echo(f"The embedded hub listens on {url}; hub-mcp is its only caller, on stdio.")
        started = time.perf_counter()
        async with Client(_server(url)) as client:
            _show("start and handshake", started, f"protocol {client.protocol_version}")
            await _session(client)
    click.echo(f"\nRequests that reached the hub: {sandbox.count()}.")


def _server(url: str) -> StdioServerParameters:
    settings = {"HUB_MCP_PROFILE": "sandbox", "HUB_MCP_BASE_URL": url, "HUB_MCP_API_KEY": SANDBOX_KEY}
    # The user's own settings stay out: the session is the same for everybody.
    theirs = {name for variable in VARIABLES for name in (variable.name, variable.fallback)}
    env = {name: value for name, value in os.environ.items() if name not in theirs}
    return StdioServerParameters(command=sys.executable, args=["-m", "hub_mcp"], env={**env, **settings})


async def _session(client: Client) -> None:
    tools = await _timed("tools/list", client.list_tools())
    click.echo(_indented(", ".join(tool.name for tool in tools.tools)))
    cheap_readers = {"features": ["tools"], "modalities": ["image"], "max_input_price": 1, "limit": 5}
    await _call(client, "list_models", cheap_readers)
    await _call(client, "search_models", {"query": "cluade sonet", "limit": 3})
    await _call(client, "get_model", {"model": "GPT-4o-mini"})
    await _call(client, "chat", {"model": "gpt-4o-mini", "prompt": "What are you?"})
    await _call(client, "chat", {"model": "gpt-4o-minni", "prompt": "What are you?"})
    resource = await _timed("resources/read hub://catalog", client.read_resource("hub://catalog"))
    size = sum(len(getattr(content, "text", "")) for content in resource.contents)
    click.echo(_indented(f"{size:,} characters of JSON, every model"))


async def _call(client: Client, tool: str, arguments: dict[str, object]) -> None:
    given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    result = await _timed(f"{tool}({given})", client.call_tool(tool, arguments))
    if not isinstance(result, CallToolResult):
        raise TypeError(f"{tool} asked a question back")
    said = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    click.echo(_indented(f"error: {said}" if result.is_error else said))


async def _timed(step: str, asked: Awaitable[T]) -> T:
    started = time.perf_counter()
    answer = await asked
    _show(step, started)
    return answer


def _show(step: str, started: float, more: str = "") -> None:
    took = (time.perf_counter() - started) * 1000
    click.echo(f"\n{click.style(step, bold=True)}  {took:.1f} ms  {more}".rstrip())


def _indented(said: str) -> str:
    lines = said.splitlines()
    kept = lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 2], "…", lines[-1]]
    return textwrap.indent("\n".join(kept), "    ")
