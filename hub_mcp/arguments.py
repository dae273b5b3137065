"""What hosts may ask: the tools' arguments, read leniently, refused by name where they make no sense."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Set
from contextlib import suppress
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from . import text
from .errors import BadRequest
from .filters import Filters, nearest_words
from .formats import read_format
from .images import with_images
from .listing import ListQuery, SortBy
from .models import ChatRequest

A = TypeVar("A", bound="Arguments")


def _split(value: Any) -> Any:
    """A list may come as one comma-separated string, or as JSON text, as some hosts send it; so may its parts."""
    if isinstance(value, list):
        return [word for part in value if part is not None for word in _words(part)]
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError):
            return _split(json.loads(value))
    return _words(value) if isinstance(value, str) else value


def _words(part: Any) -> list[Any]:
    """The words of one part; what is no text is left to be refused."""
    return [word.strip() for word in part.split(",") if word.strip()] if isinstance(part, str) else [part]


def _addresses(value: Any) -> Any:
    """As `_split`, but an address may hold commas of its own."""
    value = _from_json(value)
    parts = _BETWEEN_ADDRESSES.split(value.strip()) if isinstance(value, str) else value
    return [part for part in parts if part] if isinstance(parts, list) else parts


def _from_json(value: Any) -> Any:
    """A list or an object may come as JSON text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return value


_BETWEEN_ADDRESSES = re.compile(r"\s*,\s*(?=https?:|data:)", re.IGNORECASE)


_WORD_LIST_SCHEMA = {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}

Objects = Annotated[list[dict[str, Any]], BeforeValidator(_from_json)]
Fields = Annotated[dict[str, Any], BeforeValidator(_from_json)]
Words = Annotated[tuple[str, ...], BeforeValidator(_split), WithJsonSchema(_WORD_LIST_SCHEMA)]
Addresses = Annotated[tuple[str, ...], BeforeValidator(_addresses), WithJsonSchema(_WORD_LIST_SCHEMA)]
Line = Annotated[str, Field(max_length=2000)]
Count = Annotated[int, Field(ge=0)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Arguments(BaseModel):
    """Arguments of one tool. What is null or empty counts as not given."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def read(cls: type[A], given: Mapping[str, Any] | None) -> A:
        """Check what a host sent; raises BadRequest with one sentence that names the argument."""
        present = {name: value for name, value in (given or {}).items() if value is not None and value != ""}
        _refuse_unknown(present, cls.model_fields)
        try:
            return cls.model_validate(present)
        except ValidationError as error:
            raise BadRequest(_sentence(error), hint="Correct it and call again.") from error


class FilterArguments(Arguments):
    type: Annotated[Words, WithJsonSchema({"type": "string"})] = Field(
        (), description="llm, image_generation, video, tts, stt, embedding, rerank"
    )
    modalities: Words = Field((), description="Inputs it must all accept: text, image, audio, video, pdf")
    features: Words = Field(
        (), description="It must have all: tools, thinking, structured_outputs, web, deepsearch, long_context"
    )
    min_context: Count | None = Field(None, description="Tokens; unknown limits do not pass")
    min_output: Count | None = Field(None, description="Tokens; unknown limits do not pass")
    max_input_price: Price | None = Field(None, description="USD per 1M tokens")
    max_output_price: Price | None = Field(None, description="USD per 1M tokens")
    free: bool | None = Field(None, description="true: both token prices are 0")
    developer: Line | None = Field(None, description="Who made it: openai, anthropic, google, qwen, ...")

    def filters(self) -> Filters:
        return Filters(
            types=self.type,
            modalities=self.modalities,
            features=self.features,
            min_context=self.min_context,
            min_output=self.min_output,
            max_input_price=self.max_input_price,
            max_output_price=self.max_output_price,
            free=bool(self.free),
            developer=self.developer or "",
        )


class ListArguments(FilterArguments):
    model: Line | None = Field(None, description="Part of an id or name")
    sort_by: SortBy = Field(
        "order", description="order: the hub's own; model_ratio: value for money; coding: best coders first"
    )
    sort_order: Literal["asc", "desc"] | None = Field(
        None, description="Default: largest context first, all else ascending"
    )
    limit: int = Field(20, ge=1, le=100)
    cursor: Line | None = Field(None, description="next_cursor of the page before, same query")

    def query(self) -> ListQuery:
        descending = None if self.sort_order is None else self.sort_order == "desc"
        return ListQuery(self.filters(), self.model or "", self.sort_by, descending)


class SearchArguments(FilterArguments):
    query: Line = Field(
        description="In any language: names (slips do not matter), criteria ('vision under $1, 200k context')"
    )
    limit: int = Field(10, ge=1, le=50)


class GetArguments(Arguments):
    model: Line = Field(description="Model id")


class ChatArguments(Arguments):
    model: Line | None = Field(None, description="Exact id; a thread remembers its own")
    prompt: str | None = Field(None, description="The question (or give messages)")
    messages: Objects | None = Field(None, description="OpenAI style: role, content as text or parts")
    system: str | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = Field(None, description="Reasoning counts too")
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    reasoning_effort: Line | None = Field(None, description="low, medium, high, ...")
    response_format: str | dict[str, Any] | None = Field(None, description="text, json, or a JSON Schema")
    images: Addresses = Field((), description="https or data URLs, shown with the prompt")
    thread: Line | None = Field(
        None, description="Continue that chat; without prompt: collect the rest of its answer, free"
    )
    fallback_models: Words = Field((), description="Tried in order if the model is refused or unknown")
    max_cost: Price | None = Field(None, description="USD; refused before sending if it might cost more")
    wait: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] | None = Field(
        None, description="Seconds until an unfinished answer returns as running"
    )
    options: Fields | None = Field(None, description="Any other request fields, e.g. tools, seed")

    def request(self) -> ChatRequest:
        """What is asked, checked for contradictions; raises BadRequest."""
        self._refuse_contradictions()
        wanted = read_format(self.response_format)
        return ChatRequest(
            model=self.model or "",
            messages=with_images(self._said(), self.images),
            system=self.system or "",
            options={**(self.options or {}), **self._named_options(), **wanted.field},
            schema=wanted.schema,
            wants_json=wanted.is_json,
            fallback_models=self.fallback_models,
            max_cost=self.max_cost,
            wait=self.wait,
            thread=self.thread or "",
        )

    def _said(self) -> list[dict[str, Any]]:
        if self.prompt is not None:
            return [{"role": "user", "content": self.prompt}]
        return self.messages or []

    def _named_options(self) -> dict[str, Any]:
        named = {
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "reasoning_effort": self.reasoning_effort,
        }
        return {name: value for name, value in named.items() if value is not None}

    def _refuse_contradictions(self) -> None:
        messages = self.messages or []
        if self.prompt is not None and messages:
            raise BadRequest("chat takes prompt or messages, not both.", hint="Put the prompt into messages.")
        if self.prompt is None and not messages:
            self._refuse_silence()
        if not all(isinstance(message.get("role"), str) for message in messages):
            raise BadRequest(
                "Each of messages needs a role.", hint="Such as {'role': 'user', 'content': '...'}."
            )
        if self.system and any(message["role"] == "system" for message in messages):
            raise BadRequest(
                "chat takes system or a system message in messages, not both.", hint="Join them."
            )
        named = self._named_options().keys() | ({"response_format"} if self.response_format else set())
        _refuse_options(self.options or {}, named)

    def _refuse_silence(self) -> None:
        """Without a question there must be a thread to collect, and nothing that only a question needs."""
        if self.thread is None:
            raise BadRequest(
                "chat needs a prompt or messages.", hint="Or a thread whose answer is to be collected."
            )
        idle = sorted(
            name
            for name in self.model_fields_set - {"thread", "wait", "model"}
            if getattr(self, name) not in (None, (), [], {})
        )
        if idle:
            raise BadRequest(
                f"Collecting a thread's answer sends nothing, so {', '.join(idle)} would have no effect.",
                hint="Leave it out to collect, or give a prompt to continue the thread.",
            )


_OURS = frozenset({"model", "messages", "stream", "stream_options"})
_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})


def _refuse_options(options: Mapping[str, Any], named: Set[str]) -> None:
    taken = options.keys() & (_OURS | named | (_LIMITS if _LIMITS & named else set()))
    if taken:
        raise BadRequest(
            f"options may not hold {', '.join(sorted(taken))}.",
            hint="Use chat's own argument for it, or leave it out.",
        )
    if options.get("n", 1) not in (1, None):
        raise BadRequest("options may not ask for n answers: each is paid.", hint="Call chat once for each.")


def _refuse_unknown(given: Iterable[str], known: Iterable[str]) -> None:
    known = tuple(known)
    for name in given:
        if name not in known:
            near = nearest_words(name, known)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"It takes {', '.join(known)}."
            raise BadRequest(f"There is no argument '{text.clean(name, 60)}'.", hint=hint, nearest=near)


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"The argument '{where}' is missing."
    # To a host it is a list.
    expected = first["msg"].rstrip(".").replace("tuple", "list")
    return f"The argument '{where}' cannot be used: {expected}."
