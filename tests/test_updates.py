"""Hosts that listen hear of a changed catalog, and of nothing else."""

from __future__ import annotations

import anyio
import pytest
from mcp import MCPError
from mcp_types import ResourceUpdatedNotification
from surfaces import connected, settings

from hub_mcp.resources import CATALOG_URI, SUMMARY_URI

pytestmark = [
    pytest.mark.anyio,
    # The SDK's client warns of what only hosts of the older revisions use.
    pytest.mark.filterwarnings("ignore:resources/(un)?subscribe is removed"),
]


def count_requests(embedded) -> int:
    return embedded.sandbox.count("GET", "/api/v1/models")


async def until(condition) -> None:
    """Wait for what another task brings about; there is no event of it to wait on."""
    with anyio.fail_after(8):
        while not condition():  # noqa: ASYNC110
            await anyio.sleep(0.01)


def change(embedded) -> None:
    embedded.sandbox.rows = [*embedded.sandbox.rows, {"model_id": f"new-{len(embedded.sandbox.rows)}"}]


async def test_a_listener_hears_of_a_change_after_the_renewal_that_brought_it(embedded):
    embedded.sandbox.cache_control = "max-age=0, stale-while-revalidate=300"
    async with connected(settings(embedded.url), mode="auto") as client:
        await client.call_tool("list_models", {})
        async with client.listen(resource_subscriptions=[CATALOG_URI]) as events:
            change(embedded)
            with anyio.fail_after(8):
                event = await anext(aiter(events))
    assert event.uri == CATALOG_URI


async def test_while_somebody_listens_the_catalog_is_renewed_and_while_nobody_does_it_is_not(embedded):
    embedded.sandbox.cache_control = "max-age=0, stale-while-revalidate=300"
    async with connected(settings(embedded.url), mode="auto") as client:
        await client.call_tool("list_models", {})
        alone = count_requests(embedded)
        async with client.listen(resource_subscriptions=[SUMMARY_URI]):
            await until(lambda: count_requests(embedded) >= alone + 2)
        # The one that was under way when the listener left may still come, and no other.
        left = count_requests(embedded)
        await anyio.sleep(1.5)
        assert count_requests(embedded) <= left + 1


async def test_a_host_of_an_older_revision_subscribes_to_the_catalog_and_hears_of_a_change(embedded):
    embedded.sandbox.cache_control = "max-age=0, stale-while-revalidate=300"
    heard: list[str] = []

    async def note(message: object) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            heard.append(str(message.params.uri))

    async with connected(settings(embedded.url), mode="legacy", message_handler=note) as client:
        await client.call_tool("list_models", {})
        await client.subscribe_resource(CATALOG_URI)
        change(embedded)
        await until(lambda: heard)
        await client.unsubscribe_resource(CATALOG_URI)
    assert set(heard) == {CATALOG_URI}


async def test_what_never_changes_cannot_be_subscribed_to(embedded):
    async with connected(settings(embedded.url), mode="legacy") as client:
        with pytest.raises(MCPError, match="There are no updates of hub://models/o3"):
            await client.subscribe_resource("hub://models/o3")


async def test_a_renewal_that_brings_the_same_is_not_announced(embedded):
    embedded.sandbox.cache_control = "max-age=0, stale-while-revalidate=300"
    heard: list[object] = []

    async def note(message: object) -> None:
        heard.append(message)

    async with connected(settings(embedded.url), mode="legacy", message_handler=note) as client:
        await client.call_tool("list_models", {})
        await client.subscribe_resource(CATALOG_URI)
        before = count_requests(embedded)
        await until(lambda: count_requests(embedded) >= before + 2)
    assert not [message for message in heard if isinstance(message, ResourceUpdatedNotification)]
