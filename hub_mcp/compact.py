"""Answers as compact text, for people and for models that read no structured content: pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .models import Model
from .results import CatalogState, ChatResult, ModelInfo, ModelList
from .spend import dollars

_SHORT_FEATURES = {"structured_outputs": "json"}


def list_text(result: ModelList) -> str:
    """One line on what is shown, one a model, one on how to go on."""
    why = result.why or {}
    lines = [_heading(result), *(_line(model, why.get(model.id)) for model in result.models)]
    if result.interpreted:
        lines.insert(1, f"Read as: {_criteria(result.interpreted)}")
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


def _criteria(interpreted: Mapping[str, Any]) -> str:
    shown = {
        name: ",".join(value) if isinstance(value, list) else value for name, value in interpreted.items()
    }
    return " ".join(f"{name}={value}" for name, value in shown.items())


def _how_to_go_on(result: ModelList) -> str:
    if result.next_cursor:
        return f"More: the same call with cursor={result.next_cursor}"
    if not result.total:
        return "Nothing fits all of it: drop a filter, or try search_models."
    # A list without a cursor is at its end; a search has none, it shows its best.
    if result.why is None or len(result.models) == result.total:
        return "That is all. get_model tells more of one."
    return "More: a larger limit, or more filters."


def _line(model: Model, why: str | None) -> str:
    return f"{_facts(model)} ({why})" if why else _facts(model)


@lru_cache(maxsize=4096)
def _facts(model: Model) -> str:
    inputs = [modality for modality in model.modalities if modality != "text"]
    parts = (
        model.id,
        "" if model.types in ((), ("llm",)) else ",".join(model.types),
        _limits(model),
        _price(model),
        f"+{','.join(inputs)}" if inputs else "",
        ",".join(_SHORT_FEATURES.get(word, word) for word in model.features),
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
