"""The embedded hub: its catalog, its lists, its record of requests, and how it is served."""

import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from hub_mcp.sandbox import state
from hub_mcp.sandbox.serve import running
from hub_mcp.sandbox.state import Sandbox, load_rows

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    async with connected(sandbox) as client:
        yield client


@asynccontextmanager
async def connected(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    async with running(sandbox) as url, httpx2.AsyncClient(base_url=url, verify=False) as client:
        yield client


async def ids(client: httpx2.AsyncClient, **params: str) -> list[str]:
    answer = await client.get("/api/v1/models", params=params)
    assert answer.status_code == 200
    return [row["model_id"] for row in answer.json()["data"]]


# -- the catalog -------------------------------------------------------------------------------------


async def test_the_catalog_is_served_whole_and_in_order_without_a_key(client, sandbox):
    answer = await client.get("/api/v1/models")
    assert answer.json() == {"data": sandbox.rows, "message": "", "success": True}
    assert len(sandbox.rows) == 804
    assert answer.headers["cache-control"] == "public, max-age=300, stale-while-revalidate=300"


def test_well_known_models_are_described_in_a_sentence_or_two():
    described = {row["model_id"]: row["desc"] for row in load_rows() if row["desc"]}
    assert len(described) >= 40
    assert all(80 <= len(text) <= 200 and text.endswith(".") for text in described.values())


def test_every_description_belongs_to_a_row():
    described = json.loads(Path(state.__file__).with_name("descriptions.json").read_text("utf-8"))
    assert set(described) <= {row["model_id"] for row in load_rows()}


@pytest.mark.parametrize(
    ("params", "column", "value"),
    [
        ({"type": "rerank"}, "types", "rerank"),
        ({"type": "reranking"}, "types", "rerank"),
        ({"type": "t2v"}, "types", "video"),
        ({"type": "t2i"}, "types", "image_generation"),
        ({"type": "t2t"}, "types", "llm"),
        ({"modalities": "audio"}, "input_modalities", "audio"),
        ({"features": "web"}, "features", "web"),
    ],
)
async def test_a_filter_keeps_the_rows_that_have_the_value(client, sandbox, params, column, value):
    expected = [row["model_id"] for row in sandbox.rows if value in row[column].split(",")]
    assert expected
    assert await ids(client, **params) == expected


async def test_values_and_filters_are_joined_with_and(client, sandbox):
    found = set(await ids(client, features="thinking, web", type="llm"))
    assert found == set(await ids(client, features="thinking")) & set(
        await ids(client, features="web")
    ) & set(await ids(client, type="llm"))


async def test_the_model_filter_looks_at_the_id_only(client, sandbox):
    sandbox.rows = [{"model_id": "a-1", "model_name": "b"}, {"model_id": "B-2", "desc": "a"}]
    assert await ids(client, model="b") == ["B-2"]


async def test_context_length_is_sorted_as_text_like_on_the_real_hub(client, sandbox):
    sandbox.rows = [{"model_id": str(size), "context_length": size} for size in (400000, 8192, 50500)]
    assert await ids(client, sort_by="context_length", sort_order="desc") == ["8192", "50500", "400000"]


async def test_coding_puts_models_for_code_first_and_keeps_the_order_of_the_rest(client, sandbox):
    everything, coding = await ids(client), await ids(client, tag="coding")
    assert "qwen3-coder-plus" in coding
    assert "gpt-5.3-codex" in coding
    assert await ids(client, sort_by="coding") == coding + [
        model for model in everything if model not in coding
    ]


async def test_cost_effectiveness_puts_the_cheapest_first_and_the_unpriced_last(client, sandbox):
    prices = {"free": 0, "dear": 9, "cheap": 1}
    sandbox.rows = [{"model_id": m, "pricing": {"input": p, "output": p}} for m, p in prices.items()]
    assert await ids(client, sort_by="model_ratio") == ["cheap", "dear", "free"]


async def test_the_catalog_order_can_be_reversed(client, sandbox):
    assert await ids(client, sort_order="desc") == (await ids(client))[::-1]


@pytest.mark.parametrize("params", [{"sort_by": "beauty"}, {"sort_order": "up"}])
async def test_an_unknown_order_is_refused_by_name(client, params):
    answer = await client.get("/api/v1/models", params=params)
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert next(iter(params.values())) in answer.json()["message"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
async def test_a_matching_etag_is_answered_304_without_a_body(client, form):
    etag = (await client.get("/api/v1/models")).headers["etag"]
    answer = await client.get("/api/v1/models", headers={"If-None-Match": form.format(etag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag
    assert "max-age=300" in answer.headers["cache-control"]


async def test_the_etag_follows_the_content(client, sandbox):
    first = await client.get("/api/v1/models")
    other = await client.get("/api/v1/models", params={"type": "video"})
    sandbox.rows = sandbox.rows[1:]
    sandbox.cache_control = "no-cache"
    changed = await client.get("/api/v1/models", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["cache-control"] == "no-cache"
    assert len(changed.json()["data"]) == 803
    assert len({answer.headers["etag"] for answer in (first, other, changed)}) == 3


async def test_rows_that_no_hub_should_send_are_sent_all_the_same(client, sandbox):
    sandbox.rows = [None, {"model_id": 7}, {}]  # type: ignore[list-item]
    assert (await client.get("/api/v1/models")).json()["data"] == [None, {"model_id": 7}, {}]


# -- the legacy lists --------------------------------------------------------------------------------


async def keyed_ids(client: httpx2.AsyncClient, key: str | None) -> list[str]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return [model["id"] for model in (await client.get("/v1/models", headers=headers)).json()["data"]]


async def test_without_a_key_the_default_group_is_listed(client):
    models = await keyed_ids(client, None)
    assert len(models) == len(set(models)) == 256
    assert "gpt-4o-mini" in models


async def test_a_key_sees_its_own_models(client):
    default, own = await keyed_ids(client, None), await keyed_ids(client, "sk-sandbox")
    assert own[:256] == default
    assert len(own) == 300
    small = await keyed_ids(client, "sk-sandbox-small")
    assert small == ["gpt-4o-mini", "claude-sonnet-4-5", "deepseek-v3.2"]


async def test_an_invalid_key_is_given_the_default_group(client):
    assert await keyed_ids(client, "sk-bad") == await keyed_ids(client, None)


async def test_the_list_has_the_shape_of_new_api(client):
    answer = (await client.get("/v1/models")).json()
    assert set(answer) == {"data", "success"}
    assert set(answer["data"][0]) == {"id", "object", "created", "owned_by", "permission", "root", "parent"}
    assert answer["data"][0]["permission"][0]["object"] == "model_permission"


async def test_a_known_model_is_found_by_its_id(client):
    assert (await client.get("/v1/models/gpt-4o")).json()["id"] == "gpt-4o"


async def test_an_unknown_model_is_an_error_with_status_200(client):
    answer = await client.get("/v1/models/nope")
    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("model", ["Qwen/Qwen3-32B", "Qwen%2FQwen3-32B"])
async def test_an_id_with_a_slash_does_not_match_the_route(client, model):
    answer = await client.get(f"/v1/models/{model}")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Invalid URL (GET /v1/models/Qwen/Qwen3-32B)"


@pytest.mark.parametrize(("method", "path"), [("GET", "/x"), ("DELETE", "/api/v1/models"), ("POST", "/")])
async def test_anything_else_is_an_invalid_url(client, method, path):
    answer = await client.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "message": f"Invalid URL ({method} {path})",
        "type": "invalid_request_error",
        "param": "",
        "code": "",
    }


async def test_the_front_page_says_what_this_is(client):
    answer = await client.get("/")
    assert answer.headers["content-type"].startswith("text/plain")
    assert len(answer.text.splitlines()) == 1


# -- what was asked ----------------------------------------------------------------------------------


async def test_requests_are_recorded_as_they_came(client, sandbox):
    await client.post("/v1/x%20y?a=1&b=2", json={"a": [1]}, headers={"X-Thing": "t"})
    await client.put("/v1/other", content=b"not json")
    first, second = sandbox.requests
    assert (first.method, first.path, first.query) == ("POST", "/v1/x y", "a=1&b=2")
    assert first.body == {"a": [1]}
    assert first.headers["x-thing"] == "t"
    assert second.body is None


async def test_requests_are_counted_by_method_and_path(client, sandbox):
    for path in ("/a", "/a", "/b"):
        await client.get(path)
    await client.post("/a")
    sandbox.requests.clear()
    assert sandbox.count() == 4
    assert sandbox.count("GET") == 3
    assert sandbox.count(path="/a") == 3
    assert sandbox.count("GET", "/a") == 2


async def test_the_summary_counts_others_but_not_itself_and_shows_no_header(client):
    await client.get("/api/v1/models", headers={"Authorization": "Bearer sk-secret"})
    for _ in range(2):
        summary = await client.get("/sandbox/requests")
    assert summary.json() == {"total": 1, "by_path": {"GET /api/v1/models": 1}}


async def test_a_test_may_answer_in_place_of_the_hub(client, sandbox):
    async def only_models(request: Request) -> Response | None:
        return PlainTextResponse("mine", 418) if request.url.path == "/v1/models" else None

    sandbox.intercept = only_models
    assert (await client.get("/v1/models")).status_code == 418
    assert (await client.get("/v1/models/gpt-4o")).status_code == 200
    assert sandbox.count() == 2


async def test_a_test_may_hold_a_request_until_it_says(client, sandbox):
    held, release = anyio.Event(), anyio.Event()

    async def hold(_: Request) -> Response | None:
        held.set()
        await release.wait()
        return None

    sandbox.intercept = hold
    with anyio.fail_after(2):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.get, "/v1/models")
            await held.wait()
            assert sandbox.count("GET", "/v1/models") == 1
            release.set()


async def test_two_sandboxes_answer_the_same_bytes():
    answers = []
    for _ in range(2):
        async with connected(Sandbox()) as client:
            answer = await client.get("/api/v1/models")
            answers.append((answer.content, answer.headers.multi_items()))
    assert answers[0] == answers[1]


# -- serving -----------------------------------------------------------------------------------------


async def test_a_fixed_port_can_be_asked_for_and_is_free_again_afterwards():
    async with running(Sandbox()) as url:
        port = int(url.rpartition(":")[2])
    for _ in range(2):
        async with running(Sandbox(), port=port) as again, httpx2.AsyncClient() as client:
            assert again == url
            assert (await client.get(again)).status_code == 200


async def test_a_port_in_use_is_an_oserror_that_names_it():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            await running(Sandbox(), port=port).__aenter__()


async def test_it_stops_promptly_while_requests_are_held(caplog):
    sandbox, held = Sandbox(), anyio.Event()

    async def hold(_: Request) -> Response | None:
        held.set()
        await anyio.sleep_forever()
        return None

    async def ask(url: str) -> None:
        async with httpx2.AsyncClient() as client:
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.get(f"{url}/v1/models")

    sandbox.intercept = hold
    with anyio.fail_after(1):
        async with anyio.create_task_group() as tasks, running(sandbox) as url:
            tasks.start_soon(ask, url)
            await held.wait()
    assert caplog.records == []


async def test_an_error_in_the_block_comes_out_as_it_is():
    with pytest.raises(KeyError, match="mine"):
        async with running(Sandbox()):
            raise KeyError("mine")


async def test_it_stops_when_the_task_around_it_is_cancelled():
    with anyio.move_on_after(5) as scope:
        async with running(Sandbox()) as url:
            scope.cancel()
            await anyio.sleep_forever()
    async with httpx2.AsyncClient() as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get(url)


async def test_other_uvicorn_servers_keep_their_logging():
    before = [(logging.getLogger(name).level, list(logging.getLogger(name).handlers)) for name in UVICORN]
    async with connected(Sandbox()) as client:
        await client.get("/")
    after = [(logging.getLogger(name).level, list(logging.getLogger(name).handlers)) for name in UVICORN]
    assert after == before


async def test_a_bug_of_the_sandbox_does_not_stay_hidden(client, sandbox, caplog):
    async def fail(_: Request) -> Response | None:
        raise ZeroDivisionError

    sandbox.intercept = fail
    assert (await client.get("/")).status_code == 500
    assert "ZeroDivisionError" in caplog.text


UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access")
