"""The use-cases: list, get, search, chat. Everything is put together here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import anyio
import httpx2

from . import text
from .catalog import Catalog, Reading, Snapshot
from .chats import Chats, Progress
from .clock import Clock, SystemClock
from .errors import BadRequest, HubError, MissingKey, ModelNotFound
from .failures import SET_A_KEY
from .filters import Filters
from .index import Index
from .listing import ListQuery, fingerprint, page, select
from .models import ChatRequest, Model
from .results import CatalogState, ChatResult, ModelInfo, ModelList, Summary
from .search import find
from .settings import Settings
from .summary import summed_up
from .upstream import Upstream

ACCESS_WAIT = 5.0
"""Seconds that get_model waits for the list of what the key may use: it is worth that much, not more."""

NEAR_COMPLETIONS = 20


class Hub:
    """One hub, as its settings say. An async context manager; everything it started ends with it."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self.settings = settings
        self._upstream = Upstream(
            settings.base_urls,
            clock=clock,
            timeout=settings.timeout,
            app_code=settings.app_code,
            transport=transport,
        )
        self._catalog = Catalog(
            self._upstream, settings.profile, clock=clock, max_stale=settings.catalog_max_stale
        )
        self._chats = Chats(self._upstream, self._catalog, settings, clock)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._upstream)
        await self._stack.enter_async_context(self._catalog)
        await self._stack.enter_async_context(self._chats)
        self._catalog.warm(self._key)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def _key(self) -> str | None:
        key = self.settings.api_key
        return key.get_secret_value() if key else None

    async def list_models(self, query: ListQuery, limit: int, cursor: str | None = None) -> ModelList:
        """One page of the models that pass, sorted; raises HubError."""
        reading = await self._catalog.read(self._key)
        index = reading.value.index
        query = _checked(query, index)
        version, positions = reading.version, None
        if query.sort_by in ("coding", "model_ratio"):
            order = await self._hub_order(query)
            version, positions = f"{version}{order.version}", order.value
        found = page(select(index.table, query, positions), limit, cursor, fingerprint(version, query))
        return ModelList(found.models, found.total, _state(reading), found.next_cursor, notes=_notes(reading))

    async def search_models(self, query: str, filters: Filters, limit: int) -> ModelList:
        """The best matches for some words; raises HubError."""
        reading = await self._catalog.read(self._key)
        index = reading.value.index
        found = find(index, query, filters, limit)
        return ModelList(
            models=tuple(match.model for match in found.matches),
            total=found.total,
            catalog=_state(reading),
            why={match.model.id: match.why for match in found.matches},
            interpreted=found.interpreted,
            notes=(*found.notes, *_notes(reading)),
        )

    async def get_model(self, model_id: str) -> ModelInfo:
        """One model by its id, or the only one that differs by case or separators; raises HubError."""
        reading = await self._catalog.read(self._key)
        model = _resolve(model_id, reading.value.index)
        notes = _notes(reading)
        if model.id != model_id:
            notes = (
                f"There is no '{text.clean(model_id, 200)}'; this is {model.id}, which differs by case or separators.",
                *notes,
            )
        return ModelInfo(model, _state(reading), await self._available(model), notes)

    async def every_model(self) -> ModelList:
        """The whole catalog in the hub's order; raises HubError."""
        reading = await self._catalog.read(self._key)
        models = tuple(reading.value.index.models)
        return ModelList(models, len(models), _state(reading), notes=_notes(reading))

    async def summary(self) -> Summary:
        """How many models of which kind; raises HubError."""
        reading = await self._catalog.read(self._key)
        return summed_up(reading.value.index.models, _state(reading))

    async def complete(self, beginning: str) -> list[str]:
        """Ids that go on from what was typed, else those that it may be a slip of; raises HubError."""
        index = (await self._catalog.read(self._key)).value.index
        return index.complete(beginning) or list(index.nearest(beginning, NEAR_COMPLETIONS))

    async def renew_if_stale(self) -> float:
        """Have the catalog renewed where that is due; seconds until the next look."""
        return await self._catalog.renew_if_stale(self._key)

    def tell_of_change(self, listener: Callable[[], None] | None) -> None:
        """Call `listener` whenever a renewal brings other models; None ends it."""
        self._catalog.on_change = listener

    async def chat(self, request: ChatRequest, progress: Progress | None = None) -> ChatResult:
        """Ask a model, or collect the rest of an answer; raises HubError. Ids go to the hub exactly as given."""
        if self._key is None:
            raise MissingKey("chat needs a key, and none is set.", hint=SET_A_KEY)
        return await self._chats.chat(request, self._key, progress)

    async def _hub_order(self, query: ListQuery) -> Reading[Mapping[str, int]]:
        if query.sort_by not in self.settings.profile.hub_orders:
            raise BadRequest(
                f"This hub has no order by {query.sort_by}.",
                hint="Sort by context_length, a price or name instead.",
            )
        return await self._catalog.order(query.sort_by, query.order, self._key)

    async def _available(self, model: Model) -> bool | None:
        """Whether the key may use the model, None where there is no key or no list in time."""
        profile = self.settings.profile
        if self._key is None:
            return None
        if profile.access_path is None:
            return True if profile.keyed_catalog else None
        with anyio.move_on_after(ACCESS_WAIT):
            try:
                return model.id in await self._catalog.access(self._key)
            except HubError:
                return None
        return None


def _checked(query: ListQuery, index: Index) -> ListQuery:
    return ListQuery(index.vocabulary.check(query.filters), query.part, query.sort_by, query.descending)


def _resolve(model_id: str, index: Index) -> Model:
    model = index.resolve(model_id)
    if model is not None:
        return model
    near = index.nearest(model_id)
    hint = f"Nearest: {', '.join(near)}." if near else "search_models finds models by words."
    raise ModelNotFound(f"No model has the id '{text.clean(model_id, 200)}'.", hint=hint, nearest=near)


def _state(reading: Reading[Snapshot]) -> CatalogState:
    return CatalogState(reading.source, reading.fetched_at, reading.age, reading.fresh_for, reading.stale)


def _notes(reading: Reading[Snapshot]) -> tuple[str, ...]:
    skipped = reading.value.skipped
    return (
        *((f"The catalog is {round(reading.age)} s old: {reading.reason}",) if reading.stale else ()),
        *((f"{skipped} rows of the hub's catalog could not be used and were left out.",) if skipped else ()),
    )
