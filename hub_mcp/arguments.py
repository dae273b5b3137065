"""What hosts may ask: the tools' arguments, read leniently, refused by name where they make no sense."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from . import text
from .errors import BadRequest
from .filters import Filters, nearest_words
from .listing import ListQuery
from .models import ChatRequest

A = TypeVar("A", bound="Arguments")


def _split(value: Any) -> Any:
    """A list may come as one comma-separated string, or as JSON text, as some hosts send it."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            pass
    return [part.strip() for part in value.split(",") if part.strip()]


_WORD_LIST_SCHEMA = {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}

Words = Annotated[tuple[str, ...], BeforeValidator(_split), WithJsonSchema(_WORD_LIST_SCHEMA)]
Line = Annotated[str, Field(max_length=2000)]
Count = Annotated[int, Field(ge=0)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Arguments(BaseModel):
    """Arguments of one tool. What is null or empty counts as not given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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
    sort_by: Literal[
        "order", "model_ratio", "context_length", "coding", "input_price", "output_price", "name"
    ] = Field(
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
    query: Line = Field(description="Words in any language: names, families, uses; slips do not matter")
    limit: int = Field(10, ge=1, le=50)


class GetArguments(Arguments):
    model: Line = Field(description="Model id")


class ChatArguments(Arguments):
    model: Line = Field(description="Exact model id")
    prompt: str | None = Field(None, description="The question; or messages")
    messages: list[dict[str, Any]] | None = Field(
        None, description="OpenAI style: role, content (text or parts)"
    )
    system: str | None = Field(None, description="System prompt")
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    options: dict[str, Any] | None = Field(None, description="Any other request fields, passed through")

    def request(self) -> ChatRequest:
        """Raises BadRequest for contradictions."""
        if (self.prompt is None) == (self.messages is None):
            raise BadRequest("chat takes either prompt or messages.", hint="Give one of the two.")
        asked = self.messages if self.messages is not None else [{"role": "user", "content": self.prompt}]
        system = [{"role": "system", "content": self.system}] if self.system else []
        named = {"max_tokens": self.max_tokens, "temperature": self.temperature}
        given = {name: value for name, value in named.items() if value is not None}
        return ChatRequest(self.model, (*system, *asked), {**(self.options or {}), **given})


def _refuse_unknown(given: Iterable[str], known: Iterable[str]) -> None:
    known = tuple(known)
    for name in given:
        if name not in known:
            near = nearest_words(name, known)[:1]
            hint = f"Did you mean '{near[0]}'?" if near else f"It takes {', '.join(known)}."
            raise BadRequest(f"There is no argument '{text.clean(name, 60)}'.", hint=hint, nearest=near)


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"The argument '{where}' is missing."
    return f"The argument '{where}' cannot be used: {first['msg'].rstrip('.')}."
