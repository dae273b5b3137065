"""Select, sort and page a catalog: pure functions over its models."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from . import text
from .errors import BadRequest
from .filters import ANYTHING, Filters
from .models import Model
from .table import Table

SortBy = Literal["order", "model_ratio", "context_length", "coding", "input_price", "output_price", "name"]
SORTS = get_args(SortBy)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """One question to `list_models`. `part` is looked for in ids and names, without case."""

    filters: Filters = ANYTHING
    part: str = ""
    sort_by: str = "order"
    descending: bool | None = None

    @property
    def order(self) -> str | None:
        """`asc` or `desc` where it was said."""
        return None if self.descending is None else "desc" if self.descending else "asc"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a result; `next_cursor` is absent on the last."""

    models: tuple[Model, ...]
    total: int
    next_cursor: str | None = None


def select(table: Table, query: ListQuery, positions: Mapping[str, int] | None = None) -> list[Model]:
    """The models that pass, sorted. `positions` is the hub's own order by id, where one was asked for."""
    passed = [table.models[number] for number in table.passing(query.filters)]
    part = text.fold(query.part).strip()
    if part:
        passed = [model for model in passed if part in text.fold(model.id) or part in text.fold(model.name)]
    return _sorted(passed, query, positions)


def _sorted(models: list[Model], query: ListQuery, positions: Mapping[str, int] | None) -> list[Model]:
    if positions is not None:
        return sorted(models, key=lambda model: positions.get(model.id, len(positions)))
    if query.sort_by == "order":
        return models[::-1] if query.descending else models
    value = _SORT_VALUE[query.sort_by]
    descending = query.sort_by == "context_length" if query.descending is None else query.descending
    known = [model for model in models if value(model) is not None]
    unknown = [model for model in models if value(model) is None]
    return sorted(known, key=value, reverse=descending) + unknown


_SORT_VALUE: Mapping[str, Callable[[Model], Any]] = {
    "context_length": lambda model: model.context_length,
    "input_price": lambda model: model.pricing.input,
    "output_price": lambda model: model.pricing.output,
    "name": lambda model: text.fold(model.name or model.id),
}


def page(models: Sequence[Model], limit: int, cursor: str | None, fingerprint: str) -> Page:
    """Cut one page; `fingerprint` ties its cursors to one catalog version and one query."""
    start = _offset(cursor, fingerprint) if cursor else 0
    end = start + limit
    more = end < len(models)
    return Page(tuple(models[start:end]), len(models), _cursor(end, fingerprint) if more else None)


def fingerprint(version: str, query: object) -> str:
    """A short name for one question to one version of the catalog."""
    return f"{digest(version.encode())}{digest(repr(query).encode())}"


def digest(data: bytes) -> str:
    """Eight hexadecimal characters: enough to tell versions apart, short enough to send."""
    return hashlib.blake2b(data, digest_size=4).hexdigest()


def _cursor(offset: int, mark: str) -> str:
    return base64.urlsafe_b64encode(f"{mark}{offset}".encode()).decode().rstrip("=")


def _offset(cursor: str, mark: str) -> int:
    try:
        decoded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        version, query, offset = decoded[:8], decoded[8:16], int(decoded[16:])
        if offset < 0 or cursor != _cursor(offset, version + query):
            raise ValueError("int and base64 read more than was ever written")
    except (ValueError, binascii.Error) as error:
        raise BadRequest("The cursor is not one that list_models gave.", hint=_START_AGAIN) from error
    if version != mark[:8]:
        raise BadRequest("The catalog has changed since this cursor was given.", hint=_START_AGAIN)
    if query != mark[8:]:
        raise BadRequest(
            "The cursor belongs to another query.", hint=f"Repeat the same filters and order. {_START_AGAIN}"
        )
    return offset


_START_AGAIN = "Call again without cursor to start at the first page."
