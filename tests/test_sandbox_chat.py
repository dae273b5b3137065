"""The embedded hub's chat: answers, streams, refusals, and everything that can go wrong on purpose."""

import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import httpx2
import jsonschema
import pytest
from starlette.requests import Request

from hub_mcp.sandbox.faults import FAULTS
from hub_mcp.sandbox.schema import instance_of
from hub_mcp.sandbox.serve import running
from hub_mcp.sandbox.state import Sandbox

pytestmark = pytest.mark.anyio

URL = "/v1/chat/completions"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox()
    sandbox.chunk_delay = 0
    return sandbox


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"Authorization": "Bearer sk-test"}
    async with (
        running(sandbox) as url,
        httpx2.AsyncClient(base_url=url, headers=headers, verify=False) as client,
    ):
        yield client


def body(model: str, text: str = "hello there", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


async def ask(client: httpx2.AsyncClient, model: str, text: str = "hello there", **more: Any) -> Any:
    answer = await client.post(URL, json=body(model, text, **more))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def stream(client: httpx2.AsyncClient, model: str, **more: Any) -> list[Any]:
    """The decoded events, `[DONE]` as text."""
    answer = await client.post(URL, json=body(model, stream=True, **more))
    assert answer.headers["content-type"] == "text/event-stream"
    events = [line.removeprefix("data: ") for line in answer.text.split("\n") if line.startswith("data: ")]
    return [event if event == "[DONE]" else json.loads(event) for event in events]


async def collect(answer: httpx2.Response, reads: list[bytes]) -> None:
    """Keep each read apart, and keep those that came before a failure."""
    async for data in answer.aiter_raw():
        reads.append(data)  # noqa: PERF401


def said(events: list[Any], field: str = "content") -> str:
    deltas = [choice["delta"] for event in events if event != "[DONE]" for choice in event.get("choices", ())]
    return "".join(delta.get(field) or "" for delta in deltas)


def finishes(events: list[Any]) -> list[str]:
    chunks = [event for event in events if event != "[DONE]"]
    reasons = [choice["finish_reason"] for chunk in chunks for choice in chunk.get("choices", ())]
    return [reason for reason in reasons if reason]


HELLO = 'sandbox/gpt-4o: you said "hello there" (11 characters)'


# -- answers -----------------------------------------------------------------------------------------


async def test_an_answer_is_made_from_the_request_alone(client):
    answer = await ask(client, "gpt-4o")
    assert answer["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": HELLO},
        "finish_reason": "stop",
    }
    assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 7, "total_tokens": 9}


async def test_a_stream_says_the_same_in_pieces(client):
    events = await stream(client, "gpt-4o")
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert said(events) == HELLO
    assert len(events) == 1 + 7 + 1 + 1
    assert finishes(events) == ["stop"]
    assert events[-1] == "[DONE]"


async def test_usage_is_streamed_only_when_it_is_asked_for(client):
    assert not any("usage" in event for event in await stream(client, "gpt-4o"))
    events = await stream(client, "gpt-4o", stream_options={"include_usage": True})
    assert events[-2]["choices"] == []
    assert events[-2]["usage"]["total_tokens"] == 9


async def test_the_last_user_message_is_echoed_and_images_are_counted(client):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    messages = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "reply"},
        {"role": "user", "content": [{"type": "text", "text": "look"}, image, image]},
    ]
    answer = await client.post(URL, json={"model": "gpt-4o", "messages": messages})
    content = answer.json()["choices"][0]["message"]["content"]
    assert content == 'sandbox/gpt-4o: you said "look" (4 characters) with 2 images'


async def test_a_variant_of_a_known_model_answers_under_its_own_name(client):
    assert (await ask(client, "gpt-4o-mini:surfing"))["model"] == "gpt-4o-mini:surfing"


async def test_a_prompt_that_came_before_is_counted_as_cached(client):
    first, second, other = [await ask(client, "gpt-4o", text) for text in ("a b", "a b", "c")]
    assert "prompt_tokens_details" not in first["usage"]
    assert second["usage"]["prompt_tokens_details"] == {"cached_tokens": 2}
    assert "prompt_tokens_details" not in other["usage"]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_a_limit_cuts_the_answer(client, name):
    answer = await ask(client, "gpt-4o", **{name: 2})
    assert answer["choices"][0]["message"]["content"] == "sandbox/gpt-4o: you "
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 2
    assert finishes(await stream(client, "gpt-4o", **{name: 2})) == ["length"]


async def test_a_thinking_model_reasons_before_it_answers(client):
    answer = await ask(client, "claude-sonnet-4-5")
    message = answer["choices"][0]["message"]
    assert message["reasoning_content"]
    assert message["content"].startswith("sandbox/claude-sonnet-4-5: you said")
    assert answer["usage"]["completion_tokens_details"] == {"reasoning_tokens": 8}
    events = await stream(client, "claude-sonnet-4-5")
    assert said(events, "reasoning_content") == message["reasoning_content"]
    assert said(events) == message["content"]
    assert "reasoning_content" in events[1]["choices"][0]["delta"]


async def test_a_thinking_model_with_a_small_limit_says_nothing(client):
    choice = (await ask(client, "claude-sonnet-4-5", max_tokens=8))["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "length")


async def test_a_required_tool_is_called(client):
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": parameters}}]
    answer = await ask(client, "gpt-4o", tools=tools, tool_choice="required")
    choice = answer["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"][0]["function"] == {
        "name": "weather",
        "arguments": '{"city":"sandbox"}',
    }

    events = await stream(client, "gpt-4o", tools=tools, tool_choice="required")
    calls = [event["choices"][0]["delta"].get("tool_calls") for event in events[:-1]]
    fragments = [call[0] for call in calls if call]
    assert fragments[0]["function"] == {"name": "weather", "arguments": ""}
    assert len(fragments) > 2
    assert "".join(fragment["function"]["arguments"] for fragment in fragments) == '{"city":"sandbox"}'
    assert finishes(events) == ["tool_calls"]


async def test_tools_are_left_alone_unless_one_is_required_or_named(client):
    tools = [{"type": "function", "function": {"name": name}} for name in ("one", "two")]
    free = await ask(client, "gpt-4o", tools=tools, tool_choice="auto")
    assert free["choices"][0]["message"]["content"] == HELLO
    choice = {"type": "function", "function": {"name": "two"}}
    named = await ask(client, "gpt-4o", tools=tools, tool_choice=choice)
    assert named["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "two"


async def test_json_is_answered_when_json_is_asked_for(client):
    answer = await ask(client, "gpt-4o", "hi", response_format={"type": "json_object"})
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"echo": "hi"}


SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 10},
        "size": {"type": "integer", "minimum": 3},
        "kind": {"enum": ["a", "b"]},
        "fixed": {"const": 7},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
        "inner": {"$ref": "#/$defs/Inner"},
        "maybe": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "either": {"type": ["number", "null"], "exclusiveMinimum": 1},
        "optional": {"type": "string"},
    },
    "required": ["name", "size", "kind", "fixed", "tags", "inner", "maybe", "either"],
    "$defs": {"Inner": {"type": "object", "properties": {"x": {"type": "null"}}, "required": ["x"]}},
}


async def test_an_answer_obeys_the_schema_it_was_given(client):
    wanted = {"type": "json_schema", "json_schema": {"name": "thing", "schema": SCHEMA}}
    answer = await ask(client, "gpt-4o", response_format=wanted)
    instance = json.loads(answer["choices"][0]["message"]["content"])
    jsonschema.validate(instance, SCHEMA)
    assert "optional" not in instance


def test_a_schema_that_requires_itself_comes_to_an_end():
    assert instance_of({"type": "object", "properties": {"x": {"$ref": "#"}}, "required": ["x"]})


# -- refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        ("", 401, None),
        ("Bearer nonsense", 401, None),
        ("Basic sk-x", 401, None),
        ("Bearer sk-bad", 401, None),
        ("Bearer sk-poor", 403, "insufficient_user_quota"),
        ("Bearer sk-banned", 403, "forbidden"),
    ],
)
async def test_a_key_that_may_not_chat_is_refused(client, sandbox, authorization, status, code):
    answer = await client.post(URL, json=body("gpt-4o"), headers={"Authorization": authorization})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error.get("code")) == (status, "Aihubmix_api_error", code)
    assert error["message"].endswith("(tid: 1)")
    assert not sandbox.chats


async def test_an_unknown_model_is_refused_with_503_even_for_a_stream(client):
    answer = await client.post(URL, json=body("gpt-99", stream=True))
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/json")
    assert answer.json()["error"]["message"].startswith("Incorrect model ID")


async def test_a_key_for_a_few_models_is_refused_the_others(client):
    small = {"Authorization": "Bearer sk-sandbox-small"}
    answers = [await client.post(URL, json=body(model), headers=small) for model in ("gpt-4o-mini", "gpt-4o")]
    assert [answer.status_code for answer in answers] == [200, 403]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1]",
        b'{"model": "gpt-4o"}',
        b'{"messages": [{"role": "user"}]}',
        b'{"model": "gpt-4o", "messages": []}',
        b'{"model": "gpt-4o", "messages": ["x"]}',
    ],
)
async def test_a_body_that_is_no_chat_request_is_refused(client, content):
    answer = await client.post(URL, content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


async def test_strange_fields_do_not_break_it(client):
    strange = {"tools": [1], "tool_choice": "required", "response_format": [], "stream_options": 1}
    messages = [{"role": "user", "content": 5}, {"role": "user", "content": ["x"]}]
    assert (
        await client.post(URL, json={"model": "gpt-4o", "messages": messages, **strange})
    ).status_code == 200


async def test_half_a_surrogate_pair_in_a_prompt_does_not_break_it(client):
    content = b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "\\ud83d"}]}'
    assert "you said" in (await client.post(URL, content=content)).text


# -- hanging up --------------------------------------------------------------------------------------


async def test_a_client_that_leaves_a_stream_stops_the_answer_at_once(client, sandbox):
    sandbox.trickle_delay = 60
    with anyio.fail_after(2):
        async with client.stream("POST", URL, json=body("sandbox-trickle", stream=True)) as answer:
            await anext(answer.aiter_raw())
        with anyio.fail_after(0.2):
            await sandbox.chats[0].disconnected.wait()
    log = sandbox.chats[0]
    assert (log.model, log.stream, log.sent, log.finished) == ("sandbox-trickle", True, 1, False)


async def test_a_client_that_leaves_before_a_whole_answer_stops_it_at_once(client, sandbox):
    arrived = anyio.Event()

    async def notice(_: Request) -> None:
        arrived.set()

    sandbox.intercept = notice
    with anyio.fail_after(2):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(client.post, URL, json=body("sandbox-slow")))
            await arrived.wait()
            tasks.cancel_scope.cancel()
        with anyio.fail_after(0.2):
            await sandbox.chats[0].disconnected.wait()
    assert (sandbox.chats[0].sent, sandbox.chats[0].finished) == (0, False)


async def test_an_answer_that_was_read_to_its_end_is_finished_not_disconnected(client, sandbox):
    await ask(client, "gpt-4o")
    await stream(client, "gpt-4o")
    assert [(log.sent, log.finished) for log in sandbox.chats] == [(1, True), (10, True)]
    assert not any(log.disconnected.is_set() for log in sandbox.chats)


async def test_it_stops_promptly_while_streams_are_open(caplog):
    sandbox = Sandbox()
    with anyio.fail_after(1):
        async with running(sandbox) as url, httpx2.AsyncClient(base_url=url) as client:
            headers = {"Authorization": "Bearer sk-test"}
            await client.send(
                client.build_request("POST", URL, json=body("sandbox-slow", stream=True), headers=headers),
                stream=True,
            )
    assert sandbox.chats[0].disconnected.is_set()
    assert caplog.records == []


# -- faults ------------------------------------------------------------------------------------------


async def test_every_fault_has_a_description_and_none_is_in_the_catalog(sandbox):
    assert all(model.startswith("sandbox-") and text for model, text in FAULTS.items())
    assert not FAULTS.keys() & sandbox.by_id.keys()


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("model", "status", "retry_after", "text"),
    [
        ("sandbox-429", 429, "1", "Rate limit"),
        ("sandbox-429-empty", 429, None, ""),
        ("sandbox-503", 503, None, "Rate limited by provider"),
        ("sandbox-html", 200, None, "<html>"),
        ("sandbox-html-502", 502, None, "<html>"),
        ("sandbox-error-200", 200, None, '"error"'),
        ("sandbox-empty", 200, None, ""),
        ("sandbox-wrong-endpoint", 400, None, "only supported in v1/responses"),
        ("sandbox-context", 400, None, "context_length_exceeded"),
        ("sandbox-redirect", 307, None, ""),
    ],
)
async def test_some_models_always_refuse(client, sandbox, model, status, retry_after, text, streaming):
    for _ in range(2):
        answer = await client.post(URL, json=body(model, stream=streaming))
        assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry_after)
        assert text in answer.text
        assert bool(text) == bool(answer.content)
    assert not sandbox.chats


@pytest.mark.parametrize(("model", "status"), [("sandbox-429-once", 429), ("sandbox-503-once", 503)])
async def test_some_models_refuse_once(client, model, status):
    answers = [await client.post(URL, json=body(model)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, 200, 200]
    assert answers[0].headers["retry-after"] == "0"


async def test_one_model_does_not_stream(client):
    assert (await client.post(URL, json=body("sandbox-no-stream", stream=True))).status_code == 400
    assert (await ask(client, "sandbox-no-stream"))["choices"]


async def test_one_model_streams_but_not_with_options(client):
    options = {"stream": True, "stream_options": {"include_usage": True}}
    refused = await client.post(URL, json=body("sandbox-no-stream-options", **options))
    assert refused.status_code == 400
    assert "stream_options" in refused.text
    assert finishes(await stream(client, "sandbox-no-stream-options")) == ["stop"]


async def test_a_slow_model_sends_its_headers_and_pings_at_once(client, sandbox):
    with anyio.fail_after(5):
        async with client.stream("POST", URL, json=body("sandbox-slow", stream=True)) as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            assert await anext(answer.aiter_raw()) == b": PING\n\n"
    sandbox.slow_seconds = 0.01
    assert finishes(await stream(client, "sandbox-slow")) == ["stop"]
    assert (await ask(client, "sandbox-slow"))["choices"]


async def test_a_trickle_is_twenty_pieces(client, sandbox):
    sandbox.trickle_delay = 0
    events = await stream(client, "sandbox-trickle")
    assert len(events) == 1 + 20 + 1 + 1
    assert finishes(events) == ["stop"]


async def test_a_burst_is_two_thousand_words_however_slow_the_others_are(client, sandbox):
    sandbox.chunk_delay = 60
    with anyio.fail_after(5):
        events = await stream(client, "sandbox-burst")
    assert len(said(events).split()) == 2000
    assert len(events) == 1 + 2000 + 1 + 1


async def test_a_cut_stream_breaks_the_connection_and_nothing_is_logged(client, sandbox, caplog):
    caplog.set_level("ERROR")
    reads: list[bytes] = []
    async with client.stream("POST", URL, json=body("sandbox-cut", stream=True)) as answer:
        with pytest.raises(httpx2.RemoteProtocolError):
            await collect(answer, reads)
    received = b"".join(reads)
    assert b"you " in received
    assert b"[DONE]" not in received
    assert b'"finish_reason":"' not in received
    assert not sandbox.chats[0].finished
    assert caplog.records == []


async def test_a_cut_whole_answer_is_shorter_than_its_content_length(client, caplog):
    with pytest.raises(httpx2.RemoteProtocolError):
        await client.post(URL, json=body("sandbox-cut"))
    assert caplog.records == []


async def test_a_stream_may_end_with_done_and_without_a_finish_reason(client):
    events = await stream(client, "sandbox-cut-done")
    assert said(events)
    assert (finishes(events), events[-1]) == ([], "[DONE]")


async def test_a_stream_may_bring_an_error_after_some_text(client):
    events = await stream(client, "sandbox-midstream-error")
    assert said(events)
    assert events[-1]["error"]["code"] == "upstream_error"


async def test_a_quirky_stream_holds_every_quirk(client, sandbox):
    async with client.stream("POST", URL, json=body("sandbox-quirks", stream=True)) as answer:
        raw = b"".join([data async for data in answer.aiter_raw()])
    assert b": PING\r\n\r\n" in raw
    assert b"data:\r\n\r\n" in raw
    assert raw.count(b"\n") == raw.count(b"\r\n")
    lines = [line for line in raw.decode().split("\r\n") if line.startswith("data: {")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert said(events, "reasoning")
    assert said(events).endswith("ça va, 你好 🙂")
    assert events[-1]["usage"]["completion_tokens"] > 8
    assert events[-1]["choices"][0]["delta"]["content"]
    assert finishes(events) == ["stop"]


async def test_characters_of_a_quirky_stream_are_torn_between_writes(client, sandbox):
    sandbox.chunk_delay = 0.002  # so that each write arrives alone
    reads: list[bytes] = []
    async with client.stream("POST", URL, json=body("sandbox-quirks", stream=True)) as answer:
        await collect(answer, reads)
    assert any(read[-1] >= 0xC0 for read in reads)


async def test_whole_answers_of_stream_faults_are_plain(client):
    for model in ("sandbox-cut-done", "sandbox-midstream-error", "sandbox-quirks", "sandbox-burst"):
        assert (await ask(client, model))["choices"][0]["finish_reason"] == "stop"
