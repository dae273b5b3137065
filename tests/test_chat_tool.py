"""The chat tool as hosts use it: through the SDK's client in both eras, and as a child process on stdio."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest
from children import Child, envelope, hub_mcp, sandboxed
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from surfaces import ERAS, Session, connected, session, settings

from hub_mcp.arguments import ChatArguments
from hub_mcp.errors import BadRequest
from hub_mcp.hub import Hub
from hub_mcp.models import ChatRequest
from hub_mcp.settings import Settings

pytestmark = pytest.mark.anyio

KEY = "sk-sandbox"
CHATS = "/v1/chat/completions"
MODELS = ("gpt-4o-mini", "gpt-4o", "claude-sonnet-4-5")
PATIENCE = 10
ECHO = 'sandbox/gpt-4o-mini: you said "Hello" (5 characters)'
PNG = "data:image/png;base64,iVBORw0KGgo="
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "mayor": {"type": "null"}},
    "required": ["city", "mayor"],
}
TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}


@pytest.fixture(params=ERAS)
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@asynccontextmanager
async def talking(embedded: Any, mode: str = "auto", **more: str) -> AsyncIterator[Session]:
    """A session with a key, whose every answer is checked against the output schema."""
    embedded.sandbox.chunk_delay = 0
    given = settings(embedded.url, **{"HUB_MCP_API_KEY": KEY, **more})
    with anyio.fail_after(20):
        async with opened_hub(embedded, given) as hub, session(given, mode=mode, hub=hub) as opened:
            yield opened


def opened_hub(embedded: Any, given: Settings) -> Hub:
    """A real hub over real sockets, with three models and without certificates: nothing here needs more."""
    embedded.sandbox.rows = [row for row in embedded.sandbox.rows if row["model_id"] in MODELS]
    return Hub(given, transport=httpx2.AsyncHTTPTransport(verify=False))


def bodies(embedded: Any) -> list[dict[str, Any]]:
    return [request.body for request in embedded.sandbox.requests if request.path == CHATS]


def answering(response: Callable[[], Response]) -> Callable[[Request], Awaitable[Response | None]]:
    async def intercept(request: Request) -> Response | None:
        return response() if request.url.path == CHATS else None

    return intercept


# -- answers -----------------------------------------------------------------------------------------


async def test_an_answer_is_its_text_alone_then_one_line_and_both_once_more_typed(embedded, mode):
    async with talking(embedded, mode) as asked:
        await asked.call("list_models", limit=1)
        result = await asked.result("chat", model="gpt-4o-mini", prompt="Hello")
    answer = result.structured_content
    text, line = (block.text for block in result.content)
    assert text == answer["text"] == ECHO
    assert "\n" not in line
    assert line.startswith("gpt-4o-mini | stop | 1 in, 7 out | $0.000004 | ")
    assert answer["thread"] in line
    assert answer["usage"] == {"input_tokens": 1, "output_tokens": 7}
    assert answer["cost"] == pytest.approx((0.15 + 7 * 0.6) / 1e6)
    assert answer.keys() == {
        "model", "text", "finish_reason", "usage", "cost", "thread", "request_id", "first_token_seconds", "seconds",
    }  # fmt: skip


async def test_reasoning_is_kept_apart(embedded):
    async with talking(embedded) as asked:
        answer = await asked.call("chat", model="claude-sonnet-4-5", prompt="Hello", reasoning_effort="low")
    assert answer["reasoning"] == "The user wants an echo, so I echo."
    assert answer["text"].startswith("sandbox/")
    assert answer["usage"]["reasoning_tokens"] == 8
    assert bodies(embedded)[0]["reasoning_effort"] == "low"


async def test_everything_is_passed_on_unharmed(embedded, mode):
    parts = [
        {"type": "text", "text": "ça 🙂", "cache_control": {"type": "ephemeral", "ttl": None}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "made-up", "nested": [{"deep": [1, 2.5, None, True]}]},
    ]
    messages = [
        {"role": "developer", "content": "Be brief.", "name": None},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "a", "type": "function", "function": {}}],
        },
        {"role": "tool", "tool_call_id": "a", "content": ""},
        {"role": "user", "content": parts},
    ]
    options = {
        "seed": 7,
        "top_p": 0.5,
        "tools": [TOOL],
        "extra": {"a": None, "b": [[]]},
        "logit_bias": {"7": -1},
    }
    async with talking(embedded, mode) as asked:
        await asked.call(
            "chat",
            model="gpt-4o",
            messages=messages,
            options=options,
            images=[PNG],
            max_tokens=50,
            temperature=0,
        )
    (body,) = bodies(embedded)
    assert body.pop("messages") == [
        *messages[:3],
        {"role": "user", "content": [*parts, {"type": "image_url", "image_url": {"url": PNG}}]},
    ]
    assert body == {
        "model": "gpt-4o",
        "max_tokens": 50,
        "temperature": 0,
        **options,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_nulls_survive_in_what_was_parsed_and_in_tool_calls(embedded, mode):
    async with talking(embedded, mode) as asked:
        parsed = await asked.call("chat", model="gpt-4o-mini", prompt="Hello", response_format=SCHEMA)
        called = await asked.call(
            "chat", model="gpt-4o-mini", prompt="Hello", options={"tools": [TOOL], "tool_choice": "required"}
        )
    assert parsed["parsed"] == {"city": "sandbox", "mayor": None}
    assert "notes" not in parsed
    (call,) = called["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "sandbox", "mayor": None}
    sent = bodies(embedded)[0]["response_format"]
    assert sent == {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}


async def test_an_answer_that_breaks_its_schema_is_returned_with_what_it_breaks(embedded):
    said = {"choices": [{"message": {"content": '{"city": 7}'}, "finish_reason": "stop"}]}
    embedded.sandbox.intercept = answering(lambda: JSONResponse(said))
    async with talking(embedded) as asked:
        answer = await asked.call("chat", model="gpt-4o-mini", prompt="Hello", response_format=SCHEMA)
    assert (answer["text"], answer["parsed"]) == ('{"city": 7}', {"city": 7})
    assert len(answer["notes"]) == 2
    assert "$.city: 7 is not of type 'string'" in answer["notes"][1]


async def test_a_long_answer_returns_as_running_and_is_collected(embedded, mode):
    embedded.sandbox.trickle_delay = 0.02
    async with talking(embedded, mode) as asked:
        first = await asked.result("chat", model="sandbox-trickle", prompt="Hello", wait=0.15)
        thread = first.structured_content["thread"]
        assert first.structured_content["finish_reason"] == "running"
        assert not first.is_error
        assert f'thread="{thread}"' in first.content[1].text
        rest = await asked.call("chat", thread=thread)
    assert rest["finish_reason"] == "stop"
    assert rest.get("offset", 0) == len(first.structured_content["text"])
    whole = first.structured_content["text"] + rest["text"]
    assert whole == " ".join(f"drop-{number}" for number in range(1, 21))
    assert embedded.sandbox.count("POST") == 1


async def test_a_thread_is_continued(embedded, mode):
    async with talking(embedded, mode) as asked:
        first = await asked.call("chat", model="gpt-4o-mini", prompt="one")
        again = await asked.call("chat", thread=first["thread"], prompt="two")
    assert again["thread"] == first["thread"]
    assert [message["content"] for message in bodies(embedded)[1]["messages"]] == [
        "one",
        first["text"],
        "two",
    ]


async def test_another_model_answers_where_the_first_refuses_and_the_answer_says_so(embedded):
    async with talking(embedded) as asked:
        answer = await asked.call(
            "chat", model="sandbox-429", prompt="Hello", fallback_models="nope, gpt-4o-mini,sandbox-503"
        )
    assert (answer["model"], answer["text"]) == ("gpt-4o-mini", ECHO)
    assert answer["notes"] == [
        "sandbox-429 was tried first and refused (rate_limited).",
        "nope was tried first and refused (model_not_found).",
    ]
    assert embedded.sandbox.count("POST") == 3


async def test_a_ceiling_is_kept_before_anything_is_sent(embedded, mode):
    async with talking(embedded, mode, HUB_MCP_BUDGET="0.05") as asked:
        text, error = await asked.refusal("chat", model="gpt-4o-mini", prompt="Hello", max_cost=0.000001)
        assert error == {"code": "over_budget", "retryable": False}
        assert "max_cost" in text
        text, error = await asked.refusal("chat", model="sandbox-cut", prompt="Hello")
        assert (error["code"], "price" in text) == ("over_budget", True)
        assert embedded.sandbox.count("POST") == 0
        await asked.call("chat", model="gpt-4o-mini", prompt="Hello", max_cost=0.02)


# -- errors ------------------------------------------------------------------------------------------

ERRORS = {
    "sandbox-429-empty": ("rate_limited", True, 429, "Wait"),
    "sandbox-html": ("bad_answer", False, None, "an HTML page"),
    "sandbox-html-502": ("hub_failed", True, 502, "502"),
    "sandbox-error-200": ("hub_failed", True, 200, "The provider failed (tid: 101)"),
    "sandbox-empty": ("bad_answer", False, None, "an empty body"),
    "sandbox-wrong-endpoint": ("wrong_endpoint", False, 400, "choose another"),
    "sandbox-context": ("context_too_long", False, 400, "Shorten the prompt"),
    "sandbox-redirect": ("bad_answer", False, 307, "307"),
    "gpt4o-mini": ("model_not_found", False, 503, "Nearest: gpt-4o-mini"),
}


@pytest.mark.parametrize("model", ERRORS)
async def test_an_error_has_its_code_the_hubs_words_and_what_to_do(embedded, mode, model):
    code, retryable, status, words = ERRORS[model]
    for _ in range(100):  # a request id of one digit is not taken for one
        embedded.sandbox.next_tid()
    async with talking(embedded, mode) as asked:
        await asked.call("list_models", limit=1)
        text, error = await asked.refusal("chat", model=model, prompt="Hello")
    assert (error["code"], error["retryable"], error.get("status")) == (code, retryable, status)
    assert words in text
    assert ("request_id" in error) is ("tid" in text)
    assert ("gpt-4o-mini" in error.get("nearest", ())) is (code == "model_not_found")
    assert embedded.sandbox.count("POST") == 1
    assert KEY not in text


@pytest.mark.parametrize(
    ("key", "code", "words"),
    [
        ("sk-bad", "auth_failed", "HUB_MCP_API_KEY"),
        ("sk-poor", "payment_required", "Top up"),
        ("sk-banned", "forbidden", "suspended"),
    ],
)
async def test_a_key_that_does_not_do_is_told_apart(embedded, mode, key, code, words):
    async with talking(embedded, mode, HUB_MCP_API_KEY=key) as asked:
        text, error = await asked.refusal("chat", model="gpt-4o-mini", prompt="Hello")
    assert error["code"] == code
    assert words in text
    assert key not in text


async def test_text_that_came_before_a_failure_is_an_answer_with_a_note(embedded, mode):
    async with talking(embedded, mode) as asked:
        for model in ("sandbox-cut", "sandbox-cut-done", "sandbox-midstream-error"):
            answer = await asked.call("chat", model=model, prompt="Hello")
            assert answer["finish_reason"] == "incomplete"
            assert answer["text"].startswith(f"sandbox/{model}")
            assert "not whole" in answer["notes"][0]
    assert "The hub said: The provider failed" in answer["notes"][0]


async def test_an_answer_that_reasoning_used_up_names_max_tokens(embedded):
    async with talking(embedded) as asked:
        answer = await asked.call("chat", model="claude-sonnet-4-5", prompt="Hello", max_tokens=4)
    assert (answer["text"], answer["finish_reason"]) == ("", "length")
    assert "max_tokens" in answer["notes"][0]


async def test_a_chat_that_runs_out_of_time_says_which_setting_allows_more(embedded):
    async with talking(embedded, HUB_MCP_CHAT_TIMEOUT="0.1") as asked:
        text, error = await asked.refusal("chat", model="sandbox-slow", prompt="Hello")
        assert (error["code"], error["retryable"]) == ("timed_out", True)
        assert "HUB_MCP_CHAT_TIMEOUT" in text
        with anyio.fail_after(1):
            await embedded.sandbox.chats[-1].disconnected.wait()


async def test_the_key_is_in_no_answer_and_in_no_log(embedded, caplog):
    caplog.set_level(logging.DEBUG)
    said = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
    embedded.sandbox.intercept = answering(lambda: JSONResponse(said, 401))
    async with talking(embedded) as asked:
        text, error = await asked.refusal("chat", model="gpt-4o-mini", prompt="Hello")
    assert "provided: [key]" in text
    assert KEY not in f"{text}{error}{caplog.text}"


# -- progress and cancelling, in both eras -----------------------------------------------------------


async def test_progress_reaches_the_host(embedded, mode):
    embedded.sandbox.trickle_delay = 0.03
    told: list[tuple[float, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    given = settings(embedded.url, HUB_MCP_API_KEY=KEY)
    async with opened_hub(embedded, given) as hub, connected(given, mode=mode, hub=hub) as client:
        result = await client.call_tool(
            "chat", {"model": "sandbox-trickle", "prompt": "Hello"}, progress_callback=note
        )
        assert not result.is_error
    steps = [step for step, _ in told]
    assert steps == sorted(set(steps))
    assert told[0][1] == "waiting"
    assert told[-1][1].endswith(" tokens")
    assert len(told) >= 3


async def began(sandbox: Any, pieces: int) -> None:
    """Wait until so many pieces of the last answer are sent."""
    with anyio.fail_after(PATIENCE):
        while not (sandbox.chats and sandbox.chats[-1].sent >= pieces):  # noqa: ASYNC110
            await anyio.sleep(0.005)


async def hung_up(sandbox: Any) -> None:
    with anyio.fail_after(1):
        await sandbox.chats[-1].disconnected.wait()


@pytest.mark.parametrize(("model", "pieces"), [("sandbox-trickle", 3), ("sandbox-slow", 0)])
async def test_a_host_that_cancels_a_call_stops_its_stream_within_100_ms(embedded, mode, model, pieces):
    """The best of three: a busy machine may be late once, our code would be every time."""
    embedded.sandbox.trickle_delay = 0.02
    seconds = []
    given = settings(embedded.url, HUB_MCP_API_KEY=KEY)
    async with opened_hub(embedded, given) as hub, connected(given, mode=mode, hub=hub) as client:
        for _ in range(3):
            embedded.sandbox.chats.clear()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "chat", {"model": model, "prompt": "Hello"})
                await began(embedded.sandbox, pieces)
                tasks.cancel_scope.cancel()
                cancelled = anyio.current_time()
            await hung_up(embedded.sandbox)
            seconds.append(anyio.current_time() - cancelled)
    assert min(seconds) < 0.1, seconds
    assert embedded.sandbox.count("POST") == 3


# -- on stdio, with a child process ------------------------------------------------------------------


def chat_child(embedded: Any, **more: str) -> Any:
    return hub_mcp(**sandboxed(embedded.url, HUB_MCP_API_KEY=KEY, **more))


async def begin(child: Child, era: str, number: str, **arguments: Any) -> None:
    """Send one chat and do not wait for its answer."""
    meta = envelope() if era == "auto" else {}
    params = {
        "name": "chat",
        "arguments": {"prompt": "Hello", **arguments},
        "_meta": {**meta, "progressToken": number},
    }
    await child.send(id=number, method="tools/call", params=params)


async def test_on_stdio_a_cancelled_call_stops_its_stream_within_100_ms(embedded, mode):
    embedded.sandbox.trickle_delay = 0.02
    seconds = []
    async with chat_child(embedded) as child:
        if mode == "legacy":
            await child.shake_hands()
        for number in ("a", "b", "c"):
            embedded.sandbox.chats.clear()
            await begin(child, mode, number, model="sandbox-trickle")
            await began(embedded.sandbox, 3)
            await child.send(method="notifications/cancelled", params={"requestId": number})
            cancelled = anyio.current_time()
            await hung_up(embedded.sandbox)
            seconds.append(anyio.current_time() - cancelled)
        assert await child.leave() == 0
        log = await child.stderr()
    assert min(seconds) < 0.1, seconds
    assert "Traceback" not in log
    assert not [message for message in child.said if message.get("id") in ("a", "b", "c")]


@pytest.mark.parametrize(
    ("mode", "wait"), [("legacy", 30), ("auto", 0)], ids=["while it waits", "in the background"]
)
async def test_a_host_that_closes_stdin_stops_its_stream_at_once_and_the_text_is_logged(embedded, mode, wait):
    embedded.sandbox.trickle_delay = 0.02
    async with chat_child(embedded) as child:
        if mode == "legacy":
            await child.shake_hands()
        await begin(child, mode, "a", model="sandbox-trickle", wait=wait)
        await began(embedded.sandbox, 8)
        closed = anyio.current_time()
        assert child.process.stdin is not None
        await child.process.stdin.aclose()
        await hung_up(embedded.sandbox)
        late = anyio.current_time() - closed
        assert await child.ended() == 0
        log = await child.stderr()
    assert late < 0.5, "it is 10 ms on an idle machine"
    assert "Lost at the end" in log
    assert "drop-2" in log
    assert KEY not in log


async def test_on_stdio_text_that_is_torn_in_a_character_arrives_whole(embedded):
    """The SDK cannot write half a character, and the answer that holds it is paid."""

    async def body() -> AsyncIterator[bytes]:
        for half in (rb"a\ud83d", rb"\ude42 \ude42 b", rb"{\"c\": 1}"):
            yield b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % half
        yield b'data: {"choices":[{"delta":{"reasoning":"\\ud83d"},"finish_reason":"stop"}]}\n\n'

    embedded.sandbox.intercept = answering(lambda: StreamingResponse(body(), media_type="text/event-stream"))
    async with chat_child(embedded) as child:
        await child.shake_hands()
        answer = await child.ask("tools/call", name="chat", arguments={"model": "gpt-4o", "prompt": "p"})
    assert answer["result"]["structuredContent"]["text"] == 'a🙂 \ufffd b{"c": 1}'


# -- arguments ---------------------------------------------------------------------------------------


def request(**given: Any) -> ChatRequest:
    return ChatArguments.read(given).request()


def test_a_prompt_is_a_message_of_the_user():
    asked = request(model="m", prompt="Hello", system="Be brief.", wait=0, max_cost=0, fallback_models="a, b")
    assert asked.messages == ({"role": "user", "content": "Hello"},)
    assert (asked.system, asked.wait, asked.max_cost, asked.fallback_models) == (
        "Be brief.",
        0,
        0,
        ("a", "b"),
    )


def test_named_fields_are_joined_with_the_options():
    asked = request(
        model="m",
        prompt="p",
        max_tokens=5,
        temperature=0,
        reasoning_effort="high",
        options={"seed": 1, "stop": None},
    )
    assert asked.options == {
        "seed": 1,
        "stop": None,
        "max_tokens": 5,
        "temperature": 0,
        "reasoning_effort": "high",
    }
    assert asked.max_tokens == 5


def test_objects_may_come_as_json_text():
    """As some hosts send them."""
    message = {"role": "user", "content": "Hello"}
    asked = request(
        model="m", messages=json.dumps([message]), options=json.dumps({"seed": 1}), images=json.dumps([PNG])
    )
    assert asked.options == {"seed": 1}
    assert asked.messages[0]["content"][1] == {"type": "image_url", "image_url": {"url": PNG}}


URL = "https://example.org/a,b.png?c=d,e"


@pytest.mark.parametrize(
    ("images", "addresses"),
    [
        (PNG, [PNG]),
        ([PNG, URL], [PNG, URL]),
        (URL, [URL]),
        (f"{PNG},{URL} , {PNG}", [PNG, URL, PNG]),
        ([PNG, ""], [PNG]),
    ],
)
def test_images_may_hold_commas_of_their_own(images, addresses):
    (message,) = request(model="m", prompt="look", images=images).messages
    assert [part["image_url"]["url"] for part in message["content"][1:]] == addresses


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_what_is_empty_counts_as_not_given(empty):
    assert request(model="m", prompt="p", messages=empty or None, images=empty or []) == request(
        model="m", prompt="p"
    )
    assert request(model="m", prompt="p", messages=[]) == request(model="m", prompt="p")
    collects = request(
        thread="t", options={}, images=[], messages=[], fallback_models=[], prompt="", model="m", wait=1
    )
    assert (collects.thread, collects.messages) == ("t", ())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": "m"}, "needs a prompt or messages"),
        (
            {"model": "m", "prompt": "p", "messages": [{"role": "user", "content": "q"}]},
            "prompt or messages, not both",
        ),
        ({"model": "m", "messages": [{"content": "q"}]}, "needs a role"),
        ({"model": "m", "messages": [{"role": 7}]}, "needs a role"),
        ({"model": "m", "messages": "no json"}, "'messages' cannot be used"),
        ({"model": "m", "prompt": "p", "options": "[1]"}, "'options' cannot be used"),
        (
            {"model": "m", "system": "s", "messages": [{"role": "system", "content": "t"}]},
            "system or a system message in messages, not both",
        ),
        ({"thread": "t", "max_tokens": 5}, "max_tokens would have no effect"),
        ({"thread": "t", "temperature": 0, "images": [PNG]}, "images, temperature would have no effect"),
        ({"thread": "t", "max_cost": 0}, "max_cost would have no effect"),
        ({"model": "m", "prompt": "p", "options": {"stream": True}}, "options may not hold stream"),
        (
            {"model": "m", "prompt": "p", "options": {"model": "x", "messages": []}},
            "may not hold messages, model",
        ),
        (
            {"model": "m", "prompt": "p", "max_tokens": 5, "options": {"max_tokens": 6}},
            "may not hold max_tokens",
        ),
        (
            {"model": "m", "prompt": "p", "max_tokens": 5, "options": {"max_completion_tokens": 6}},
            "may not hold max_completion_tokens",
        ),
        (
            {"model": "m", "prompt": "p", "response_format": "text", "options": {"response_format": {}}},
            "may not hold response_format",
        ),
        ({"model": "m", "prompt": "p", "options": {"n": 3}}, "n answers: each is paid"),
        ({"model": "m", "prompt": "p", "response_format": "yaml"}, "response_format cannot be 'yaml'"),
        ({"model": "m", "prompt": "p", "images": ["cat.png"]}, "Image 1 is neither"),
        ({"model": "m", "messages": [{"role": "system"}], "images": [PNG]}, "a message of the user"),
        ({"model": "m", "prompt": "p", "max_tokens": 0}, "'max_tokens' cannot be used"),
        ({"model": "m", "prompt": "p", "temperature": float("nan")}, "'temperature' cannot be used"),
        ({"model": "m", "prompt": "p", "wait": -1}, "'wait' cannot be used"),
        ({"model": "m", "prompt": "p", "max_cost": -1}, "'max_cost' cannot be used"),
        ({"model": "m", "prompt": "p", "promt": "x"}, "no argument 'promt'"),
    ],
)
def test_a_contradiction_is_refused_with_a_sentence(given, said):
    with pytest.raises(BadRequest) as caught:
        request(**given)
    assert said in caught.value.message
    assert caught.value.hint


async def test_a_contradiction_is_refused_before_anything_is_sent(embedded, mode):
    async with talking(embedded, mode) as asked:
        _, error = await asked.refusal("chat", model="gpt-4o-mini", prompt="p", options={"n": 2})
        assert error["code"] == "bad_request"
        _, error = await asked.refusal("chat", prompt="p")
        assert error["code"] == "bad_request"
        text, error = await asked.refusal("chat", thread="nonsense", prompt="p")
        assert error["code"] == "bad_request"
        assert "nothing was sent" in text
    assert embedded.sandbox.count("POST") == 0
