"""The server in this process, as the SDK's own client sees it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import jsonschema
from mcp import Client
from mcp_types import CallToolResult, TextContent

from hub_mcp.clock import Clock
from hub_mcp.hub import Hub
from hub_mcp.server import create_server
from hub_mcp.settings import Settings
from hub_mcp.tools import ERROR_META

ERAS = ("legacy", "auto")


def settings(url: str, **more: str) -> Settings:
    """The AIHubMix profile, pointed at the embedded hub."""
    return Settings.from_env({"HUB_MCP_BASE_URL": url, **more})


@asynccontextmanager
async def connected(
    given: Settings, *, mode: str = "auto", clock: Clock | None = None, hub: Any = None, **client_options: Any
) -> AsyncIterator[Client]:
    """A client of a server over a real hub, or over `hub` in its place."""

    def open_hub() -> AbstractAsyncContextManager[Hub]:
        return _given(hub) if hub is not None else Hub(given, clock=clock)

    # Answers are not cached on the client's side: a test asks because it wants an answer.
    async with Client(create_server(given, open_hub), mode=mode, cache=None, **client_options) as client:
        yield client


@asynccontextmanager
async def _given(hub: Any) -> AsyncIterator[Any]:
    yield hub


class Session:
    """A client whose every answer is checked against the tool's own output schema."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._schemas: dict[str, Any] = {}

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured content of an answer that is no error."""
        result = await self.result(tool, **arguments)
        assert not result.is_error, text_of(result)
        assert isinstance(result.structured_content, dict)
        jsonschema.validate(result.structured_content, await self._schema(tool))
        return result.structured_content

    async def result(self, tool: str, **arguments: Any) -> CallToolResult:
        result = await self.client.call_tool(tool, arguments)
        assert isinstance(result, CallToolResult)
        return result

    async def refusal(self, tool: str, **arguments: Any) -> tuple[str, dict[str, Any]]:
        """The text of an error and what programs read of it."""
        result = await self.result(tool, **arguments)
        assert result.is_error
        assert result.structured_content is None
        assert result.meta is not None
        return text_of(result), result.meta[ERROR_META]

    async def _schema(self, tool: str) -> Any:
        if not self._schemas:
            listed = (await self.client.list_tools()).tools
            self._schemas = {each.name: each.output_schema for each in listed}
        return self._schemas[tool]


@asynccontextmanager
async def session(given: Settings, **how: Any) -> AsyncIterator[Session]:
    async with connected(given, **how) as client:
        yield Session(client)


def text_of(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def size(value: Any) -> int:
    """Bytes of compact JSON, as they travel."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
