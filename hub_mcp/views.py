"""What a host reads: typed answers without empty fields, and compact text for people.

Every name here is a promise of the public contract; prices are USD per million tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, NotRequired, cast

from pydantic import Field
from typing_extensions import TypedDict

from . import text
from .models import Model, Usage
from .results import CatalogState, ChatResult, ModelInfo, ModelList, Summary

SUMMARY_BYTES = 3000
_MAX_EXTRA = 2000


class ModelRow(TypedDict):
    """One model of a list. A limit or price that is absent is unknown."""

    id: Annotated[str, Field(description="Exact id, for chat and get_model")]
    name: NotRequired[Annotated[str, Field(description="Absent where it only repeats the id")]]
    developer: NotRequired[str]
    types: list[str]
    features: NotRequired[list[str]]
    modalities: NotRequired[Annotated[list[str], Field(description="What it accepts")]]
    context_length: NotRequired[Annotated[int, Field(description="Tokens")]]
    max_output: NotRequired[Annotated[int, Field(description="Tokens")]]
    input_price: NotRequired[Annotated[float, Field(description="USD per 1M tokens")]]
    output_price: NotRequired[Annotated[float, Field(description="USD per 1M tokens")]]
    free: NotRequired[bool]
    why: NotRequired[Annotated[str, Field(description="Why the search found it")]]


class CatalogView(TypedDict):
    """Which catalog an answer comes from."""

    age: Annotated[int, Field(description="Seconds")]
    stale: bool
    fetched_at: Annotated[str, Field(description="ISO 8601 UTC")]
    source: str


class ModelListView(TypedDict):
    """The answer of list_models, search_models and hub://catalog."""

    models: list[ModelRow]
    total: int
    next_cursor: NotRequired[str]
    interpreted: NotRequired[
        Annotated[dict[str, Any], Field(description="Criteria that words of the query were read as")]
    ]
    notes: NotRequired[list[str]]
    catalog: CatalogView


class ModelDetail(ModelRow):
    """Everything known of one model."""

    description: NotRequired[str]
    cache_read_price: NotRequired[Annotated[float, Field(description="USD per 1M tokens")]]
    cache_write_price: NotRequired[Annotated[float, Field(description="USD per 1M tokens")]]
    endpoints: NotRequired[list[str]]
    owned_by: NotRequired[str]
    created: NotRequired[Annotated[str, Field(description="ISO 8601 UTC")]]
    available: NotRequired[Annotated[bool, Field(description="Whether the configured key may use it")]]
    extra: NotRequired[Annotated[dict[str, Any], Field(description="The hub's own other fields")]]


class ModelInfoView(TypedDict):
    """The answer of get_model."""

    model: ModelDetail
    notes: NotRequired[list[str]]
    catalog: CatalogView


class PriceRange(TypedDict):
    """From the lowest to the highest, USD per 1M tokens."""

    lowest: float
    highest: float


class SummaryView(TypedDict):
    """The content of hub://catalog/summary: numbers of models, the most frequent first."""

    total: int
    free: int
    types: dict[str, int]
    features: dict[str, int]
    modalities: dict[str, int]
    developers: dict[str, int]
    input_price: NotRequired[PriceRange]
    output_price: NotRequired[PriceRange]
    catalog: CatalogView


class UsageView(TypedDict):
    """Tokens as the hub counted them; reasoning is part of the output."""

    input_tokens: int
    output_tokens: int
    reasoning_tokens: NotRequired[int]
    cached_tokens: NotRequired[int]


class ChatView(TypedDict):
    """The answer of chat."""

    model: Annotated[str, Field(description="The model that answered")]
    text: str
    offset: NotRequired[Annotated[int, Field(description="Where in the whole answer text begins")]]
    finish_reason: Annotated[
        str, Field(description="The hub's, or running (collect the rest), or incomplete")
    ]
    usage: NotRequired[UsageView]
    cost: NotRequired[Annotated[float, Field(description="US dollars")]]
    cost_is_estimate: NotRequired[bool]
    parsed: NotRequired[Annotated[Any, Field(description="The answer as JSON, where JSON was asked for")]]
    tool_calls: NotRequired[list[dict[str, Any]]]
    reasoning: NotRequired[str]
    thread: Annotated[str, Field(description="Continues this chat, or collects the rest")]
    request_id: NotRequired[str]
    first_token_seconds: float
    seconds: float
    notes: NotRequired[list[str]]


# --- structured ---------------------------------------------------------------------------


def list_view(result: ModelList) -> ModelListView:
    why = result.why or {}
    view: ModelListView = {
        "models": [_listed(model, why.get(model.id)) for model in result.models],
        "total": result.total,
        "catalog": catalog_view(result.catalog),
    }
    if result.next_cursor:
        view["next_cursor"] = result.next_cursor
    if result.interpreted:
        view["interpreted"] = dict(result.interpreted)
    if result.notes:
        view["notes"] = list(result.notes)
    return view


def summary_view(result: Summary) -> SummaryView:
    """At most SUMMARY_BYTES of JSON: of each kind as many as fit, the rest as `others`."""
    for most in (1000, 60, 40, 25, 15, 8, 4):
        view = _summary_view(result, most)
        if len(json.dumps(view, ensure_ascii=False).encode()) <= SUMMARY_BYTES:
            break
    return view


def _summary_view(result: Summary, most: int) -> SummaryView:
    view: SummaryView = {
        "total": result.total,
        "free": result.free,
        "types": _first(result.types, most),
        "features": _first(result.features, most),
        "modalities": _first(result.modalities, most),
        "developers": _first(result.developers, most),
        "catalog": catalog_view(result.catalog),
    }
    if result.input_prices:
        view["input_price"] = _price_range(*result.input_prices)
    if result.output_prices:
        view["output_price"] = _price_range(*result.output_prices)
    return view


def _first(counts: Mapping[str, int], most: int) -> dict[str, int]:
    named = dict(list(counts.items())[:most])
    others = sum(counts.values()) - sum(named.values())
    return {**named, "others": others} if others else named


def _price_range(lowest: float, highest: float) -> PriceRange:
    return {"lowest": _number(lowest), "highest": _number(highest)}


def info_view(result: ModelInfo) -> ModelInfoView:
    view: ModelInfoView = {"model": _detail(result), "catalog": catalog_view(result.catalog)}
    if result.notes:
        view["notes"] = list(result.notes)
    return view


def chat_view(result: ChatResult) -> ChatView:
    reply = result.reply
    view: ChatView = {
        "model": reply.model,
        "text": result.text,
        "finish_reason": reply.finish_reason,
        "thread": result.thread,
        "first_token_seconds": round(reply.first_token_seconds, 3),
        "seconds": round(reply.seconds, 3),
    }
    view.update(
        _present(
            offset=result.offset,
            usage=_usage_view(reply.usage) if reply.usage else None,
            cost_is_estimate=result.cost_is_estimate,
            tool_calls=[dict(call) for call in reply.tool_calls],
            reasoning=reply.reasoning,
            request_id=reply.request_id,
            notes=[*result.notes, *([result.next_step] if result.next_step else [])],
        )
    )
    if result.cost is not None:
        view["cost"] = _number(result.cost)
    if result.is_json:
        view["parsed"] = result.parsed
    return view


def catalog_view(state: CatalogState) -> CatalogView:
    return {
        "age": round(state.age),
        "stale": state.stale,
        "fetched_at": datetime.fromtimestamp(state.fetched_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "source": state.source,
    }


def _usage_view(usage: Usage) -> UsageView:
    view: UsageView = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    view.update(_present(reasoning_tokens=usage.reasoning_tokens, cached_tokens=usage.cached_tokens))
    return view


def _listed(model: Model, why: str | None) -> ModelRow:
    row = _row(model, _telling_name(model))
    if why:
        row["why"] = why
    return row


def _detail(result: ModelInfo) -> ModelDetail:
    model, pricing = result.model, result.model.pricing
    detail = cast("ModelDetail", _row(model, model.name))
    detail.update(
        _present(
            description=model.description,
            endpoints=list(model.endpoints),
            owned_by=model.owned_by,
            created=model.created,
            extra=_extra(model.extra),
        )
    )
    if pricing.cache_read is not None:
        detail["cache_read_price"] = _number(pricing.cache_read)
    if pricing.cache_write is not None:
        detail["cache_write_price"] = _number(pricing.cache_write)
    if result.available is not None:
        detail["available"] = result.available
    return detail


def _row(model: Model, name: str) -> ModelRow:
    """Written out, not looped over: a hundred rows are made for one answer."""
    row: ModelRow = {"id": model.id, "types": list(model.types)}
    if name:
        row["name"] = name
    if model.developer:
        row["developer"] = model.developer
    if model.features:
        row["features"] = list(model.features)
    if model.modalities:
        row["modalities"] = list(model.modalities)
    if model.context_length is not None:
        row["context_length"] = model.context_length
    if model.max_output is not None:
        row["max_output"] = model.max_output
    if model.pricing.input is not None:
        row["input_price"] = _number(model.pricing.input)
    if model.pricing.output is not None:
        row["output_price"] = _number(model.pricing.output)
    if model.free:
        row["free"] = True
    return row


def _present(**fields: Any) -> Any:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value}


def _number(value: float) -> float:
    """2.0 is sent as 2."""
    return int(value) if value == int(value) else value


def _telling_name(model: Model) -> str:
    """The name, unless it only repeats the id: `Claude Sonnet 5` for `claude-sonnet-5` would cost 27 bytes a row."""
    return model.name if text.squeeze(model.name) != text.squeeze(model.id) else ""


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
