"""The MCP surface: tools and resources over one hub."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
    Tool,
)

from . import __version__, text, tools, views
from .chats import Progress
from .errors import HubError, ModelNotFound
from .hub import Hub
from .results import CatalogState
from .settings import Settings

logger = logging.getLogger(__name__)

ERROR_META = "hub_mcp/error"
CATALOG_URI = "hub://catalog"
MODEL_URI = "hub://models/"
_JSON = "application/json"
_DEFINITIONS_FRESH_MS = 3_600_000
_OUR_BUG = HubError("hub-mcp itself failed at this.", hint="Its log on stderr says more.")

_INSTRUCTIONS = (
    "A hub of AI models. list_models: by exact criteria (price, context, features). search_models: by name or"
    " words. get_model: one model whole. chat: ask a model; it costs money, so choose first. Prices are USD per"
    " million tokens; an absent limit or price is unknown."
)

Context = ServerRequestContext[Hub]


def create_server(
    settings: Settings, open_hub: Callable[[], AbstractAsyncContextManager[Hub]]
) -> Server[Hub]:
    """The server, not yet running; it opens its hub when it starts and closes it when it stops."""
    surface = _Surface(settings)

    @asynccontextmanager
    async def lifespan(_: Server[Hub]) -> AsyncIterator[Hub]:
        async with open_hub() as hub:
            yield hub

    fresh = CacheHint(ttl_ms=_DEFINITIONS_FRESH_MS, scope="public")
    return Server(
        "hub-mcp",
        title="Model hub",
        version=__version__,
        instructions=_INSTRUCTIONS,
        lifespan=lifespan,
        cache_hints={"tools/list": fresh, "resources/list": fresh, "resources/templates/list": fresh},
        get_tool_input_schema=surface.input_schema,
        on_list_tools=surface.list_tools,
        on_call_tool=surface.call_tool,
        on_list_resources=surface.list_resources,
        on_list_resource_templates=surface.list_templates,
        on_read_resource=surface.read_resource,
    )


class _Surface:
    """The handlers; what they need of the settings is worked out once."""

    def __init__(self, settings: Settings) -> None:
        self._tools = {name: tools.ALL[name] for name in settings.tools}
        self._scope = "private" if settings.api_key and settings.profile.keyed_catalog else "public"
        self._model_scope = "private" if settings.api_key else "public"

    @cached_property
    def _definitions(self) -> list[Tool]:
        # Made with the first question for them: they take 20 ms that the handshake need not wait for.
        return [tool.definition() for tool in self._tools.values()]

    def input_schema(self, name: str) -> dict[str, Any] | None:
        return next((tool.input_schema for tool in self._definitions if tool.name == name), None)

    async def list_tools(self, _: Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=self._definitions)

    async def call_tool(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
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
            return _failed(error)
        except Exception:
            logger.exception("%s failed unexpectedly", params.name)
            return _failed(_OUR_BUG)

    async def list_resources(self, _: Context, __: PaginatedRequestParams | None) -> ListResourcesResult:
        catalog = Resource(
            uri=CATALOG_URI,
            name="catalog",
            title="Model catalog",
            description="Every model of the hub: limits, prices, features. Large; the tools answer less.",
            mime_type=_JSON,
        )
        return ListResourcesResult(resources=[catalog])

    async def list_templates(
        self, _: Context, __: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        model = ResourceTemplate(
            uri_template=MODEL_URI + "{+model}",
            name="model",
            title="One model",
            description="Everything known of one model.",
            mime_type=_JSON,
        )
        return ListResourceTemplatesResult(resource_templates=[model])

    async def read_resource(self, context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        hub, uri = context.lifespan_context, str(params.uri)
        try:
            if uri == CATALOG_URI:
                every = await hub.every_model()
                return _contents(uri, views.list_view(every), every.catalog, self._scope)
            if uri.startswith(MODEL_URI):
                info = await hub.get_model(unquote(uri.removeprefix(MODEL_URI)))
                return _contents(uri, views.info_view(info)["model"], info.catalog, self._model_scope)
        except HubError as error:
            code = INVALID_PARAMS if isinstance(error, ModelNotFound) else INTERNAL_ERROR
            raise MCPError(code, str(error), {"uri": uri, **_error_data(error)}) from error
        except Exception:
            # The SDK would send its text to hosts of the older revisions.
            logger.exception("resources/read failed unexpectedly")
            raise MCPError(INTERNAL_ERROR, str(_OUR_BUG), {"uri": uri, **_error_data(_OUR_BUG)}) from None
        raise MCPError(INVALID_PARAMS, f"There is no resource {text.clean(uri, 200)}.", {"uri": uri})


def _progress(context: Context) -> Progress:
    async def report(step: float, message: str) -> None:
        await context.session.report_progress(step, message=message)

    return report


def _contents(uri: str, content: Mapping[str, Any], catalog: CatalogState, scope: Any) -> ReadResourceResult:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return ReadResourceResult(
        contents=[TextResourceContents(uri=uri, text=body, mime_type=_JSON)],
        ttl_ms=int(catalog.fresh_for * 1000),
        cache_scope=scope,
    )


def _failed(error: HubError) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(text=str(error))], is_error=True, _meta={ERROR_META: _error_data(error)}
    )


def _error_data(error: HubError) -> dict[str, Any]:
    data: dict[str, Any] = {"code": error.code, "retryable": error.retryable}
    if error.status is not None:
        data["status"] = error.status
    if error.retry_after is not None:
        data["retry_after"] = error.retry_after
    if error.request_id:
        data["request_id"] = error.request_id
    if error.nearest:
        data["nearest"] = list(error.nearest)
    return data
