"""The cached catalog: one snapshot per URL and key, one request however many wait.

`freshness` decides, this module acts. Requests run in tasks of the cache's own, so a
caller that is cancelled cancels nothing for the others.
"""

from __future__ import annotations

import copy
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Generic, Self, TypeVar

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from . import wire
from .clock import Clock, Stamp, elapsed
from .errors import BadAnswer, HubError, HubFailed, Unreachable
from .failures import redact
from .freshness import LONGEST_PAUSE, Freshness, Policy, judge, pause_after
from .index import Index
from .listing import digest
from .profiles import Profile
from .upstream import Answer, Upstream, Validator

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MAX_ENTRIES = 256

_SOON = 1.0
"""Seconds until somebody who keeps the catalog fresh looks whether a renewal has come."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of the catalog, with what search needs of it. `skipped` rows could not be used."""

    index: Index
    skipped: int


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What the cache answers, and how old it is.

    `age` and `fresh_for` are in seconds, `fetched_at` in seconds since 1970. A stale
    answer says why it is in `reason`. `version` changes with the content only.
    """

    value: T
    version: str
    source: str
    fetched_at: float
    age: float
    fresh_for: float
    stale: bool
    reason: str


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    """The last good answer of one URL."""

    value: T
    version: str
    source: str
    etag: str | None
    cache_control: str | None
    policy: Policy
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class _Failed:
    """The last renewal's failure, and for how many seconds the hub is left alone."""

    error: HubError
    count: int
    stamp: Stamp
    pause: float


@dataclass(frozen=True, slots=True)
class _Setting:
    """What every entry of one cache shares."""

    tasks: TaskGroup
    clock: Clock
    max_stale: float
    jitter: Callable[[], float]


class Cached(Generic[T]):
    """One URL's answer, decoded. `decode` gets the body and the last good value; it raises BadAnswer."""

    def __init__(
        self,
        setting: _Setting,
        fetch: Callable[[Validator | None], Awaitable[Answer]],
        decode: Callable[[bytes, T | None], T],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._setting = setting
        self._fetch = fetch
        self._decode = decode
        self._on_change = on_change
        self._kept: _Kept[T] | None = None
        self._failed: _Failed | None = None
        self._flight: anyio.Event | None = None

    @property
    def idle(self) -> bool:
        return self._flight is None

    async def read(self) -> Reading[T]:
        """The answer, renewed first where it is too old; raises HubError where there is none to give."""
        before = self._kept
        freshness = self._freshness()
        if freshness is Freshness.STALE:
            self.renew()
        elif freshness is Freshness.EXPIRED:
            self.renew()
            if self._flight is not None:
                await self._flight.wait()
        return self._reading(renewed=self._kept is not before)

    def peek(self) -> T | None:
        """The last good value, however old; asks nobody."""
        return self._kept.value if self._kept is not None else None

    def renew(self) -> None:
        """Start one request in the background, unless one is under way or the hub is left alone."""
        if self._flight is None and not self._paused():
            self._flight = anyio.Event()
            self._setting.tasks.start_soon(self._renew, self._flight)

    def _freshness(self) -> Freshness:
        if self._kept is None:
            return Freshness.EXPIRED
        return judge(self._age(self._kept), self._kept.policy)

    def _age(self, kept: _Kept[T]) -> float:
        return elapsed(kept.stamp, self._setting.clock.stamp())

    def _paused(self) -> bool:
        failed = self._failed
        return failed is not None and elapsed(failed.stamp, self._setting.clock.stamp()) < failed.pause

    async def _renew(self, flight: anyio.Event) -> None:
        try:
            before, self._kept = self._kept, await self._fetched()
            self._failed = None
            if before is not None and before.version != self._kept.version:
                self._on_change()
        except HubError as error:
            self._note(error)
        except Exception:
            # Our bug, not the hub's; the callers that wait must hear of it all the same.
            logger.exception("The renewal of the catalog failed unexpectedly")
            self._note(HubFailed("The catalog could not be read.", hint="See the server's log."))
        finally:
            self._flight = None
            flight.set()

    async def _fetched(self) -> _Kept[T]:
        kept = self._kept
        validator = Validator(kept.etag, kept.source) if kept is not None and kept.etag else None
        answer = await self._fetch(validator)
        stamp = self._setting.clock.stamp()
        age = answer.headers.get("age")
        if answer.status == 304 and kept is not None:
            control = answer.headers.get("cache-control", kept.cache_control)
            return replace(kept, cache_control=control, policy=Policy.from_headers(control, age), stamp=stamp)
        control = answer.headers.get("cache-control")
        version = digest(answer.body)
        unchanged = kept is not None and kept.version == version
        return _Kept(
            value=kept.value if kept is not None and unchanged else await self._decoded(answer.body),
            version=version,
            source=answer.base_url,
            etag=answer.headers.get("etag"),
            cache_control=control,
            policy=Policy.from_headers(control, age),
            stamp=stamp,
        )

    async def _decoded(self, body: bytes) -> T:
        last = self._kept.value if self._kept is not None else None
        return await anyio.to_thread.run_sync(self._decode, body, last)

    def _note(self, error: HubError) -> None:
        count = self._failed.count + 1 if self._failed is not None else 1
        pause = pause_after(count, self._setting.jitter(), error.retry_after)
        logger.info("The catalog could not be renewed (%s); next try in %.1f s at the earliest", error, pause)
        self._failed = _Failed(error, count, self._setting.clock.stamp(), pause)

    def _reading(self, *, renewed: bool) -> Reading[T]:
        kept = self._kept
        age = 0.0 if kept is None else self._age(kept)
        if kept is None or (not renewed and self._too_old(kept, age)):
            # A copy: a shared exception would gather every caller's traceback.
            raise copy.copy(self._failed.error) if self._failed else Unreachable("The server is stopping.")
        stale = not renewed and age >= kept.policy.lifetime
        return Reading(
            value=kept.value,
            version=kept.version,
            source=kept.source,
            fetched_at=kept.stamp.wall,
            age=age,
            fresh_for=max(kept.policy.lifetime - age, 0.0),
            stale=stale,
            reason=self._reason() if stale else "",
        )

    def _too_old(self, kept: _Kept[T], age: float) -> bool:
        return judge(age, kept.policy) is Freshness.EXPIRED and age > self._setting.max_stale

    def _reason(self) -> str:
        return self._failed.error.message if self._failed else "it is being renewed in the background"


class Catalog:
    """The hub's lists, cached: every model, the hub's own orders, and what a key may use.

    An async context manager; its background requests end with it.
    """

    def __init__(
        self,
        upstream: Upstream,
        profile: Profile,
        *,
        clock: Clock,
        max_stale: float,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._upstream = upstream
        self._profile = profile
        self._clock = clock
        self._max_stale = max_stale
        self._jitter = jitter
        self._stack = AsyncExitStack()
        self._setting: _Setting | None = None
        self._snapshots: dict[object, Cached[Snapshot]] = {}
        self._orders: dict[object, Cached[Mapping[str, int]]] = {}
        self._access: dict[object, Cached[frozenset[str]]] = {}
        self.on_change: Callable[[], None] | None = None
        """Called when a renewal brought other models, and only then."""

    async def __aenter__(self) -> Self:
        tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(tasks.cancel_scope.cancel)
        self._setting = _Setting(tasks, self._clock, self._max_stale, self._jitter)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._setting = None
        await self._stack.aclose()

    def warm(self, key: str | None) -> None:
        """Start the first request, so that the first caller waits less."""
        self._models(key).renew()

    async def read(self, key: str | None) -> Reading[Snapshot]:
        """Every model of the hub, as far as `key` decides; raises HubError."""
        return await self._models(key).read()

    async def renew_if_stale(self, key: str | None) -> float:
        """Start a renewal where one is due; seconds until the next look."""
        try:
            reading = await self._models(key).read()
        except HubError:
            return LONGEST_PAUSE
        return max(reading.fresh_for, _SOON)

    def peek(self, key: str | None) -> Snapshot | None:
        """What is known without asking anybody, however old; None where nothing is."""
        # A chat may still end while the server stops.
        return self._models(key).peek() if self._setting is not None else None

    async def order(self, sort_by: str, direction: str | None, key: str | None) -> Reading[Mapping[str, int]]:
        """The hub's own order: id -> position; raises HubError."""
        params = {"sort_by": sort_by} | ({"sort_order": direction} if direction else {})
        shape = self._profile.catalog_shape

        def decode(body: bytes, _last: Mapping[str, int] | None) -> Mapping[str, int]:
            # An empty order would pass the catalog's own off as the one that was asked for.
            models = _usable(wire.decode_catalog(body, shape), may_be_empty=False).models
            return {model.id: position for position, model in enumerate(models)}

        path = self._profile.catalog_path
        return await self._entry(self._orders, path, params, self._catalog_key(key), decode).read()

    async def access(self, key: str) -> frozenset[str]:
        """The ids that `key` may use; raises HubError. Only for a hub that has such a list."""
        assert self._profile.access_path is not None

        def decode(body: bytes, last: frozenset[str] | None) -> frozenset[str]:
            models = _usable(wire.decode_catalog(body, "openai"), may_be_empty=not last).models
            return frozenset(model.id for model in models)

        entry = self._entry(self._access, self._profile.access_path, {}, key, decode)
        return (await entry.read()).value

    def _models(self, key: str | None) -> Cached[Snapshot]:
        shape = self._profile.catalog_shape

        def decode(body: bytes, last: Snapshot | None) -> Snapshot:
            may_be_empty = last is None or not last.index.models
            catalog = _usable(wire.decode_catalog(body, shape), may_be_empty=may_be_empty)
            return Snapshot(Index(catalog.models), catalog.skipped)

        path = self._profile.catalog_path
        return self._entry(self._snapshots, path, {}, self._catalog_key(key), decode, self._tell_of_change)

    def _tell_of_change(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def _catalog_key(self, key: str | None) -> str | None:
        return key if self._profile.keyed_catalog else None

    def _entry(
        self,
        entries: dict[object, Cached[T]],
        path: str,
        params: Mapping[str, str],
        key: str | None,
        decode: Callable[[bytes, T | None], T],
        on_change: Callable[[], None] = lambda: None,
    ) -> Cached[T]:
        if self._setting is None:
            raise Unreachable("The server is stopping.")
        name = (path, tuple(params.items()), key)
        # Taken out and put back: the entries stay in order of use.
        entry = entries.pop(name, None)
        if entry is None:

            async def fetch(validator: Validator | None) -> Answer:
                return await self._upstream.get(path, params=params, key=key, validator=validator)

            _drop_oldest(entries)
            entry = Cached(self._setting, fetch, _discreet(decode, key), on_change)
        entries[name] = entry
        return entry


def _usable(catalog: wire.Catalog, *, may_be_empty: bool) -> wire.Catalog:
    """The catalog as it is; raises BadAnswer for one without models, unless it is meant to be empty."""
    if catalog.models or (may_be_empty and not catalog.skipped):
        return catalog
    raise BadAnswer("The hub sent a list without a single usable model.", hint="Try again later.")


def _discreet(decode: Callable[[bytes, T | None], T], key: str | None) -> Callable[[bytes, T | None], T]:
    """`decode`, without the key in its errors: they quote the hub, and some hubs repeat it."""

    def decoded(body: bytes, last: T | None) -> T:
        try:
            return decode(body, last)
        except BadAnswer as error:
            raise BadAnswer(redact(error.message, key), hint=error.hint) from None

    return decoded


def _drop_oldest(entries: dict[object, Cached[T]]) -> None:
    if len(entries) >= _MAX_ENTRIES:
        oldest = next((name for name, entry in entries.items() if entry.idle), None)
        entries.pop(oldest, None)
