"""What the use-cases answer, before a host sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .models import ChatReply, Model


@dataclass(frozen=True, slots=True)
class CatalogState:
    """Where a catalog came from and how old it is: seconds, and seconds since 1970."""

    source: str
    fetched_at: float
    age: float
    fresh_for: float
    stale: bool


@dataclass(frozen=True, slots=True)
class ModelList:
    """Some of `total` models. `why` tells by id why a search found a model.

    `interpreted` are the criteria that the words of a search were read as.
    """

    models: tuple[Model, ...]
    total: int
    catalog: CatalogState
    next_cursor: str | None = None
    why: Mapping[str, str] | None = None
    interpreted: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """How many of `total` models there are of each kind, and from which price to which."""

    total: int
    types: Mapping[str, int]
    features: Mapping[str, int]
    modalities: Mapping[str, int]
    developers: Mapping[str, int]
    free: int
    input_prices: tuple[float, float] | None
    output_prices: tuple[float, float] | None
    catalog: CatalogState


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model; `available` is whether the key may use it, None where nobody knows."""

    model: Model
    catalog: CatalogState
    available: bool | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatResult:
    """What one call of chat returns: an answer, or the part of it that no call has returned yet.

    `text` begins at `offset` of the whole. `cost` is in US dollars, None where a price is
    unknown, and guessed where the hub did not say what was used. `parsed` counts where
    `is_json`. `next_step` is what the caller must do to get the rest.
    """

    reply: ChatReply
    text: str
    thread: str
    offset: int = 0
    cost: float | None = None
    cost_is_estimate: bool = False
    is_json: bool = False
    parsed: Any = None
    notes: tuple[str, ...] = ()
    next_step: str = ""
