"""The server in front of LiteLLM's proxy, as a host runs it."""

from __future__ import annotations

import re
from typing import Any

import anyio
import pytest
from conftest import CONFIG, PATIENCE, Connect, Gateway, Host

pytestmark = pytest.mark.anyio

CONFIGURED = set(re.findall(r"model_name: (\S+)", CONFIG.read_text()))
CHAT_PATH = "/v1/chat/completions"
WRONG = "sk-wrong-key"
SAID = "The capital of France is Paris."
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def asked_of_vendor(gateway: Gateway) -> dict[str, Any]:
    """The last chat that LiteLLM passed on."""
    chats = (asked for asked in reversed(gateway.vendor.requests) if asked.path == CHAT_PATH)
    body: dict[str, Any] = next(chats).body
    return body


# -- the catalog -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/v1"])
async def test_every_configured_model_is_listed(gateway: Gateway, connect: Connect, path: str) -> None:
    async with connect(HUB_MCP_BASE_URL=gateway.url + path) as host:
        listed = await host.ask("list_models", limit=100)
    assert {model["id"] for model in listed["models"]} == CONFIGURED
    assert listed["total"] == len(CONFIGURED)
    assert "notes" not in listed


async def test_a_listed_model_is_available_to_the_key(host: Host) -> None:
    found = await host.ask("get_model", model="mock-plain")
    assert found["model"]["id"] == "mock-plain"
    assert found["model"]["available"] is True


async def test_the_limits_that_the_gateway_tells_are_known(host: Host) -> None:
    found = await host.ask("get_model", model="mock-plain")
    assert found["model"]["context_length"] == 128000
    assert found["model"]["max_output"] == 16384


async def test_a_model_is_found_by_a_word_of_its_name(host: Host) -> None:
    found = await host.ask("search_models", query="thinker")
    assert [model["id"] for model in found["models"]] == ["vendor-thinker"]


# -- answers -----------------------------------------------------------------------------------------


async def test_an_answer_comes_whole_with_its_usage_and_why_it_ended(host: Host) -> None:
    answer = await host.ask("chat", model="mock-plain", prompt="What is the capital of France?")
    assert answer["text"] == SAID
    assert answer["model"] == "mock-plain"
    assert answer["finish_reason"] == "stop"
    assert answer["usage"]["input_tokens"] > 0
    assert answer["usage"]["output_tokens"] > 0
    assert answer["request_id"].startswith("chatcmpl-")
    assert "notes" not in answer


async def test_each_turn_of_a_thread_carries_those_before_it(gateway: Gateway, host: Host) -> None:
    first = await host.ask("chat", model="vendor-echo", prompt="One", system="Be brief")
    second = await host.ask("chat", thread=first["thread"], prompt="Two")
    await host.ask("chat", thread=second["thread"], prompt="Three")
    assert [(message["role"], message["content"]) for message in asked_of_vendor(gateway)["messages"]] == [
        ("system", "Be brief"),
        ("user", "One"),
        ("assistant", first["text"]),
        ("user", "Two"),
        ("assistant", second["text"]),
        ("user", "Three"),
    ]


async def test_an_answer_that_outlasts_the_wait_is_collected_later(host: Host) -> None:
    begun = await host.ask("chat", model="vendor-echo", prompt="Wait for me", wait=0)
    rest = await host.ask("chat", thread=begun["thread"])
    assert begun["finish_reason"] == "running"
    assert rest["finish_reason"] == "stop"
    assert 'you said "Wait for me"' in begun["text"] + rest["text"]


async def test_json_that_was_asked_for_is_parsed(host: Host) -> None:
    answer = await host.ask("chat", model="mock-json", prompt="A city", response_format="json")
    assert answer["parsed"] == {"city": "Paris", "people": 2100000}


async def test_a_json_schema_reaches_the_vendor_and_the_answer_fits_it(gateway: Gateway, host: Host) -> None:
    answer = await host.ask("chat", model="vendor-echo", prompt="A city", response_format=CITY)
    assert asked_of_vendor(gateway)["response_format"]["type"] == "json_schema"
    assert answer["parsed"].keys() == {"city"}
    assert "notes" not in answer


async def test_a_tool_call_that_is_streamed_in_pieces_comes_whole(host: Host) -> None:
    options = {"tools": [WEATHER], "tool_choice": "required"}
    answer = await host.ask("chat", model="vendor-echo", prompt="The weather?", options=options)
    (call,) = answer["tool_calls"]
    assert answer["finish_reason"] == "tool_calls"
    assert call["id"]
    assert call["function"] == {"name": "weather", "arguments": '{"city":"sandbox"}'}


async def test_reasoning_comes_apart_from_the_answer(host: Host) -> None:
    answer = await host.ask("chat", model="vendor-thinker", prompt="Think")
    assert answer["reasoning"].startswith("The user wants")
    assert "The user wants" not in answer["text"]
    assert answer["usage"]["reasoning_tokens"] > 0


async def test_an_answer_whose_vendor_hangs_up_in_the_middle_is_marked_incomplete(host: Host) -> None:
    answer = await host.ask("chat", model="vendor-cut", prompt="Hello")
    assert answer["text"].startswith("sandbox/")
    assert answer["finish_reason"] == "incomplete"
    assert answer["notes"][0].startswith("The answer is not whole")


# -- refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "code", "status", "retryable"),
    [
        ("mock-429", "rate_limited", 429, True),
        ("mock-400", "context_too_long", 400, False),
        ("mock-500", "hub_failed", 500, True),
        ("vendor-gone", "hub_failed", 500, True),
        ("no-such-model", "model_not_found", 400, False),
    ],
)
async def test_a_refusal_is_told_by_its_kind(
    host: Host, model: str, code: str, status: int, retryable: bool
) -> None:
    error = await host.fail("chat", model=model, prompt="Hello")
    assert (error["code"], error["status"], error["retryable"]) == (code, status, retryable)
    assert error["text"].startswith("The hub said: ")


async def test_a_model_that_is_misspelt_is_told_with_the_nearest_ones(host: Host) -> None:
    await host.ask("list_models")
    error = await host.fail("chat", model="mock-plane", prompt="Hello")
    assert error["code"] == "model_not_found"
    assert error["nearest"][0] == "mock-plain"


async def test_the_next_model_answers_where_the_first_refuses(host: Host) -> None:
    answer = await host.ask("chat", model="mock-429", prompt="Hello", fallback_models=["mock-plain"])
    assert (answer["model"], answer["text"]) == ("mock-plain", SAID)
    assert "mock-429" in answer["notes"][0]


# -- keys --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments"), [("list_models", {}), ("chat", {"model": "mock-plain", "prompt": "Hello"})]
)
async def test_a_wrong_key_is_told_as_such(connect: Connect, tool: str, arguments: dict[str, Any]) -> None:
    async with connect(HUB_MCP_API_KEY=WRONG) as host:
        error = await host.fail(tool, **arguments)
    assert (error["code"], error["retryable"]) == ("auth_failed", False)
    assert "HUB_MCP_API_KEY" in error["text"]
    assert WRONG not in error["text"]


@pytest.mark.parametrize(
    ("tool", "arguments"), [("list_models", {}), ("chat", {"model": "mock-plain", "prompt": "Hello"})]
)
async def test_without_a_key_it_says_which_setting_is_missing(
    connect: Connect, tool: str, arguments: dict[str, Any]
) -> None:
    async with connect(HUB_MCP_API_KEY=None) as host:
        error = await host.fail(tool, **arguments)
    assert (error["code"], error["retryable"]) == ("missing_key", False)
    assert "HUB_MCP_API_KEY" in error["text"]


# -- cancelling --------------------------------------------------------------------------------------


async def cancel_when(host: Host, model: str, sign: str) -> None:
    """Ask, and cancel the call when its progress says so; fails where the call ends by itself."""
    with anyio.fail_after(PATIENCE), anyio.CancelScope() as scope:

        async def watch(_: float, __: float | None, message: str | None) -> None:
            if sign in (message or ""):
                scope.cancel()

        asked = {"model": model, "prompt": "Hello"}
        await host.client.call_tool("chat", asked, progress_callback=watch)
    assert scope.cancelled_caught


async def test_a_chat_can_be_cancelled_before_its_answer_begins_and_the_server_goes_on(
    host: Host,
) -> None:
    await cancel_when(host, "mock-patience", "waiting")
    answer = await host.ask("chat", model="mock-plain", prompt="Hello")
    assert answer["text"] == SAID


async def test_cancelling_a_chat_reaches_through_the_gateway_to_the_vendor(
    gateway: Gateway, host: Host
) -> None:
    await cancel_when(host, "vendor-trickle", "tokens")
    log = gateway.vendor.chats[-1]
    with anyio.fail_after(5):
        await log.disconnected.wait()
    assert (log.model, log.finished) == ("sandbox-trickle", False)
