"""The use-cases of the catalog, over the embedded hub."""

from __future__ import annotations

import pytest

from hub_mcp.errors import BadRequest, ModelNotFound, Unreachable
from hub_mcp.filters import Filters
from hub_mcp.hub import Hub
from hub_mcp.listing import ListQuery
from hub_mcp.settings import Settings

pytestmark = pytest.mark.anyio

CATALOG = "/api/v1/models"


def hub_at(url: str, clock=None, **more: str) -> Hub:
    return Hub(Settings.from_env({"HUB_MCP_BASE_URL": url, **more}), clock=clock)


@pytest.fixture
async def hub(embedded):
    async with hub_at(embedded.url) as opened:
        yield opened


async def test_a_list_holds_the_catalogs_first_models_in_its_order(hub, embedded):
    found = await hub.list_models(ListQuery(), limit=3)
    assert [model.id for model in found.models] == list(embedded.sandbox.by_id)[:3]
    assert (found.total, found.catalog.source) == (len(embedded.sandbox.rows), embedded.url)
    assert found.next_cursor
    assert found.notes == ()


async def test_the_hubs_own_orders_are_asked_of_the_hub_and_kept(hub, embedded):
    first = await hub.list_models(ListQuery(sort_by="coding"), limit=100)
    again = await hub.list_models(ListQuery(sort_by="coding", filters=Filters(features=("tools",))), limit=5)
    assert "code" in first.models[0].id or "coding" in first.models[0].id
    assert all("tools" in model.features for model in again.models)
    asked = [request.query for request in embedded.sandbox.requests if request.path == CATALOG]
    assert sorted(asked) == ["", "sort_by=coding"]


async def test_a_direction_that_was_said_is_the_hubs_to_follow(hub, embedded):
    await hub.list_models(ListQuery(sort_by="model_ratio", descending=True), limit=5)
    assert "sort_by=model_ratio&sort_order=desc" in [request.query for request in embedded.sandbox.requests]


async def test_filters_are_checked_against_the_documents_and_the_catalog(hub):
    with pytest.raises(BadRequest, match="developer 'opnai'"):
        await hub.list_models(ListQuery(Filters(developer="opnai")), limit=3)
    with pytest.raises(BadRequest, match="feature 'thinkin'"):
        await hub.search_models("gpt", Filters(features=("thinkin",)), limit=3)


async def test_a_search_finds_the_best_first_and_says_why(hub):
    found = await hub.search_models("cluade sonet", Filters(), limit=5)
    assert found.models
    assert all("claude" in model.id for model in found.models)
    assert found.why is not None
    assert set(found.why) == {model.id for model in found.models}
    assert found.total >= len(found.models)


async def test_a_search_without_a_match_offers_ids_that_are_near(hub):
    found = await hub.search_models("dpsekvee", Filters(), limit=5)
    assert (found.models, found.total) == ((), 0)
    assert found.notes[0].startswith("No model fits all of it. Nearest: DeepSeek-V3, ")


async def test_a_model_is_found_by_its_exact_id_or_the_only_near_one(hub):
    assert (await hub.get_model("gpt-4o-mini")).notes == ()
    near = await hub.get_model("GPT 4o Mini")
    assert near.model.id == "gpt-4o-mini"
    assert "differs by case or separators" in near.notes[0]
    with pytest.raises(ModelNotFound) as caught:
        await hub.get_model("gpt-4o-minni")
    assert caught.value.nearest[0] == "gpt-4o-mini"


async def test_availability_needs_a_key_and_costs_one_request(embedded):
    async with hub_at(embedded.url) as hub:
        assert (await hub.get_model("gpt-4o-mini")).available is None
    async with hub_at(embedded.url, HUB_MCP_API_KEY="sk-sandbox-small") as hub:
        assert (await hub.get_model("gpt-4o-mini")).available is True
        assert (await hub.get_model("gpt-5")).available is False
    assert embedded.sandbox.count("GET", "/v1/models") == 1
    keyed = [request.path for request in embedded.sandbox.requests if "authorization" in request.headers]
    assert keyed == ["/v1/models"]


async def test_rows_that_cannot_be_used_are_counted_in_a_note(embedded):
    embedded.sandbox.rows = [*embedded.sandbox.rows[:5], "no row", {"model_id": ""}]
    async with hub_at(embedded.url) as hub:
        everything = await hub.every_model()
    assert everything.total == 5
    assert everything.notes == ("2 rows of the hub's catalog could not be used and were left out.",)


async def test_the_first_request_starts_with_the_hub_and_is_the_only_one(embedded):
    async with hub_at(embedded.url) as hub:
        await hub.every_model()
        await hub.search_models("gpt", Filters(), limit=1)
        await hub.list_models(ListQuery(), limit=1)
    assert embedded.sandbox.count("GET", CATALOG) == 1


async def test_a_renewal_with_the_same_content_keeps_cursors_alive(embedded, clock):
    async with hub_at(embedded.url, clock) as hub:
        cursor = (await hub.list_models(ListQuery(), limit=5)).next_cursor
        clock.advance(700)
        second = await hub.list_models(ListQuery(), limit=5, cursor=cursor)
    assert [model.id for model in second.models] == list(embedded.sandbox.by_id)[5:10]
    assert embedded.sandbox.count("GET", CATALOG) == 2


async def test_a_hub_that_was_closed_answers_nobody(embedded):
    async with hub_at(embedded.url) as hub:
        pass
    with pytest.raises(Unreachable, match="stopping"):
        await hub.every_model()
