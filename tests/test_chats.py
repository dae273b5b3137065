"""Chats and their threads: waiting, collecting, continuing, stopping, and what the end leaves."""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import httpx2
import pytest
from conftest import ManualClock, RunningSandbox
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from hub_mcp.catalog import Catalog
from hub_mcp.chats import PROGRESS_SECONDS, Chats
from hub_mcp.errors import BadRequest, HubFailed, ModelNotFound, OverBudget, RateLimited
from hub_mcp.models import ChatRequest
from hub_mcp.results import ChatResult
from hub_mcp.settings import Settings
from hub_mcp.threads import IDLE_SECONDS, MAX_TURNS
from hub_mcp.upstream import Upstream

pytestmark = pytest.mark.anyio

KEY, OTHER_KEY = "sk-sandbox", "sk-sandbox-too"
CHATS = "/v1/chat/completions"
DROPS = " ".join(f"drop-{number}" for number in range(1, 21))


class Host:
    """A caller of one hub's chats."""

    def __init__(self, chats: Chats, clock: ManualClock) -> None:
        self.chats = chats
        self.clock = clock

    async def say(
        self, prompt: str = "Hello", *, key: str = KEY, progress: Any = None, **request: Any
    ) -> ChatResult:
        messages = request.pop("messages", ({"role": "user", "content": prompt},))
        request.setdefault("model", "" if "thread" in request else "gpt-4o-mini")
        with anyio.fail_after(10):
            return await self.chats.chat(ChatRequest(messages=messages, **request), key, progress)

    async def collect(
        self, thread: str, *, key: str = KEY, progress: Any = None, **request: Any
    ) -> ChatResult:
        with anyio.fail_after(10):
            return await self.chats.chat(ChatRequest(thread=thread, **request), key, progress)


@asynccontextmanager
async def hosted(
    url: str, clock: ManualClock, *, warm: bool = False, sign_of_life: float = 10.0, **settings: Any
) -> AsyncIterator[Host]:
    given = replace(Settings(base_urls=(url,), api_key=SecretStr(KEY)), **settings)
    # Real sockets, but without the certificates, whose loading takes longer than most tests.
    sockets = httpx2.AsyncHTTPTransport(verify=False)
    async with (
        Upstream(given.base_urls, clock=clock, timeout=5, transport=sockets) as upstream,
        Catalog(upstream, given.profile, clock=clock, max_stale=60) as catalog,
        Chats(upstream, catalog, given, clock, sign_of_life=sign_of_life) as chats,
    ):
        if warm:
            await catalog.read(KEY)
        yield Host(chats, clock)


@pytest.fixture
async def host(embedded: RunningSandbox, clock: ManualClock) -> AsyncIterator[Host]:
    embedded.sandbox.chunk_delay = 0
    async with hosted(embedded.url, clock) as opened:
        yield opened


@pytest.fixture
def hub(embedded: RunningSandbox) -> Any:
    return embedded.sandbox


class Gate:
    """Lets the trickle run dry or flow on: the hub holds a chat back until it is opened."""

    def __init__(self) -> None:
        self.arrived = anyio.Event()
        self.opened = anyio.Event()

    async def __call__(self, request: Request) -> Response | None:
        if request.url.path == CHATS:
            self.arrived.set()
            await self.opened.wait()
        return None


class Script:
    """An answer that is spoken when the test says so, to every chat that is sent."""

    def __init__(self) -> None:
        self._send, self._receive = anyio.create_memory_object_stream[bytes](100)
        self.hung_up = anyio.Event()

    async def __call__(self, request: Request) -> Response | None:
        return (
            StreamingResponse(self._body(), media_type="text/event-stream")
            if request.url.path == CHATS
            else None
        )

    async def _body(self) -> AsyncIterator[bytes]:
        try:
            async for event in self._receive:
                yield event
        except BaseException:
            self.hung_up.set()
            raise

    def say(self, text: str, field: str = "content") -> None:
        self._send.send_nowait(f'data: {{"choices": [{{"delta": {{"{field}": "{text}"}}}}]}}\n\n'.encode())

    def end(self) -> None:
        self._send.send_nowait(b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n')
        self._send.close()

    def close(self) -> None:
        self._send.close()
        self._receive.close()


@pytest.fixture
def script(embedded: RunningSandbox) -> Iterator[Script]:
    embedded.sandbox.intercept = script = Script()
    yield script
    script.close()


async def heard(host: Host, thread: str, text: str) -> None:
    """Collect what comes until all of `text` was returned."""
    got = ""
    while got != text:
        assert text.startswith(got)
        result = await host.collect(thread, wait=0.01)
        assert (result.reply.finish_reason, result.offset) == ("running", len(got))
        got += result.text


async def received(host: Host, text: str) -> None:
    """Wait until so much of the newest answer has come, returned or not."""
    with anyio.fail_after(5):
        while (run := host.chats._threads.all()[-1].answer) is None or run.fold.length < len(text):  # noqa: ASYNC110
            await anyio.sleep(0.005)


async def settled(host: Host) -> None:
    """Wait until no chat runs any more, collected or not."""
    with anyio.fail_after(5):
        while any(thread.running for thread in host.chats._threads.all()):  # noqa: ASYNC110
            await anyio.sleep(0.005)


async def sent_some(hub: Any, pieces: int = 3) -> None:
    """Wait until so many pieces of an answer are on their way."""
    with anyio.fail_after(5):
        while not (hub.chats and hub.chats[-1].sent >= pieces):  # noqa: ASYNC110
            await anyio.sleep(0.005)


def sent(hub: Any) -> list[list[dict[str, Any]]]:
    return [request.body["messages"] for request in hub.requests if request.path == CHATS]


# -- waiting and collecting --------------------------------------------------------------------------


async def test_an_answer_that_comes_in_time_is_returned_whole(host, hub):
    result = await host.say()
    assert result.text == result.reply.text == 'sandbox/gpt-4o-mini: you said "Hello" (5 characters)'
    assert (result.reply.finish_reason, result.offset, result.next_step, result.notes) == ("stop", 0, "", ())


async def test_an_unfinished_answer_returns_in_time_and_can_be_collected_at_no_cost(host, hub):
    hub.trickle_delay = 0.01
    pieces = [await host.say(model="sandbox-trickle", wait=0.05)]
    while pieces[-1].reply.finish_reason == "running":
        assert pieces[-1].thread in pieces[-1].next_step
        pieces.append(await host.collect(pieces[0].thread, wait=0.05))
    assert len(pieces) > 2
    whole = ""
    for piece in pieces:
        assert piece.offset in (len(whole), 0)
        whole = whole[: piece.offset] + piece.text
    assert whole == DROPS
    assert (pieces[-1].reply.finish_reason, pieces[-1].reply.text) == ("stop", DROPS)
    assert hub.count("POST") == 1


async def test_when_all_was_returned_before_the_whole_is_returned_once_more(host, hub, script):
    thread = (await host.say(wait=0)).thread
    script.say("Hel")
    await heard(host, thread, "Hel")
    script.say("lo")
    script.end()
    rest, again, and_again = [await host.collect(thread) for _ in range(3)]
    assert (rest.text, rest.offset, rest.reply.text) == ("lo", 3, "Hello")
    assert (again.text, again.offset) == (and_again.text, and_again.offset) == ("Hello", 0)
    assert hub.count("POST") == 1


async def test_an_answer_that_only_ends_after_all_its_text_was_returned_is_returned_whole(host, script):
    thread = (await host.say(wait=0)).thread
    script.say("Hello")
    await heard(host, thread, "Hello")
    script.end()
    result = await host.collect(thread)
    assert (result.text, result.offset, result.reply.finish_reason) == ("Hello", 0, "stop")


async def test_a_call_that_will_not_wait_returns_at_once(host, hub):
    hub.intercept = gate = Gate()
    result = await host.say(wait=0)
    assert (result.text, result.reply.finish_reason) == ("", "running")
    assert (await host.collect(result.thread, wait=0)).text == ""
    gate.opened.set()
    assert (await host.collect(result.thread)).reply.finish_reason == "stop"
    assert hub.count("POST") == 1


async def test_the_servers_own_wait_counts_where_the_call_names_none(embedded, clock):
    embedded.sandbox.intercept = gate = Gate()
    async with hosted(embedded.url, clock, chat_wait=0.05) as host:
        assert (await host.say()).reply.finish_reason == "running"
        assert gate.arrived.is_set()


async def test_several_calls_may_collect_one_answer_and_together_they_have_all_of_it(host, hub, script):
    thread = (await host.say(wait=0)).thread
    script.say("Hel")
    await heard(host, thread, "Hel")
    results: list[tuple[int, str]] = []

    async def collect() -> None:
        result = await host.collect(thread)
        results.append((result.offset, result.text))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(collect)
        await anyio.wait_all_tasks_blocked()
        script.say("lo")
        script.end()
    assert sorted(results) == [(0, "Hello"), (0, "Hello"), (3, "lo")]
    assert hub.count("POST") == 1


async def test_half_a_tool_call_is_not_returned_as_one(host, hub):
    hub.chunk_delay = 0.02
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": schema}}]
    result = await host.say(options={"tools": tools, "tool_choice": "required"}, wait=0)
    while result.reply.finish_reason == "running":
        assert result.reply.tool_calls == ()
        result = await host.collect(result.thread, wait=0.02)
    (call,) = result.reply.tool_calls
    assert call["function"] == {"name": "weather", "arguments": '{"city":"sandbox"}'}


async def test_a_failure_that_nobody_waited_for_is_told_to_whoever_collects(host, hub):
    hub.intercept = gate = Gate()
    result = await host.say(model="sandbox-503", wait=0)
    gate.opened.set()
    with pytest.raises(RateLimited):
        await host.collect(result.thread)
    with pytest.raises(BadRequest, match="no such thread"):
        await host.collect(result.thread)


async def test_an_answer_that_nobody_collected_is_kept_for_an_hour(host, hub, clock):
    result = await host.say(wait=0)
    await settled(host)
    clock.advance(IDLE_SECONDS)
    again = await host.collect(result.thread)
    assert again.reply.finish_reason == "stop"
    clock.advance(IDLE_SECONDS + 1)
    with pytest.raises(BadRequest, match="no such thread"):
        await host.collect(result.thread)
    assert hub.count("POST") == 1


# -- progress ----------------------------------------------------------------------------------------


class Told:
    """What a caller is told, and when."""

    def __init__(self) -> None:
        self.steps: list[tuple[float, str]] = []
        self.times: list[float] = []

    async def __call__(self, step: float, message: str) -> None:
        self.steps.append((step, message))
        self.times.append(anyio.current_time())

    @property
    def gaps(self) -> list[float]:
        return [later - sooner for sooner, later in zip(self.times, self.times[1:], strict=False)]


async def test_progress_grows_comes_at_most_every_250_ms_and_says_what_is_happening(host, hub):
    hub.trickle_delay, told = 0.03, Told()
    await host.say(model="sandbox-trickle", progress=told)
    assert [step for step, _ in told.steps] == list(range(1, len(told.steps) + 1))
    assert told.steps[0] == (1, "waiting")
    assert len(told.steps) >= 3
    counts = [int(message.removesuffix(" tokens")) for _, message in told.steps[1:]]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0] > 0
    assert min(told.gaps) >= PROGRESS_SECONDS - 0.001


async def test_a_sign_of_life_comes_although_nothing_happens(embedded, clock):
    """At least so often; 10 s for a user, 0.6 s here."""
    embedded.sandbox.intercept = Gate()
    async with hosted(embedded.url, clock, sign_of_life=0.6) as host:
        told = Told()
        await host.say(progress=told, wait=1.3)
    assert {message for _, message in told.steps} == {"waiting"}
    assert [step for step, _ in told.steps] == list(range(1, len(told.steps) + 1))
    assert len(told.steps) >= 3
    assert max(told.gaps) <= 0.6


async def test_what_happens_between_two_reports_is_told_in_the_next(host, script):
    """One thought right after the first report, then silence: it must not wait for a sign of life."""

    told = Told()
    script.say("Hm.", "reasoning_content")
    await host.say(progress=told, wait=0.6)
    assert [message for _, message in told.steps] == ["waiting", "thinking"]


async def test_nothing_is_told_after_the_answer(host, hub):
    told = Told()
    for _ in range(5):
        await host.say(progress=told)
        before = len(told.steps)
        await anyio.wait_all_tasks_blocked()
        assert len(told.steps) == before


@pytest.mark.parametrize("error", [RuntimeError("gone"), anyio.BrokenResourceError()])
async def test_a_caller_that_cannot_be_told_still_gets_the_answer(host, error):
    async def fail(_: float, __: str) -> None:
        raise error

    assert (await host.say(progress=fail)).reply.finish_reason == "stop"


async def test_a_caller_that_does_not_listen_does_not_hold_up_the_answer(host):
    async def block(_: float, __: str) -> None:
        await anyio.sleep_forever()

    assert (await host.say(progress=block)).reply.finish_reason == "stop"


async def test_each_call_counts_its_progress_from_the_start(host, script):
    thread, told = (await host.say(wait=0)).thread, Told()
    script.say("Hello")
    await heard(host, thread, "Hello")
    await host.collect(thread, wait=0.05, progress=told)
    await host.collect(thread, wait=0.05, progress=told)
    assert told.steps == [(1, "2 tokens"), (1, "2 tokens")]


# -- cancelling --------------------------------------------------------------------------------------


async def test_a_cancelled_call_hangs_up(host, hub):
    hub.trickle_delay = 0.02
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: host.say(model="sandbox-trickle"))
        await sent_some(hub)
        tasks.cancel_scope.cancel()
    with anyio.fail_after(1):
        await hub.chats[-1].disconnected.wait()


async def test_a_cancelled_call_hangs_up_also_before_the_first_byte(host, hub):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: host.say(model="sandbox-slow"))
        await sent_some(hub, pieces=0)
        tasks.cancel_scope.cancel()
    with anyio.fail_after(1):
        await hub.chats[-1].disconnected.wait()


async def test_a_collecting_call_that_is_cancelled_stops_the_answer_and_what_came_can_be_had(host, script):
    thread = (await host.say(wait=0)).thread
    script.say("Hel")
    await heard(host, thread, "Hel")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.collect, thread)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    with anyio.fail_after(1):
        await script.hung_up.wait()
    stopped = await host.collect(thread)
    assert (stopped.text, stopped.reply.finish_reason) == ("Hel", "incomplete")
    assert "The chat was stopped." in stopped.notes[0]


async def test_when_one_of_two_collecting_calls_is_cancelled_the_other_has_what_came(host, script):
    """Cancelling means stop, whoever else waits; nobody is left waiting."""
    thread = (await host.say(wait=0)).thread
    script.say("Hel")
    await heard(host, thread, "Hel")
    results: list[ChatResult] = []

    async def collect() -> None:
        results.append(await host.collect(thread))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(collect)
        async with anyio.create_task_group() as cancelled:
            cancelled.start_soon(host.collect, thread)
            await anyio.wait_all_tasks_blocked()
            cancelled.cancel_scope.cancel()
    assert [(result.text, result.reply.finish_reason) for result in results] == [("Hel", "incomplete")]


async def test_a_call_that_is_cancelled_just_as_its_answer_is_whole_does_not_spoil_it(host, script):
    thread = (await host.say(wait=0)).thread
    script.say("Hello")
    await heard(host, thread, "Hello")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.collect, thread)
        await anyio.wait_all_tasks_blocked()
        script.end()
        await settled(host)
        tasks.cancel_scope.cancel()
    result = await host.collect(thread)
    assert (result.text, result.reply.finish_reason, result.notes) == ("Hello", "stop", ())


async def test_a_call_that_returned_as_running_goes_on_when_its_caller_leaves(host, hub, script):
    with anyio.CancelScope() as scope:
        thread = (await host.say(wait=0)).thread
        scope.cancel()
    script.say("Hello")
    script.end()
    await settled(host)
    assert (await host.collect(thread)).text == "Hello"


async def test_a_thread_whose_first_chat_was_stopped_before_anything_came_is_gone(host, hub, clock):
    hub.intercept = gate = Gate()
    first = await host.say(wait=0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.collect, first.thread)
        await gate.arrived.wait()
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    await anyio.wait_all_tasks_blocked()
    with pytest.raises(BadRequest, match="no such thread"):
        await host.collect(first.thread)


# -- threads -----------------------------------------------------------------------------------------


async def test_a_thread_goes_on_with_its_own_model_and_all_that_was_said(host, hub):
    first = await host.say("one", system="Be brief.")
    second = await host.say("two", thread=first.thread)
    third = await host.say("three", thread=first.thread, model="gpt-4o", system="Be long.")
    assert first.thread == second.thread == third.thread
    conversations = sent(hub)
    assert [message["content"] for message in conversations[1]] == ["Be brief.", "one", first.text, "two"]
    assert [message["role"] for message in conversations[1]] == ["system", "user", "assistant", "user"]
    assert [message["content"] for message in conversations[2]] == [
        "Be long.", "one", first.text, "two", second.text, "three",
    ]  # fmt: skip
    assert [request.body["model"] for request in hub.requests if request.path == CHATS][1:] == [
        "gpt-4o-mini",
        "gpt-4o",
    ]


async def test_a_thread_remembers_the_model_that_answered(host, hub):
    first = await host.say(model="sandbox-503", fallback_models=("gpt-4o-mini",))
    await host.say(thread=first.thread)
    assert hub.chats[-1].model == "gpt-4o-mini"


async def test_tool_calls_are_part_of_what_was_said(host, hub):
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    first = await host.say(options={"tools": tools, "tool_choice": "required"})
    (call,) = first.reply.tool_calls
    answer = {"role": "tool", "tool_call_id": call["id"], "content": "42"}
    await host.say(thread=first.thread, messages=(answer,))
    assert sent(hub)[-1][1:] == [{"role": "assistant", "content": "", "tool_calls": [call]}, answer]


async def test_an_empty_answer_is_not_repeated_to_the_model(host, hub):
    """Some models refuse a conversation in which they said nothing."""
    first = await host.say(model="claude-sonnet-4-5", options={"max_tokens": 3})
    assert first.text == ""
    await host.say("again", thread=first.thread)
    assert [message["content"] for message in sent(hub)[-1]] == ["Hello", "again"]


async def test_an_answer_in_the_making_cannot_be_continued(host, hub):
    hub.intercept = gate = Gate()
    first = await host.say(wait=0)
    with pytest.raises(BadRequest, match="still running; nothing was sent") as caught:
        await host.say("and?", thread=first.thread)
    assert first.thread in caught.value.hint
    gate.opened.set()
    await settled(host)
    with pytest.raises(BadRequest, match="was not collected; nothing was sent"):
        await host.say("and?", thread=first.thread)
    assert hub.count("POST") == 1
    await host.collect(first.thread)
    await host.say("and?", thread=first.thread)
    assert hub.count("POST") == 2


async def test_of_two_calls_that_continue_a_thread_at_once_one_is_sent(host, hub):
    first = await host.say()
    errors: list[Exception] = []

    async def go_on() -> None:
        try:
            await host.say("and?", thread=first.thread)
        except BadRequest as error:
            errors.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go_on)
        tasks.start_soon(go_on)
    assert len(errors) == 1
    assert hub.count("POST") == 2


async def test_a_chat_that_failed_leaves_the_conversation_as_it_was(host, hub):
    first = await host.say("one")
    with pytest.raises(HubFailed):
        await host.say("lost", thread=first.thread, model="sandbox-error-200")
    with pytest.raises(BadRequest, match="no answer to collect"):
        await host.collect(first.thread)
    await host.say("two", thread=first.thread)
    assert [message["content"] for message in sent(hub)[-1]] == ["one", first.text, "two"]
    assert hub.chats[-1].model == "gpt-4o-mini"


async def test_a_failure_that_nobody_collected_does_not_keep_a_thread_from_going_on(host, hub):
    first = await host.say("one")
    hub.intercept = gate = Gate()
    await host.say("lost", thread=first.thread, model="sandbox-503", wait=0)
    gate.opened.set()
    await settled(host)
    await host.say("two", thread=first.thread)
    assert [message["content"] for message in sent(hub)[-1]] == ["one", first.text, "two"]


async def test_an_unknown_thread_says_so_and_costs_nothing(host, hub):
    for ask in (host.collect, lambda thread: host.say(thread=thread)):
        with pytest.raises(BadRequest, match=r"no such thread.*nothing was sent and nothing spent"):
            await ask("nonsense")
    assert hub.count("POST") == 0


async def test_a_thread_belongs_to_the_key_that_began_it(host, hub):
    first = await host.say()
    for ask in (host.collect, lambda thread, key: host.say(thread=thread, key=key)):
        with pytest.raises(BadRequest, match="no such thread"):
            await ask(first.thread, key=OTHER_KEY)
    assert hub.count("POST") == 1
    assert (await host.collect(first.thread)).text == first.text


async def test_a_full_thread_says_so_and_its_answer_can_still_be_had(host, hub):
    result = await host.say("x" * 1_100_000)
    with pytest.raises(BadRequest, match="The thread is full"):
        await host.say("more", thread=result.thread)
    assert (await host.collect(result.thread)).text == result.text
    assert hub.count("POST") == 1


async def test_a_thread_has_fifty_turns(host, hub):
    result = await host.say()
    for _ in range(MAX_TURNS - 1):
        await host.say("x", thread=result.thread)
    with pytest.raises(BadRequest, match="50 turns"):
        await host.say("x", thread=result.thread)
    assert hub.count("POST") == MAX_TURNS


async def test_pictures_are_not_kept_in_memory_when_they_are_too_large_for_the_thread(host):
    class Picture(str):
        """A text that can be found again in memory."""

    picture = Picture("data:image/png;base64," + "A" * 2_000_000)
    content = [{"type": "image_url", "image_url": {"url": picture}}]
    result = await host.say(messages=({"role": "user", "content": content},))
    del picture, content
    gc.collect()
    assert not [
        each for each in gc.get_objects() if isinstance(each, dict) and type(each.get("url")) is Picture
    ]
    assert (await host.collect(result.thread)).cost == result.cost


async def test_a_model_must_be_named_at_least_once(host, hub):
    with pytest.raises(BadRequest, match="'model' is missing"):
        await host.say(model="")
    assert hub.count("POST") == 0


async def test_what_json_cannot_hold_is_refused_unsent(host, hub):
    with pytest.raises(BadRequest, match="cannot be sent as JSON"):
        await host.say(options={"x": float("inf")})
    assert hub.count("POST") == 0


# -- cost, and what is checked -----------------------------------------------------------------------


async def test_the_cost_comes_from_the_usage_and_the_catalogs_prices(embedded, clock):
    async with hosted(embedded.url, clock, warm=True) as host:
        first, second = await host.say("one two three"), await host.say("one two three")
        assert first.reply.usage is not None
        expected = (first.reply.usage.input_tokens * 0.15 + first.reply.usage.output_tokens * 0.6) / 1e6
        assert first.cost == pytest.approx(expected)
        assert not first.cost_is_estimate
        assert second.reply.usage is not None
        assert second.reply.usage.cached_tokens == 3
        assert first.cost is not None
        assert second.cost is not None
        assert second.cost < first.cost


async def test_the_cost_of_an_answer_that_was_cut_is_an_estimate(embedded, clock):
    sandbox = embedded.sandbox

    async def cut(request: Request) -> Response | None:
        if request.url.path != CHATS:
            return None
        return Response(
            'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n', media_type="text/event-stream"
        )

    async with hosted(embedded.url, clock, warm=True) as host:
        sandbox.intercept = cut
        result = await host.say()
        again = await host.collect(result.thread)
    assert result.reply.finish_reason == "incomplete"
    assert result.cost_is_estimate
    assert result.cost is not None
    assert 0 < result.cost < 0.001
    assert again.cost == result.cost


async def test_a_cold_catalog_delays_no_chat_that_has_no_ceiling(host, hub):
    result = await host.say()
    assert (result.cost, result.cost_is_estimate) == (None, False)
    assert hub.count("GET") == 0


async def never(request: Request) -> Response | None:
    return JSONResponse({"success": False, "message": "down"}, 500) if request.method == "GET" else None


@pytest.mark.parametrize("ceiling", [{"max_cost": 1.0}, {"budget": 1.0}])
async def test_a_ceiling_without_a_catalog_refuses_and_says_why(embedded, clock, ceiling):
    embedded.sandbox.intercept = never
    async with hosted(embedded.url, clock, **ceiling) as host:
        with pytest.raises(OverBudget, match=r"the prices cannot be read.*down"):
            await host.say()
    assert embedded.sandbox.count("POST") == 0


async def test_a_ceiling_loads_a_cold_catalog(host, hub):
    assert (await host.say(max_cost=1.0)).cost is not None
    with pytest.raises(OverBudget, match=r"may cost up to .* max_cost"):
        await host.say(max_cost=1e-9)
    with pytest.raises(OverBudget, match="price of this model is unknown"):
        await host.say(model="whisper-1", max_cost=1.0)
    assert hub.count("POST") == 1


async def test_all_chats_share_one_budget(embedded, clock):
    embedded.sandbox.intercept = gate = Gate()
    async with hosted(embedded.url, clock, budget=0.02) as host:
        threads = [(await host.say(wait=0)).thread for _ in range(10)]
        await gate.arrived.wait()
        refused = 0
        gate.opened.set()
        for thread in threads:
            try:
                await host.collect(thread)
            except OverBudget:
                refused += 1
    assert 0 < embedded.sandbox.count("POST") == 10 - refused < 10


async def test_a_model_that_does_not_exist_is_told_with_the_nearest_that_do(embedded, clock):
    async with hosted(embedded.url, clock, warm=True) as host:
        with pytest.raises(ModelNotFound) as caught:
            await host.say(model="gpt4o-mini")
    assert caught.value.nearest[0] == "gpt-4o-mini"
    assert "Nearest: gpt-4o-mini" in str(caught.value)


async def test_an_answer_in_json_is_parsed_and_held_against_its_schema(host):
    schema = {"type": "object", "properties": {"echo": {"type": "integer"}}, "required": ["echo"]}
    json_object = {"response_format": {"type": "json_object"}}
    fits = await host.say("hi", wants_json=True, options=json_object)
    breaks = await host.say("hi", wants_json=True, schema=schema, options=json_object)
    no_json = await host.say("hi", wants_json=True)
    assert (fits.is_json, fits.parsed, fits.notes) == (True, {"echo": "hi"}, ())
    assert (breaks.is_json, breaks.parsed) == (True, {"echo": "hi"})
    assert breaks.notes == ("The answer breaks the schema at $.echo: 'hi' is not of type 'integer'.",)
    assert not no_json.is_json
    assert no_json.notes[0].startswith("The answer is not JSON")


async def test_an_answer_that_reasoning_used_up_is_an_answer_that_says_so(host):
    result = await host.say(model="claude-sonnet-4-5", options={"max_tokens": 3}, wants_json=True)
    assert (result.text, result.reply.finish_reason) == ("", "length")
    (note,) = result.notes
    assert "max_tokens" in note


# -- the end -----------------------------------------------------------------------------------------


def lost(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_at_the_end_running_chats_are_stopped_and_what_came_is_logged(embedded, clock, script, caplog):
    async with hosted(embedded.url, clock) as host:
        thread = (await host.say(wait=0)).thread
        script.say("had ")
        await heard(host, thread, "had ")
        script.say("not had")
        await received(host, "had not had")
    with anyio.fail_after(1):
        await script.hung_up.wait()
    (line,) = lost(caplog)
    assert "gpt-4o-mini: not had" in line
    assert KEY not in line


async def test_at_the_end_what_was_returned_before_is_not_lost(embedded, clock, script, caplog):
    async with hosted(embedded.url, clock) as host:
        thread = (await host.say(wait=0)).thread
        script.say("had")
        await heard(host, thread, "had")
    assert lost(caplog) == []


async def test_at_the_end_answers_that_nobody_collected_are_logged(embedded, clock, caplog):
    embedded.sandbox.chunk_delay = 0
    async with hosted(embedded.url, clock) as host:
        had = await host.say("had")
        await host.collect(had.thread)
        await host.say("not had", wait=0)
        await settled(host)
    (line,) = lost(caplog)
    assert 'you said "not had"' in line


async def test_a_call_that_the_end_itself_cancels_is_logged_too(embedded, clock, script, caplog):
    async with hosted(embedded.url, clock) as host, anyio.create_task_group() as tasks:
        tasks.start_soon(host.say)
        script.say("not had")
        await anyio.wait_all_tasks_blocked()
        await received(host, "not had")
        tasks.cancel_scope.cancel()
    (line,) = lost(caplog)
    assert "not had" in line


async def test_a_call_that_was_cancelled_long_before_the_end_is_not_lost(embedded, clock, script, caplog):
    async with hosted(embedded.url, clock) as host:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(host.say)
            script.say("not had")
            await anyio.wait_all_tasks_blocked()
            await received(host, "not had")
            tasks.cancel_scope.cancel()
        clock.advance(60)
    assert lost(caplog) == []
