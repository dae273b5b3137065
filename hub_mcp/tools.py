"""The tools, each with what a host's model reads of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_types import CallToolResult, ContentBlock, TextContent, Tool, ToolAnnotations
from pydantic import TypeAdapter

from . import compact, views
from .arguments import Arguments, ChatArguments, GetArguments, ListArguments, SearchArguments
from .chats import Progress
from .errors import HubError
from .hub import Hub
from .schema import small

ERROR_META = "hub_mcp/error"
OUR_BUG = HubError("hub-mcp itself failed at this.", hint="Its log on stderr says more.")


@dataclass(frozen=True, slots=True)
class HubTool:
    """One tool: its definition, its arguments, and what it does with them."""

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    view: type
    annotations: ToolAnnotations
    run: Callable[[Hub, Any, Progress], Awaitable[CallToolResult]]

    def definition(self) -> Tool:
        return Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=small(self.arguments.model_json_schema()),
            output_schema=small(TypeAdapter(self.view).json_schema(mode="serialization")),
            annotations=self.annotations,
        )


async def _list_models(hub: Hub, asked: ListArguments, _: Progress) -> CallToolResult:
    found = await hub.list_models(asked.query(), asked.limit, asked.cursor)
    return _answer(views.list_view(found), compact.list_text(found))


async def _search_models(hub: Hub, asked: SearchArguments, _: Progress) -> CallToolResult:
    found = await hub.search_models(asked.query, asked.filters(), asked.limit)
    return _answer(views.list_view(found), compact.list_text(found))


async def _get_model(hub: Hub, asked: GetArguments, _: Progress) -> CallToolResult:
    found = await hub.get_model(asked.model)
    return _answer(views.info_view(found), compact.info_text(found))


async def _chat(hub: Hub, asked: ChatArguments, progress: Progress) -> CallToolResult:
    result = await hub.chat(asked.request(), progress)
    return _answer(views.chat_view(result), result.text, compact.chat_text(result))


def _answer(view: Mapping[str, Any], *texts: str) -> CallToolResult:
    blocks: list[ContentBlock] = [TextContent(text=text) for text in texts]
    return CallToolResult(content=blocks, structured_content=dict(view))


_READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=True)
_SPENDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True
)

ALL = {
    tool.name: tool
    for tool in (
        HubTool(
            name="list_models",
            title="List models",
            description="List the hub's models by exact criteria, sorted and paged. For 'which models can X and cost"
            " less than Y', or the cheapest or largest. By name or in words: search_models.",
            arguments=ListArguments,
            view=views.ModelListView,
            annotations=_READS,
            run=_list_models,
        ),
        HubTool(
            name="get_model",
            title="Get one model",
            description="Everything known of one model: limits, prices, features, description, whether the key may"
            " use it.",
            arguments=GetArguments,
            view=views.ModelInfoView,
            annotations=_READS,
            run=_get_model,
        ),
        HubTool(
            name="search_models",
            title="Search models",
            description="Find models by a question in words, best first, with why each matched. For a half-remembered"
            " name, a family, or needs in plain words: criteria are understood and said back. Exact criteria, sorting"
            " and paging: list_models.",
            arguments=SearchArguments,
            view=views.ModelListView,
            annotations=_READS,
            run=_search_models,
        ),
        HubTool(
            name="chat",
            title="Ask a model",
            description="Ask one of the hub's models; get its answer, tokens and cost. Spends the user's money. A"
            " long answer returns as finish_reason 'running' with a thread: call chat with that thread and no prompt"
            " for the rest, as often as needed; it costs nothing more. Cancelling stops it.",
            arguments=ChatArguments,
            view=views.ChatView,
            annotations=_SPENDS,
            run=_chat,
        ),
    )
}


def failed(error: HubError) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(text=str(error))], is_error=True, _meta={ERROR_META: error_data(error)}
    )


def error_data(error: HubError) -> dict[str, Any]:
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
