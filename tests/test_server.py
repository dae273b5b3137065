"""The MCP surface, through the SDK's own client, over the embedded hub on a real port."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import anyio
import jsonschema
import pytest
from conftest import RunningSandbox
from mcp.shared.exceptions import MCPError
from mcp_types import Tool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from surfaces import ERAS, Session, connected, session, settings, size, text_of

from hub_mcp.listing import SORTS
from hub_mcp.sandbox.serve import running
from hub_mcp.sandbox.state import Sandbox

pytestmark = pytest.mark.anyio

PATIENCE = 20
TOOLS = ["list_models", "get_model", "search_models", "chat"]


@pytest.fixture(params=ERAS)
def mode(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def hub() -> AsyncIterator[RunningSandbox]:
    """One embedded hub for every test that only reads."""
    sandbox = Sandbox()
    async with running(sandbox) as url:
        yield RunningSandbox(sandbox, url)


@pytest.fixture(scope="module")
async def asked(hub: RunningSandbox) -> AsyncIterator[Session]:
    """One session of the newest revision, without a key."""
    async with session(settings(hub.url)) as opened:
        yield opened


async def contents(client: Any, uri: str) -> Any:
    return json.loads((await client.read_resource(uri)).contents[0].text)


# -- tools, in both eras -----------------------------------------------------------------------------


async def test_the_four_tools_are_listed_with_all_that_a_host_needs(embedded, mode):
    async with connected(settings(embedded.url), mode=mode) as client:
        tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == TOOLS
    for tool in tools:
        assert tool.title
        assert tool.description
        assert tool.annotations is not None
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)
        assert tool.annotations.read_only_hint is (tool.name != "chat")
        assert tool.annotations.idempotent_hint is (tool.name != "chat")
        assert tool.annotations.open_world_hint is True


async def test_every_tool_answers_as_its_output_schema_says(embedded, mode):
    async with session(settings(embedded.url, HUB_MCP_API_KEY="sk-sandbox"), mode=mode) as asked:
        listed = await asked.call("list_models", limit=100)
        found = await asked.call("search_models", query="gpt5 mini")
        one = await asked.call("get_model", model="gpt-4o-mini")
        answer = await asked.call("chat", model="gpt-4o-mini", prompt="Hello")
    assert len(listed["models"]) == 100
    assert "gpt-5-mini" in [model["id"] for model in found["models"]]
    assert all(model["why"] for model in found["models"])
    assert one["model"]["id"] == "gpt-4o-mini"
    assert answer["text"]


async def test_an_unknown_tool_is_a_protocol_error_that_names_the_known_ones(embedded, mode):
    async with connected(settings(embedded.url), mode=mode) as client:
        with pytest.raises(MCPError, match=r"list_model'.*Known: list_models, ") as caught:
            await client.call_tool("list_model", {})
    assert caught.value.code == -32602


async def test_the_settings_decide_which_tools_exist(embedded):
    async with connected(settings(embedded.url, HUB_MCP_READ_ONLY="1")) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS[:3]
        with pytest.raises(MCPError, match="no tool 'chat'"):
            await client.call_tool("chat", {"model": "gpt-4o-mini", "prompt": "Hello"})
    async with connected(settings(embedded.url, HUB_MCP_TOOLS="get_model, list_models")) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["list_models", "get_model"]
    assert embedded.sandbox.count("POST") == 0


# -- what an answer costs ----------------------------------------------------------------------------


def definition(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "inputSchema": tool.input_schema}


async def test_the_definitions_and_the_instructions_stay_within_their_bytes(asked):
    tools = (await asked.client.list_tools()).tools
    assert sum(size(definition(tool)) for tool in tools) < 6000
    assert len(asked.client.instructions.encode()) <= 600


async def test_twenty_models_cost_less_than_2000_bytes_of_text_and_5000_structured(asked):
    result = await asked.result("list_models")
    assert len(result.structured_content["models"]) == 20
    assert len(text_of(result).encode()) < 2000
    assert size(result.structured_content) < 5000


async def averages(asked: Session, tool: str = "list_models", **arguments: Any) -> tuple[float, float]:
    """Bytes a model, of text and of structured content."""
    result = await asked.result(tool, **arguments)
    models = result.structured_content["models"]
    assert models
    return len(text_of(result).encode()) / len(models), size(result.structured_content) / len(models)


@pytest.mark.parametrize("sort_by", SORTS)
async def test_a_page_of_a_hundred_costs_at_most_100_bytes_a_model_of_text_and_250_structured(asked, sort_by):
    text, structured = await averages(asked, sort_by=sort_by, limit=100)
    assert text <= 100
    assert structured <= 250


async def test_every_page_in_the_hubs_order_stays_within_its_bytes(asked):
    pages = [page async for page in every_page(asked, limit=20)]
    whole = [page for page in pages if len(page["models"]) == 20]
    assert len(whole) > 30
    assert max(size(page) / 20 for page in whole) <= 250


async def test_a_page_of_search_results_costs_at_most_100_bytes_a_model_of_text_and_300_structured(asked):
    for query in ("gemini", "qwen", "image", "thinking"):
        text, structured = await averages(asked, "search_models", query=query, limit=50)
        assert text <= 100
        assert structured <= 300


async def test_an_answer_holds_no_empty_fields(asked):
    def check(value: Any, where: str) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                check(each, f"{where}.{key}")
        elif isinstance(value, list):
            assert value or where.endswith(".types"), where
            for each in value:
                check(each, where)
        else:
            assert value not in (None, ""), where

    check(await contents(asked.client, "hub://catalog"), "catalog")
    for model in ("gpt-4o-mini", "Qwen/Qwen3-32B", "happyhorse-1.1-t2v"):
        check(await asked.call("get_model", model=model), model)


# -- paging ------------------------------------------------------------------------------------------


async def every_page(asked: Session, **arguments: Any) -> Any:
    cursor: dict[str, str] = {}
    while True:
        page = await asked.call("list_models", **arguments, **cursor)
        yield page
        if "next_cursor" not in page:
            return
        cursor = {"cursor": page["next_cursor"]}


@pytest.mark.parametrize("sort_by", SORTS)
async def test_the_pages_together_hold_every_model_once(asked, hub, sort_by):
    pages = [page async for page in every_page(asked, sort_by=sort_by, limit=100)]
    ids = [model["id"] for page in pages for model in page["models"]]
    assert sorted(ids) == sorted(hub.sandbox.by_id)
    assert {page["total"] for page in pages} == {len(ids)}


async def test_the_limit_may_change_between_two_pages(asked):
    first = await asked.call("list_models", limit=5)
    second = await asked.call("list_models", limit=7, cursor=first["next_cursor"])
    together = await asked.call("list_models", limit=12)
    assert [*first["models"], *second["models"]] == together["models"]


async def test_the_last_page_says_that_it_is_the_last(asked):
    first = await asked.result("list_models", developer="xai", limit=5)
    assert first.structured_content["total"] > 5
    assert text_of(first).splitlines()[-1].endswith(f"cursor={first.structured_content['next_cursor']}")
    pages = [page async for page in every_page(asked, developer="xai", limit=5)]
    *_, before, last = pages
    result = await asked.result("list_models", developer="xai", limit=5, cursor=before["next_cursor"])
    assert result.structured_content["models"] == last["models"]
    assert text_of(result).splitlines()[-1].startswith("That is all.")


async def test_a_cursor_is_refused_where_it_does_not_belong(asked):
    cursor = (await asked.call("list_models", limit=5))["next_cursor"]
    for other, complaint in (
        ({"sort_by": "name", "cursor": cursor}, "another query"),
        ({"features": "tools", "cursor": cursor}, "another query"),
        ({"cursor": "nonsense"}, "not one that list_models gave"),
        ({"cursor": "日本"}, "not one that list_models gave"),
        ({"cursor": cursor[:-4]}, "cursor"),
    ):
        text, error = await asked.refusal("list_models", **other)
        assert complaint in text
        assert "without cursor" in text
        assert error == {"code": "bad_request", "retryable": False}


async def test_a_cursor_of_an_older_catalog_is_refused(embedded, clock):
    async with session(settings(embedded.url), clock=clock) as asked:
        cursor = (await asked.call("list_models"))["next_cursor"]
        embedded.sandbox.rows = embedded.sandbox.rows[1:]
        clock.advance(700)
        text, _ = await asked.refusal("list_models", cursor=cursor)
    assert "The catalog has changed" in text


# -- arguments ---------------------------------------------------------------------------------------


async def test_an_unknown_argument_is_refused_with_the_nearest_that_exists(asked):
    text, error = await asked.refusal("list_models", modelity="image")
    assert text.startswith("There is no argument 'modelity'. Did you mean ")
    assert "modalities" in error["nearest"]
    assert error["code"] == "bad_request"
    text, error = await asked.refusal("search_models", query="gpt", feature="tools")
    assert error["nearest"][0] == "features"
    text, error = await asked.refusal("get_model", id="gpt-4o-mini")
    assert "It takes model" in text


@pytest.mark.parametrize("tool", ["list_models", "search_models"])
@pytest.mark.parametrize(
    ("argument", "value", "what", "nearest"),
    [
        ("type", "imge_generation", "type 'imge_generation'", "image_generation"),
        ("modalities", ["text", "vidio"], "modality 'vidio'", "video"),
        ("features", "tools,thinkin", "feature 'thinkin'", "thinking"),
        ("developer", "opnai", "developer 'opnai'", "openai"),
    ],
)
async def test_a_word_that_nobody_knows_is_refused_with_the_nearest(
    asked, tool, argument, value, what, nearest
):
    given = {argument: value, **({"query": "gpt"} if tool == "search_models" else {})}
    text, error = await asked.refusal(tool, **given)
    assert text.startswith(f"No model has the {what}. Did you mean {nearest}")
    assert error["code"] == "bad_request"
    assert error["nearest"][0] == nearest


async def test_words_are_matched_without_case_and_by_their_aliases(asked):
    usual = await asked.call("list_models", type="image_generation", features="thinking")
    assert usual["total"] > 0
    for other in (
        {"type": "T2I", "features": "Reasoning"},
        {"type": "Image_Generation", "features": "THINKING"},
    ):
        assert (await asked.call("list_models", **other))["total"] == usual["total"]


async def test_a_list_may_come_as_a_list_as_a_string_and_as_json_text(asked):
    expected = await asked.call("list_models", features=["tools", "thinking"], modalities=["image", "video"])
    assert 0 < expected["total"] < 804
    for features, modalities in (
        ("tools,thinking", "image, video"),
        ('["tools","thinking"]', '["image", "video"]'),
        (["tools,thinking"], ["image", "", None, "video"]),
    ):
        found = await asked.call("list_models", features=features, modalities=modalities)
        assert found["models"] == expected["models"]


async def test_null_and_empty_count_as_not_given(asked):
    nothing = dict.fromkeys(("type", "modalities", "features", "developer", "model", "cursor", "sort_order"))
    for empty in (None, ""):
        found = await asked.call("list_models", **dict.fromkeys(nothing, empty), min_context=None, limit=None)
        assert found["total"] == 804
        assert len(found["models"]) == 20
    for empty in ([], [""], [None], "[]", ","):
        assert (await asked.call("list_models", features=empty))["total"] == 804


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"min_context": -1}, "min_context"),
        ({"max_input_price": "cheap"}, "max_input_price"),
        ({"sort_by": "price"}, "sort_by"),
        ({"sort_order": "up"}, "sort_order"),
        ({"features": {"tools": True}}, "features"),
        ({"features": [1]}, "features"),
        ({"free": "perhaps"}, "free"),
        ({"model": "x" * 3000}, "model"),
    ],
)
async def test_an_impossible_value_is_refused_by_the_name_of_its_argument(asked, arguments, named):
    text, error = await asked.refusal("list_models", **arguments)
    assert f"'{named}" in text
    assert error["code"] == "bad_request"
    assert len(text) < 300
    assert "tuple" not in text


async def test_a_missing_argument_is_named(asked):
    assert (await asked.refusal("get_model"))[0].startswith("The argument 'model' is missing.")
    assert (await asked.refusal("search_models", limit=3))[0].startswith("The argument 'query' is missing.")


async def test_chat_without_a_key_says_how_to_set_one(asked, hub):
    text, error = await asked.refusal("chat", model="gpt-4o-mini", prompt="Hello")
    assert error == {"code": "missing_key", "retryable": False}
    assert "HUB_MCP_API_KEY" in text
    assert hub.sandbox.count("POST") == 0


# -- one model ---------------------------------------------------------------------------------------


async def test_an_unknown_model_is_an_error_with_the_nearest_ids(asked):
    text, error = await asked.refusal("get_model", model="gpt-4o-minni")
    assert text.startswith("No model has the id 'gpt-4o-minni'. Nearest: gpt-4o-mini, ")
    assert error["code"] == "model_not_found"
    assert error["nearest"][0] == "gpt-4o-mini"


async def test_an_id_that_differs_by_case_or_separators_is_resolved_and_the_answer_says_so(asked):
    exact = await asked.call("get_model", model="gpt-4o-mini")
    assert "notes" not in exact
    for near in ("GPT-4o-Mini", "gpt 4o mini", "gpt4omini"):
        found = await asked.call("get_model", model=near)
        assert found["model"] == exact["model"]
        assert f"There is no '{near}'" in found["notes"][0]


async def test_whether_the_key_may_use_a_model_is_said_where_it_is_known(embedded):
    async with session(settings(embedded.url)) as asked:
        assert "available" not in (await asked.call("get_model", model="gpt-4o-mini"))["model"]
    async with session(settings(embedded.url, HUB_MCP_API_KEY="sk-sandbox-small")) as asked:
        assert (await asked.call("get_model", model="gpt-4o-mini"))["model"]["available"] is True
        assert (await asked.call("get_model", model="gpt-5"))["model"]["available"] is False


# -- resources ---------------------------------------------------------------------------------------


async def test_the_resources_are_listed_and_the_catalog_holds_every_model(embedded, mode):
    async with connected(settings(embedded.url), mode=mode) as client:
        listed = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates
        catalog = await contents(client, "hub://catalog")
        read = await client.read_resource("hub://catalog")
        schema = (await client.list_tools()).tools[0].output_schema
    assert [str(resource.uri) for resource in listed] == ["hub://catalog", "hub://catalog/summary"]
    assert [template.uri_template for template in templates] == ["hub://models/{+model}"]
    assert read.contents[0].mime_type == "application/json"
    assert [model["id"] for model in catalog["models"]] == list(embedded.sandbox.by_id)
    assert catalog["total"] == len(catalog["models"])
    jsonschema.validate(catalog, schema)


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("Qwen/Qwen3-32B", "Qwen/Qwen3-32B"),
        ("google/gemma-2-9b-it:free", "google/gemma-2-9b-it:free"),
        ("google%2Fgemma-2-9b-it%3Afree", "google/gemma-2-9b-it:free"),
        ("llama3-8b-8192(33)", "llama3-8b-8192(33)"),
        ("llama3-8b-8192%2833%29", "llama3-8b-8192(33)"),
    ],
)
async def test_a_model_is_read_by_its_id_whatever_stands_in_it(asked, path, model):
    read = await contents(asked.client, f"hub://models/{path}")
    assert read["id"] == model
    assert read == (await asked.call("get_model", model=model))["model"]


async def test_a_resource_that_does_not_exist_is_invalid_params_with_the_nearest_ids(embedded, mode):
    async with connected(settings(embedded.url), mode=mode) as client:
        with pytest.raises(MCPError, match="No model has the id 'Qwen/Qwen3-32'") as caught:
            await client.read_resource("hub://models/Qwen/Qwen3-32")
        assert caught.value.code == -32602
        assert caught.value.data["uri"] == "hub://models/Qwen/Qwen3-32"
        assert caught.value.data["nearest"][0] == "Qwen/Qwen3-32B"
        for uri in ("hub://nonsense", "hub://models/", "https://example.com/"):
            with pytest.raises(MCPError) as caught:
                await client.read_resource(uri)
            assert caught.value.code == -32602


async def test_hosts_of_the_newest_revision_learn_how_long_the_catalog_stays_fresh(embedded, clock):
    async with connected(settings(embedded.url), clock=clock) as client:
        first = await client.read_resource("hub://catalog")
        assert (first.ttl_ms, first.cache_scope) == (300_000, "public")
        clock.advance(100)
        second = await client.read_resource("hub://models/gpt-4o-mini")
        assert (second.ttl_ms, second.cache_scope) == (200_000, "public")
        clock.advance(250)
        assert (await client.read_resource("hub://catalog")).ttl_ms == 0


async def test_what_depends_on_the_key_is_private(embedded):
    keyed = settings(embedded.url, HUB_MCP_API_KEY="sk-sandbox")
    async with connected(keyed) as client:
        assert (await client.read_resource("hub://catalog")).cache_scope == "public"
        assert (await client.read_resource("hub://models/gpt-4o-mini")).cache_scope == "private"
    openai = settings(embedded.url, HUB_MCP_API_KEY="sk-sandbox", HUB_MCP_PROFILE="openai")
    async with connected(openai) as client:
        assert (await client.read_resource("hub://catalog")).cache_scope == "private"


# -- another hub -------------------------------------------------------------------------------------


async def test_an_openai_compatible_hub_lists_what_its_key_may_use(embedded):
    openai = {"HUB_MCP_PROFILE": "openai", "HUB_MCP_API_KEY": "sk-sandbox-small"}
    async with session(settings(f"{embedded.url}/v1", **openai)) as asked:
        listed = await asked.call("list_models")
        one = await asked.call("get_model", model="gpt-4o-mini")
        text, error = await asked.refusal("list_models", sort_by="coding")
    assert [model["id"] for model in listed["models"]] == [
        "gpt-4o-mini",
        "claude-sonnet-4-5",
        "deepseek-v3.2",
    ]
    assert one["model"]["available"] is True
    assert (one["model"]["owned_by"], one["model"]["created"][:4]) == ("openai", "2021")
    assert "no order by coding" in text
    assert error["code"] == "bad_request"
    assert embedded.sandbox.count("GET", "/api/v1/models") == 0
    assert embedded.sandbox.requests[0].headers["authorization"] == "Bearer sk-sandbox-small"


# -- when something is wrong -------------------------------------------------------------------------


async def refuse(_: Request) -> Response:
    return JSONResponse({"error": {"message": "The kitchen burns"}}, 500)


async def never(_: Request) -> Response:
    await anyio.sleep_forever()
    raise AssertionError


async def test_a_hub_that_cannot_be_reached_is_an_error_that_says_so(mode):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with anyio.fail_after(5):
            async with session(settings(url, HUB_MCP_TIMEOUT="2"), mode=mode) as asked:
                text, error = await asked.refusal("list_models")
                with pytest.raises(MCPError) as caught:
                    await asked.client.read_resource("hub://catalog")
    assert (error["code"], error["retryable"]) == ("unreachable", True)
    assert "HUB_MCP_BASE_URL" in text
    assert caught.value.data["code"] == "unreachable"


async def test_a_hub_that_never_answers_is_given_up_after_the_time_out(embedded):
    embedded.sandbox.intercept = never
    with anyio.fail_after(5):
        async with session(settings(embedded.url, HUB_MCP_TIMEOUT="0.2")) as asked:
            _, error = await asked.refusal("list_models")
    assert (error["code"], error["retryable"]) == ("timed_out", True)


async def test_an_old_catalog_is_served_with_its_age_and_the_reason_when_the_hub_fails(embedded, clock):
    async with session(settings(embedded.url), clock=clock) as asked:
        fresh = await asked.call("list_models")
        assert fresh["catalog"]["stale"] is False
        assert "notes" not in fresh
        embedded.sandbox.intercept = refuse
        clock.advance(700)
        with anyio.fail_after(PATIENCE):
            stale = await asked.call("list_models")
        text = text_of(await asked.result("list_models"))
    assert stale["models"] == fresh["models"]
    assert (stale["catalog"]["stale"], stale["catalog"]["age"]) == (True, 700)
    assert "700 s old" in stale["notes"][0]
    assert "The kitchen burns" in stale["notes"][0]
    assert "stale" in text
    assert "The kitchen burns" in text


class Broken:
    """A hub with a bug in it."""

    async def list_models(self, *_: object) -> None:
        raise RuntimeError("at /srv/secret/place")

    every_model = get_model = list_models

    def tell_of_change(self, _: object) -> None:
        pass


async def test_a_bug_of_ours_is_logged_and_shows_nothing_of_its_inside(embedded, mode, caplog):
    async with session(settings(embedded.url), mode=mode, hub=Broken()) as asked:
        text, error = await asked.refusal("list_models")
        with pytest.raises(MCPError) as caught:
            await asked.client.read_resource("hub://catalog")
    assert "hub-mcp itself failed" in text
    assert error["code"] == "hub_failed"
    shown = f"{text} {error} {caught.value} {caught.value.data}"
    assert "secret" not in shown
    assert "RuntimeError" not in shown
    logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert any("secret" in str(record.exc_info) for record in logged)


# -- many at once ------------------------------------------------------------------------------------


class Gate:
    """Holds every answer back until it is opened."""

    def __init__(self) -> None:
        self.arrived, self.opened = anyio.Event(), anyio.Event()

    async def __call__(self, _: Request) -> None:
        self.arrived.set()
        await self.opened.wait()


@pytest.mark.parametrize("leaving", [False, True])
async def test_a_hundred_cold_calls_make_one_request_also_when_the_first_is_cancelled(
    embedded, mode, leaving
):
    embedded.sandbox.intercept = gate = Gate()
    totals: list[int] = []

    async def ask(asked: Session) -> None:
        totals.append((await asked.call("list_models"))["total"])

    async def ask_and_leave(asked: Session, scope: anyio.CancelScope) -> None:
        with scope:
            await ask(asked)

    with anyio.fail_after(PATIENCE):
        async with session(settings(embedded.url), mode=mode) as asked, anyio.create_task_group() as tasks:
            await asked.client.list_tools()
            first = anyio.CancelScope()
            tasks.start_soon(ask_and_leave, asked, first)
            for _ in range(99):
                tasks.start_soon(ask, asked)
            await gate.arrived.wait()
            await anyio.wait_all_tasks_blocked()
            if leaving:
                first.cancel()
                await anyio.wait_all_tasks_blocked()
            gate.opened.set()
    assert totals == [804] * (99 if leaving else 100)
    assert embedded.sandbox.count("GET", "/api/v1/models") == 1


# -- prices and limits, as the catalog has them --------------------------------------------------------


async def test_sorted_lists_are_in_order_and_end_with_what_is_unknown(asked):
    for sort_by, sign in (("input_price", 1), ("output_price", 1), ("context_length", -1)):
        pages = [page async for page in every_page(asked, sort_by=sort_by, limit=100)]
        values = [model.get(sort_by) for page in pages for model in page["models"]]
        known = [value for value in values if value is not None]
        assert values[: len(known)] == known
        assert all(sign * one <= sign * other for one, other in pairwise(known))


async def test_filters_are_combined_and_exclude_what_is_unknown(asked):
    found = await asked.call(
        "list_models", features="tools", modalities="image", max_input_price=1, min_context=100_000, limit=100
    )
    assert found["models"]
    for model in found["models"]:
        assert "tools" in model["features"]
        assert "image" in model["modalities"]
        assert model["input_price"] <= 1
        assert model["context_length"] >= 100_000
