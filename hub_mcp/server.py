"""The MCP server over one hub: its tools, resources, prompts and updates, put together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property
from typing import Any

from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    Tool,
)

from . import __version__, text, tools
from .chats import Progress
from .errors import HubError
from .hub import Hub
from .prompting import Prompts
from .resources import Resources
from .settings import Settings
from .updates import Updates

logger = logging.getLogger(__name__)

_DEFINITIONS_FRESH = CacheHint(ttl_ms=3_600_000, scope="public")

_INSTRUCTIONS = (
    "A hub of AI models. list_models: by exact criteria (price, context, features). search_models: by name or"
    " in words ('cheap vision model, 200k context'). get_model: one model whole. chat: ask a model; it costs money, so"
    " choose first. Prices are USD per million tokens; an absent limit or price is unknown."
)

Context = ServerRequestContext[Hub]


def create_server(
    settings: Settings, open_hub: Callable[[], AbstractAsyncContextManager[Hub]]
) -> Server[Hub]:
    """The server, not yet running; it opens its hub when it starts and closes it when it stops."""
    toolbox, resources, prompts, updates = Tools(settings), Resources(settings), Prompts(settings), Updates()

    @asynccontextmanager
    async def lifespan(_: Server[Hub]) -> AsyncIterator[Hub]:
        async with open_hub() as hub, updates.following(hub):
            yield hub

    return Server(
        "hub-mcp",
        title="Model hub",
        version=__version__,
        instructions=_INSTRUCTIONS,
        lifespan=lifespan,
        cache_hints={
            "tools/list": _DEFINITIONS_FRESH,
            "resources/list": _DEFINITIONS_FRESH,
            "resources/templates/list": _DEFINITIONS_FRESH,
            "prompts/list": _DEFINITIONS_FRESH,
        },
        get_tool_input_schema=toolbox.input_schema,
        on_list_tools=toolbox.list,
        on_call_tool=toolbox.call,
        on_list_resources=resources.list,
        on_list_resource_templates=resources.list_templates,
        on_read_resource=resources.read,
        on_list_prompts=prompts.list,
        on_get_prompt=prompts.get,
        on_completion=prompts.complete,
        on_subscriptions_listen=updates.listen,
        on_subscribe_resource=updates.subscribe,
        on_unsubscribe_resource=updates.unsubscribe,
    )


class Tools:
    """The handlers of the tools that the settings leave."""

    def __init__(self, settings: Settings) -> None:
        self._tools = {name: tools.ALL[name] for name in settings.tools}

    @cached_property
    def _definitions(self) -> list[Tool]:
        # Made with the first question for them: they take 20 ms that the handshake need not wait for.
        return [tool.definition() for tool in self._tools.values()]

    def input_schema(self, name: str) -> dict[str, Any] | None:
        return next((tool.input_schema for tool in self._definitions if tool.name == name), None)

    async def list(self, _: Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=self._definitions)

    async def call(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        tool = self._tools.get(params.name)
        if tool is None:
            known = ", ".join(self._tools)
            raise MCPError(
                INVALID_PARAMS, f"There is no tool '{text.clean(params.name, 60)}'. Known: {known}."
            )
        try:
            asked = tool.arguments.read(params.arguments)
            return await tool.run(context.lifespan_context, asked, _progress(context))
        except HubError as error:
            logger.info("%s: %s (%s)", params.name, error, error.code)
            return tools.failed(error)
        except Exception:
            logger.exception("%s failed unexpectedly", params.name)
            return tools.failed(tools.OUR_BUG)


def _progress(context: Context) -> Progress:
    async def report(step: float, message: str) -> None:
        await context.session.report_progress(step, message=message)

    return report
