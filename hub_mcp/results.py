"""What the use-cases answer, before a host sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
    """Some of `total` models. `why` tells by id why a search found a model."""

    models: tuple[Model, ...]
    total: int
    catalog: CatalogState
    next_cursor: str | None = None
    why: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model; `available` is whether the key may use it, None where nobody knows."""

    model: Model
    catalog: CatalogState
    available: bool | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatResult:
    """A model's answer and its price in US dollars, None where the price is unknown."""

    reply: ChatReply
    cost: float | None = None
    notes: tuple[str, ...] = ()
