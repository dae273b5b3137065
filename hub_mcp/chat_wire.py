"""The OpenAI chat protocol's JSON, read leniently: whole answers and stream chunks alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import text
from .models import ChatDelta, ToolCallPart, Usage


def decode(payload: Any) -> ChatDelta:
    """What a chunk or a whole answer says; what cannot be read counts as absent. Never raises."""
    if not isinstance(payload, Mapping):
        return ChatDelta()
    choice = _first(payload.get("choices"))
    said = _mapping(choice.get("delta")) or _mapping(choice.get("message"))
    return ChatDelta(
        text=_content(said.get("content")) or _string(said.get("refusal")) or _string(choice.get("text")),
        reasoning=_string(said.get("reasoning_content")) or _string(said.get("reasoning")),
        tool_calls=_tool_calls(said.get("tool_calls")),
        finish_reason=_string(choice.get("finish_reason")) or None,
        usage=_usage(payload.get("usage")),
        model=text.clean(_string(payload.get("model")), 200) or None,
        request_id=text.clean(_string(payload.get("id")), 80) or None,
    )


def has_answer(payload: Any) -> bool:
    """Whether a whole answer holds what makes it one: at least one choice."""
    return isinstance(payload, Mapping) and bool(_first(payload.get("choices")))


def _content(value: Any) -> str:
    """Content is text, or parts of which some are text."""
    if isinstance(value, list):
        return "".join(_string(_mapping(part).get("text")) for part in value)
    return _string(value)


def _tool_calls(value: Any) -> tuple[ToolCallPart, ...]:
    parts = []
    for position, call in enumerate(value if isinstance(value, list) else []):
        call = _mapping(call)
        function = _mapping(call.get("function"))
        index = call.get("index")
        parts.append(
            ToolCallPart(
                index=index if isinstance(index, int) else position,
                id=_string(call.get("id")),
                name=_string(function.get("name")),
                arguments=_string(function.get("arguments")),
            )
        )
    return tuple(parts)


def _usage(value: Any) -> Usage | None:
    usage = _mapping(value)
    if not usage:
        return None
    read = _mapping(usage.get("prompt_tokens_details"))
    written = _mapping(usage.get("completion_tokens_details"))
    return Usage(
        input_tokens=_count(usage.get("prompt_tokens")),
        output_tokens=_count(usage.get("completion_tokens")),
        reasoning_tokens=_count(written.get("reasoning_tokens")),
        cached_tokens=_count(read.get("cached_tokens")),
    )


def _first(value: Any) -> Mapping[str, Any]:
    return _mapping(value[0]) if isinstance(value, list) and value else {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
