"""Hosts that listen hear when the catalog has changed; while anyone does, it is kept fresh."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from . import text
from .hub import Hub
from .resources import CATALOG_URI, SUMMARY_URI

logger = logging.getLogger(__name__)

_WATCHED = (CATALOG_URI, SUMMARY_URI)
_MOST_SUBSCRIPTIONS = 1024

Context = ServerRequestContext[Hub]


class Updates:
    """Who listens, in either way that the protocol knows: one stream (2026-07-28) or resources/subscribe before it."""

    def __init__(self) -> None:
        self._bus = InMemorySubscriptionBus()
        self._streams = ListenHandler(self._bus)
        self._listening = 0
        self._subscriptions: dict[tuple[int, str], ServerSession] = {}
        self._somebody = anyio.Event()

    @asynccontextmanager
    async def following(self, hub: Hub) -> AsyncIterator[None]:
        """Announce what changes, for as long as the block lasts."""
        async with anyio.create_task_group() as tasks:

            def announce() -> None:
                tasks.start_soon(self._announce)

            hub.tell_of_change(announce)
            tasks.start_soon(self._keep_fresh, hub)
            try:
                yield
            finally:
                hub.tell_of_change(None)
                tasks.cancel_scope.cancel()

    async def listen(
        self, context: Context, params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        asked = params.notifications.resource_subscriptions or ()
        with self._counted(any(str(uri) in _WATCHED for uri in asked)):
            return await self._streams(context, params)

    async def subscribe(self, context: Context, params: SubscribeRequestParams) -> EmptyResult:
        uri = str(params.uri)
        if uri not in _WATCHED:
            raise MCPError(
                INVALID_PARAMS,
                f"There are no updates of {text.clean(uri, 200)}, only of {' and '.join(_WATCHED)}.",
                {"uri": uri},
            )
        if len(self._subscriptions) >= _MOST_SUBSCRIPTIONS:
            self._subscriptions.pop(next(iter(self._subscriptions)))
        self._subscriptions[_connection(context), uri] = context.session
        self._somebody.set()
        return EmptyResult()

    async def unsubscribe(self, context: Context, params: UnsubscribeRequestParams) -> EmptyResult:
        self._subscriptions.pop((_connection(context), str(params.uri)), None)
        return EmptyResult()

    @contextmanager
    def _counted(self, listens: bool) -> Iterator[None]:
        self._listening += listens
        if listens:
            self._somebody.set()
        try:
            yield
        finally:
            self._listening -= listens

    async def _announce(self) -> None:
        for uri in _WATCHED:
            await self._bus.publish(ResourceUpdated(uri=uri))
        for name, session in list(self._subscriptions.items()):
            try:
                await session.send_resource_updated(name[1])
            except Exception:
                # Its connection is gone.
                logger.debug("A subscriber could not be told", exc_info=True)
                self._subscriptions.pop(name, None)

    async def _keep_fresh(self, hub: Hub) -> None:
        """Renew the catalog as often as it grows stale, while anyone listens, and not otherwise."""
        while True:
            if not (self._listening or self._subscriptions):
                self._somebody = anyio.Event()
                await self._somebody.wait()
            await anyio.sleep(await hub.renew_if_stale())


def _connection(context: Context) -> int:
    """One name for all requests of one connection: its client's parameters are made once for it."""
    return id(context.session.client_params)
