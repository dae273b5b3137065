"""The OpenAI chat protocol's JSON, read leniently: whole answers and stream chunks alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from . import text
from .models import ChatDelta, ToolCallPart, Usage

_LARGEST_COUNT = 10**10
_THOUGHTS = frozenset({"thinking", "reasoning"})


def decode(payload: Any) -> ChatDelta:
    """What a chunk or a whole answer says; what cannot be read counts as absent. Never raises."""
    payload = _mapping(payload)
    choice = _choice(payload)
    said = _mapping(choice.get("delta")) or _mapping(choice.get("message"))
    content = said.get("content")
    return ChatDelta(
        text=_content(content) or _string(said.get("refusal")) or _string(choice.get("text")),
        reasoning=_string(said.get("reasoning_content"))
        or _string(said.get("reasoning"))
        or _content(content, thoughts=True),
        tool_calls=_tool_calls(said.get("tool_calls")),
        finish_reason=text.clean(_string(choice.get("finish_reason")), 60) or None,
        # Some hubs put it where the rest of the answer is.
        usage=_usage(payload.get("usage")) or _usage(choice.get("usage")),
        model=text.clean(_string(payload.get("model")), 200) or None,
        request_id=text.clean(_string(payload.get("id")), 80) or None,
    )


def mere_text(chunk: str) -> str | None:
    """The text of a chunk that holds nothing else of an answer; None for every other, to be read by `decode`."""
    try:
        payload = from_json(chunk, allow_inf_nan=False)
        (choice,) = payload["choices"]
        ((name, text),) = choice["delta"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    plain = (
        name == "content"
        and type(text) is str
        and choice.get("finish_reason") is None
        and choice.get("index") in (0, None)
        and "usage" not in choice
        and payload.get("usage") is None
        and "error" not in payload
        and "success" not in payload
    )
    return text if plain else None


def has_answer(payload: Any) -> bool:
    """Whether a whole answer holds what makes it one: at least one choice."""
    return bool(_choice(_mapping(payload)))


def _choice(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first choice: one answer was asked for, and others must not be mixed into it."""
    choices = payload.get("choices")
    each = [_mapping(choice) for choice in choices] if isinstance(choices, list) else []
    return next((choice for choice in each if choice.get("index") in (0, None)), {})


def _content(value: Any, *, thoughts: bool = False) -> str:
    """Content is text, or parts, of which some are text and some may be thoughts."""
    if not isinstance(value, list):
        return "" if thoughts else _string(value)
    parts = [part for part in map(_mapping, value) if (part.get("type") in _THOUGHTS) is thoughts]
    return "".join(_string(part.get("text")) or _string(part.get("thinking")) for part in parts)


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
                arguments=_arguments(function.get("arguments")),
            )
        )
    return tuple(parts)


def _arguments(value: Any) -> str:
    """Arguments are JSON in a string; some hubs forget the string."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else _string(value)


def _usage(value: Any) -> Usage | None:
    """The tokens used, None where nothing was counted."""
    usage = _mapping(value)
    read = _mapping(usage.get("prompt_tokens_details"))
    written = _mapping(usage.get("completion_tokens_details"))
    asked, answered = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if not asked and not answered:
        return None
    reasoned = _count(written.get("reasoning_tokens"))
    return Usage(
        input_tokens=asked,
        output_tokens=_all_output(answered, reasoned, _count(usage.get("total_tokens")) - asked),
        reasoning_tokens=reasoned,
        cached_tokens=_count(read.get("cached_tokens")) or _count(usage.get("prompt_cache_hit_tokens")),
    )


def _all_output(answered: int, reasoned: int, rest_of_total: int) -> int:
    """Reasoning is part of the output, but some vendors count it beside: then only the total has it."""
    if reasoned > answered:
        return max(answered + reasoned, rest_of_total)
    return max(answered, rest_of_total)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int:
    """A number of tokens; what cannot be one is 0."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _LARGEST_COUNT
    return int(value) if known else 0


def mend(said: str) -> str:
    """`said` as text that can be sent on.

    A hub may tear a character apart, as JSON writes it in two halves: they are joined
    again. A half at the end waits for its other, a half alone elsewhere is lost.
    """
    try:
        said.encode()
    except UnicodeEncodeError:
        whole = said[:-1] if "\ud800" <= said[-1] <= "\udbff" else said
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return said
