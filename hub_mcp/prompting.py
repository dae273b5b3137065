"""Prompts and completions, as hosts ask for them."""

from __future__ import annotations

import logging

import anyio
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    ResourceTemplateReference,
    TextContent,
)

from . import prompts, text
from .errors import BadRequest, HubError
from .hub import Hub
from .resources import MODEL_TEMPLATE
from .settings import Settings

logger = logging.getLogger(__name__)

MOST_COMPLETIONS = 100
COMPLETION_WAIT = 2.0
"""Seconds that somebody who types waits for a cold catalog: then nothing is offered."""

Context = ServerRequestContext[Hub]


class Prompts:
    """The handlers; a prompt whose tools do not exist does not either."""

    def __init__(self, settings: Settings) -> None:
        tools = set(settings.tools)
        self._prompts = {
            name: prompt for name, prompt in prompts.ALL.items() if tools.issuperset(prompt.tools)
        }

    async def list(self, _: Context, __: PaginatedRequestParams | None) -> ListPromptsResult:
        return ListPromptsResult(prompts=[_definition(prompt) for prompt in self._prompts.values()])

    async def get(self, _: Context, params: GetPromptRequestParams) -> GetPromptResult:
        prompt = self._prompts.get(params.name)
        if prompt is None:
            known = ", ".join(self._prompts)
            raise MCPError(
                INVALID_PARAMS, f"There is no prompt '{text.clean(params.name, 60)}'. Known: {known}."
            )
        try:
            message = prompt.render(params.arguments or {})
        except BadRequest as error:
            raise MCPError(INVALID_PARAMS, str(error)) from error
        content = TextContent(text=message)
        return GetPromptResult(
            description=prompt.description, messages=[PromptMessage(role="user", content=content)]
        )

    async def complete(self, context: Context, params: CompleteRequestParams) -> CompleteResult:
        """Model ids, best first; nothing where the argument names no model or the catalog is not to be had."""
        name = params.argument.name
        if isinstance(params.ref, ResourceTemplateReference):
            wanted = params.ref.uri == MODEL_TEMPLATE and name == "model"
        else:
            prompt = self._prompts.get(params.ref.name)
            wanted = prompt is not None and prompt.names_models(name)
        if not wanted:
            return CompleteResult(completion=Completion(values=[], total=0, has_more=False))
        before, typed = (
            _last_of_list(params.argument.value) if name == "models" else ("", params.argument.value)
        )
        found = await _ids(context.lifespan_context, typed)
        values = [before + model_id for model_id in found[:MOST_COMPLETIONS]]
        return CompleteResult(
            completion=Completion(values=values, total=len(found), has_more=len(found) > MOST_COMPLETIONS)
        )


async def _ids(hub: Hub, typed: str) -> list[str]:
    with anyio.move_on_after(COMPLETION_WAIT):
        try:
            return await hub.complete(typed)
        except HubError as error:
            logger.info("Nothing to complete with: %s", error)
    return []


def _last_of_list(value: str) -> tuple[str, str]:
    """What stands before the last comma, which stays, and what is being typed behind it."""
    before, comma, typed = value.rpartition(",")
    return (f"{before}{comma} " if comma else "", typed.strip())


def _definition(prompt: prompts.HubPrompt) -> Prompt:
    return Prompt(
        name=prompt.name,
        title=prompt.title,
        description=prompt.description,
        arguments=[
            PromptArgument(name=argument.name, description=argument.description, required=argument.required)
            for argument in prompt.arguments
        ],
    )
