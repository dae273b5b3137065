"""What a host reads: typed answers without empty fields, and compact text for people.

Every name here is a promise of the public contract; prices are USD per million tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from . import text
from .models import Model, Usage
from .results import CatalogState, ChatResult, ModelInfo, ModelList
from .spend import dollars

Number = Annotated[
    float,
    PlainSerializer(lambda value: int(value) if value == int(value) else value),
    WithJsonSchema({"type": "number"}),
]
"""2.0 is sent as 2."""

_MAX_EXTRA = 2000

_SHORT_FEATURES = {"structured_outputs": "json"}


class View(BaseModel):
    """An answer; fields that are None are left out."""

    model_config = ConfigDict(frozen=True)

    def dump(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class ModelRow(View):
    """One model of a list. A limit or price that is absent is unknown."""

    id: str = Field(description="Exact id, for chat and get_model")
    name: str | None = Field(None, description="Absent where it only repeats the id")
    developer: str | None = None
    types: list[str]
    features: list[str] | None = None
    modalities: list[str] | None = Field(None, description="What it accepts")
    context_length: int | None = Field(None, description="Tokens")
    max_output: int | None = Field(None, description="Tokens")
    input_price: Number | None = Field(None, description="USD per 1M tokens")
    output_price: Number | None = Field(None, description="USD per 1M tokens")
    free: bool | None = None
    why: str | None = Field(None, description="Why the search found it")


class CatalogView(View):
    """Which catalog an answer comes from."""

    age: int = Field(description="Seconds")
    stale: bool
    fetched_at: str = Field(description="ISO 8601 UTC")
    source: str


class ModelListView(View):
    """The answer of list_models, search_models and hub://catalog."""

    models: list[ModelRow]
    total: int
    next_cursor: str | None = None
    notes: list[str] | None = None
    catalog: CatalogView


class ModelDetail(ModelRow):
    """Everything known of one model."""

    description: str | None = None
    cache_read_price: Number | None = Field(None, description="USD per 1M tokens")
    cache_write_price: Number | None = Field(None, description="USD per 1M tokens")
    endpoints: list[str] | None = None
    owned_by: str | None = None
    created: str | None = Field(None, description="ISO 8601 UTC")
    available: bool | None = Field(None, description="Whether the configured key may use it")
    extra: dict[str, Any] | None = Field(None, description="The hub's own other fields")


class ModelInfoView(View):
    """The answer of get_model."""

    model: ModelDetail
    notes: list[str] | None = None
    catalog: CatalogView


class UsageView(View):
    """Tokens as the hub counted them; reasoning is part of the output."""

    input_tokens: int
    output_tokens: int
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None


class ChatView(View):
    """The answer of chat."""

    model: str = Field(description="The model that answered")
    text: str
    offset: int | None = Field(None, description="Where in the whole answer text begins")
    finish_reason: str = Field(description="The hub's, or running (collect the rest), or incomplete")
    usage: UsageView | None = None
    cost: Number | None = Field(None, description="US dollars")
    cost_is_estimate: bool | None = None
    parsed: Any = Field(None, description="The answer as JSON, where JSON was asked for")
    tool_calls: list[dict[str, Any]] | None = None
    reasoning: str | None = None
    thread: str = Field(description="Continues this chat, or collects the rest")
    request_id: str | None = None
    first_token_seconds: float
    seconds: float
    notes: list[str] | None = None


# --- structured ---------------------------------------------------------------------------


def list_view(result: ModelList) -> ModelListView:
    why = result.why or {}
    return ModelListView(
        models=[
            ModelRow(**_row(model), name=_telling_name(model), why=why.get(model.id))
            for model in result.models
        ],
        total=result.total,
        next_cursor=result.next_cursor,
        notes=list(result.notes) or None,
        catalog=catalog_view(result.catalog),
    )


def info_view(result: ModelInfo) -> ModelInfoView:
    model = result.model
    return ModelInfoView(
        model=ModelDetail(
            **_row(model),
            name=model.name or None,
            description=model.description or None,
            cache_read_price=model.pricing.cache_read,
            cache_write_price=model.pricing.cache_write,
            endpoints=list(model.endpoints) or None,
            owned_by=model.owned_by or None,
            created=model.created or None,
            available=result.available,
            extra=_extra(model.extra) or None,
        ),
        notes=list(result.notes) or None,
        catalog=catalog_view(result.catalog),
    )


def chat_view(result: ChatResult) -> ChatView:
    reply = result.reply
    return ChatView(
        model=reply.model,
        text=result.text,
        offset=result.offset or None,
        finish_reason=reply.finish_reason,
        usage=_usage_view(reply.usage) if reply.usage else None,
        cost=result.cost,
        cost_is_estimate=result.cost_is_estimate or None,
        parsed=result.parsed if result.is_json else None,
        tool_calls=[dict(call) for call in reply.tool_calls] or None,
        reasoning=reply.reasoning or None,
        thread=result.thread,
        request_id=reply.request_id,
        first_token_seconds=round(reply.first_token_seconds, 3),
        seconds=round(reply.seconds, 3),
        notes=[*result.notes, result.next_step] if result.next_step else list(result.notes) or None,
    )


def _usage_view(usage: Usage) -> UsageView:
    return UsageView(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens or None,
        cached_tokens=usage.cached_tokens or None,
    )


def catalog_view(state: CatalogState) -> CatalogView:
    return CatalogView(
        age=round(state.age),
        stale=state.stale,
        fetched_at=datetime.fromtimestamp(state.fetched_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        source=state.source,
    )


def _row(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "developer": model.developer or None,
        "types": list(model.types),
        "features": list(model.features) or None,
        "modalities": list(model.modalities) or None,
        "context_length": model.context_length,
        "max_output": model.max_output,
        "input_price": model.pricing.input,
        "output_price": model.pricing.output,
        "free": model.free or None,
    }


def _telling_name(model: Model) -> str | None:
    """The name, unless it only repeats the id: `Claude Sonnet 5` for `claude-sonnet-5` would cost 27 bytes a row."""
    return model.name if text.squeeze(model.name) != text.squeeze(model.id) else None


def _extra(extra: Mapping[str, Any]) -> dict[str, Any]:
    return {
        text.clean(key, 60): _bounded(value)
        for key, value in extra.items()
        if value not in (None, "", [], {})
    }


def _bounded(value: Any) -> Any:
    size = len(json.dumps(value))
    return f"({size} characters, left out)" if size > _MAX_EXTRA else _cleaned(value)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return text.clean(value, _MAX_EXTRA)
    if isinstance(value, Mapping):
        return {text.clean(str(key), 60): _cleaned(each) for key, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list) else value


# --- text ---------------------------------------------------------------------------------


def list_text(result: ModelList) -> str:
    """One line on what is shown, one a model, one on how to go on."""
    why = result.why or {}
    lines = [_heading(result), *(_line(model, why.get(model.id)) for model in result.models)]
    lines += [f"Note: {note}" for note in result.notes]
    return "\n".join([*lines, _how_to_go_on(result)])


def info_text(result: ModelInfo) -> str:
    """A line a fact."""
    model = result.model
    facts = {
        "name": model.name,
        "developer": model.developer,
        "types": ", ".join(model.types),
        "features": ", ".join(model.features),
        "inputs": ", ".join(model.modalities),
        "context": _tokens(model.context_length),
        "max output": _tokens(model.max_output),
        "price per 1M tokens": _all_prices(model),
        "endpoints": ", ".join(model.endpoints),
        "your key may use it": {True: "yes", False: "no"}.get(result.available)
        if result.available is not None
        else "",
        "description": model.description,
    }
    told = [f"{fact}: {value}" for fact, value in facts.items() if value]
    return "\n".join([model.id, *(f"note: {note}" for note in result.notes), *told, _age(result.catalog)])


def _heading(result: ModelList) -> str:
    columns = "id context/output $in/$out per 1M tokens +inputs features"
    return f"{len(result.models)} of {result.total} ({_age(result.catalog)}): {columns}"


def _how_to_go_on(result: ModelList) -> str:
    if result.next_cursor:
        return f"More: the same call with cursor={result.next_cursor}"
    if not result.total:
        return "Nothing fits all of it: drop a filter, or try search_models."
    shown_all = len(result.models) == result.total
    return (
        "That is all. get_model tells more of one." if shown_all else "More: a larger limit, or more filters."
    )


def _line(model: Model, why: str | None) -> str:
    inputs = [modality for modality in model.modalities if modality != "text"]
    parts = (
        model.id,
        "" if model.types in ((), ("llm",)) else ",".join(model.types),
        _limits(model),
        _price(model),
        f"+{','.join(inputs)}" if inputs else "",
        ",".join(_SHORT_FEATURES.get(word, word) for word in model.features),
        f"({why})" if why else "",
    )
    return " ".join(part for part in parts if part)


def _limits(model: Model) -> str:
    if model.context_length is None and model.max_output is None:
        return ""
    return f"{_tokens(model.context_length) or '?'}/{_tokens(model.max_output) or '?'}"


def _price(model: Model) -> str:
    pricing = model.pricing
    if model.free:
        return "free"
    return (
        ""
        if pricing.input is None and pricing.output is None
        else f"{money(pricing.input)}/{money(pricing.output)}"
    )


def _all_prices(model: Model) -> str:
    named = (
        ("in", model.pricing.input),
        ("out", model.pricing.output),
        ("cache read", model.pricing.cache_read),
        ("cache write", model.pricing.cache_write),
    )
    return ", ".join(f"{money(price)} {name}" for name, price in named if price is not None)


def money(amount: float | None) -> str:
    """`$0.15`; four significant figures at least are kept."""
    return "$?" if amount is None else f"${amount:,.4g}" if amount < 1000 else f"${amount:,.0f}"


def _tokens(count: int | None) -> str:
    """`1M`, `128K`, `8192`: exact where it is short, else rounded to thousands."""
    if count is None:
        return ""
    if count >= 1_000_000:
        return f"{count / 1_000_000:.4g}M"
    return f"{count / 1000:.4g}K" if count >= 10_000 else str(count)


def _age(state: CatalogState) -> str:
    return f"catalog {round(state.age)} s old{', stale' if state.stale else ''}"


def chat_text(result: ChatResult) -> str:
    """One line on how the answer came about; the answer itself is a block of its own."""
    reply = result.reply
    usage = reply.usage
    facts = (
        reply.model,
        reply.finish_reason,
        f"{usage.input_tokens} in, {usage.output_tokens} out" if usage else "",
        f"{'about ' if result.cost_is_estimate else ''}{dollars(result.cost)}"
        if result.cost is not None
        else "",
        f"{reply.seconds:.1f} s",
        f"thread {result.thread}",
    )
    return " | ".join(fact for fact in (*facts, *result.notes, result.next_step) if fact)
