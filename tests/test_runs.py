"""One chat under way: how often it is sent, to which models, how it ends, and what it is counted for."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import formatdate
from typing import Any

import anyio
import httpx2
import pytest
from conftest import ManualClock, RawHub, RunningSandbox
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from hub_mcp.errors import (
    BadAnswer,
    BadRequest,
    ContextTooLong,
    Forbidden,
    HubFailed,
    ModelNotFound,
    OverBudget,
    RateLimited,
    TimedOut,
    Unreachable,
    WrongEndpoint,
)
from hub_mcp.models import ChatRequest, Model, Pricing
from hub_mcp.runs import Run
from hub_mcp.sandbox.faults import FAULTS
from hub_mcp.spend import Budget, guess_tokens, worst_case
from hub_mcp.upstream import NeverConnected, Upstream

pytestmark = pytest.mark.anyio

KEY = "sk-sandbox"
CHATS = "/v1/chat/completions"
HELLO = ({"role": "user", "content": "Hello there"},)
PRICED = Model("any", max_output=100, context_length=8192, pricing=Pricing(1.0, 10.0))
WORST = worst_case(PRICED, HELLO, {}, None)
ECHO = re.compile(r'sandbox/[\w.-]+: you said "Hello there" \(11 characters\)')


class Waits:
    """In place of sleeping before a chat is sent again: notes for how long, and does not."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await anyio.lowlevel.checkpoint()


async def priced(_: str) -> Model | None:
    return PRICED


class Runs:
    """Makes runs against one hub."""

    def __init__(self, upstream: Upstream, clock: ManualClock) -> None:
        self.upstream = upstream
        self.clock = clock
        self.budget = Budget(None)
        self.waits = Waits()

    def run(
        self,
        model: str,
        *fallbacks: str,
        timeout: float = 10.0,
        ceiling: float | None = None,
        find_model: Callable[[str], Awaitable[Model | None]] = priced,
        **request: Any,
    ) -> Run:
        return Run(
            ChatRequest(model, HELLO, fallback_models=fallbacks, **request),
            model,
            HELLO,
            key=KEY,
            upstream=self.upstream,
            clock=self.clock,
            timeout=timeout,
            ceiling=ceiling,
            budget=self.budget,
            find_model=find_model,
            sleep=self.waits,
        )

    async def over(self, *models: str, **more: Any) -> Run:
        run = self.run(*models, **more)
        with anyio.fail_after(10):
            await run.execute()
        assert run.done.is_set()
        return run

    @property
    def spent(self) -> float:
        return 1000.0 - self.budget.left


@pytest.fixture
async def runs(embedded: RunningSandbox, clock: ManualClock) -> AsyncIterator[Runs]:
    embedded.sandbox.chunk_delay = 0
    # Real sockets, but without the certificates, whose loading takes longer than most tests.
    sockets = httpx2.AsyncHTTPTransport(verify=False)
    async with Upstream((embedded.url,), clock=clock, timeout=5, transport=sockets) as upstream:
        yield Runs(upstream, clock)


@pytest.fixture
def hub(embedded: RunningSandbox) -> Any:
    return embedded.sandbox


def bodies(hub: Any) -> list[dict[str, Any]]:
    return [request.body for request in hub.requests if request.path == CHATS]


def answers(*replies: Response | None) -> Callable[[Request], Awaitable[Response | None]]:
    """These, one after the other; None lets the hub itself answer, as it does when all are used up."""
    left = list(replies)

    async def intercept(request: Request) -> Response | None:
        return left.pop(0) if left and request.url.path == CHATS else None

    return intercept


def refusal(status: int, retry_after: str | None = None, message: str = "not now") -> Response:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return JSONResponse({"error": {"message": message}}, status, headers)


def streaming(*lines: str) -> Response:
    async def body() -> AsyncIterator[bytes]:
        for line in lines:
            yield f"data: {line}\n\n".encode()

    return StreamingResponse(body(), media_type="text/event-stream")


TEXT = '{"choices": [{"index": 0, "delta": {"content": "Hello"}}]}'
END = '{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}'


# -- how often each fault is sent --------------------------------------------------------------------

# What it came to, and how many requests the hub saw.
ENDS: dict[str, tuple[type[Exception] | str, int]] = {
    "sandbox-429": (RateLimited, 3),
    "sandbox-429-once": ("stop", 2),
    "sandbox-429-empty": (RateLimited, 1),
    "sandbox-503": (RateLimited, 1),
    "sandbox-503-once": ("stop", 2),
    "sandbox-slow": ("stop", 1),
    "sandbox-trickle": ("stop", 1),
    "sandbox-burst": ("stop", 1),
    "sandbox-cut": ("incomplete", 1),
    "sandbox-cut-done": ("incomplete", 1),
    "sandbox-midstream-error": ("incomplete", 1),
    "sandbox-html": (BadAnswer, 1),
    "sandbox-html-502": (HubFailed, 1),
    "sandbox-error-200": (HubFailed, 1),
    "sandbox-empty": (BadAnswer, 1),
    "sandbox-no-stream": ("stop", 2),
    "sandbox-no-stream-options": ("stop", 2),
    "sandbox-wrong-endpoint": (WrongEndpoint, 1),
    "sandbox-context": (ContextTooLong, 1),
    "sandbox-quirks": ("stop", 1),
    "sandbox-redirect": (BadAnswer, 1),
    "gpt-4o-mini": ("stop", 1),
    "no-such-model": (ModelNotFound, 1),
}


def test_every_fault_of_the_embedded_hub_has_its_end():
    assert ENDS.keys() >= FAULTS.keys()


@pytest.mark.parametrize("model", ENDS)
async def test_a_chat_is_sent_once_and_again_only_where_that_is_safe(runs, hub, model):
    hub.slow_seconds = hub.trickle_delay = 0
    end, requests = ENDS[model]
    run = await runs.over(model)
    assert hub.count("POST") == requests
    assert hub.count("POST", CHATS) == requests
    if isinstance(end, str):
        assert (run.error, run.reply().finish_reason) == (None, end)
        assert run.reply().text
    else:
        assert type(run.error) is end
        assert run.fold.empty
    assert KEY not in f"{run!r}{run.__dict__['error']}{run.notes}"


async def test_an_answer_that_is_not_whole_says_why_in_the_hubs_words(runs):
    run = await runs.over("sandbox-midstream-error")
    assert run.reply().text == 'sandbox/sandbox-midstream-error: you said "Hello '
    (note,) = run.notes
    assert re.fullmatch(r"The answer is not whole: The hub said: The provider failed \(tid: \d+\)\.", note)


async def test_every_oddity_of_a_stream_is_understood(runs):
    reply = (await runs.over("sandbox-quirks")).reply()
    assert reply.text == 'sandbox/sandbox-quirks: you said "Hello there" (11 characters) – ça va, 你好 🙂'
    assert reply.reasoning == "The user wants an echo, so I echo."
    assert reply.usage is not None
    assert reply.usage.reasoning_tokens == 8


# -- again, after a refusal --------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("named", "seconds"),
    [("0", 0), ("7", 7), ("20", 20), ("1.5", 1.5), (formatdate(1_790_000_009, usegmt=True), 9)],
)
async def test_it_waits_as_long_as_the_hub_names_in_either_form(runs, hub, status, named, seconds):
    hub.intercept = answers(refusal(status, named))
    run = await runs.over("gpt-4o-mini")
    assert run.error is None
    assert runs.waits.seconds == [seconds]
    assert hub.count("POST") == 2


async def test_a_date_that_is_past_means_at_once(runs, hub):
    hub.intercept = answers(refusal(429, "Wed, 21 Oct 2015 07:28:00 GMT"))
    assert (await runs.over("gpt-4o-mini")).error is None
    assert runs.waits.seconds == [0]


@pytest.mark.parametrize("named", [None, "21", "20.5", "soon", "-1", "Tue, 19 Jan 2038 03:14:07 GMT"])
@pytest.mark.parametrize("status", [429, 503])
async def test_it_is_not_sent_again_where_the_hub_names_no_short_wait(runs, hub, status, named):
    hub.intercept = answers(refusal(status, named))
    run = await runs.over("gpt-4o-mini")
    assert isinstance(run.error, RateLimited if status == 429 else HubFailed)
    assert run.error.refused
    assert runs.waits.seconds == []
    assert hub.count("POST") == 1


@pytest.mark.parametrize(
    "response",
    [
        Response("<html>overloaded</html>", 503, {"Retry-After": "1"}, "text/html"),
        Response("", 503, {"Retry-After": "1"}),
        refusal(500, "1"),
        refusal(502, "1"),
        refusal(504, "1"),
        refusal(408, "1"),
        refusal(400, "1"),
        refusal(200, "1", "rate limited"),
        refusal(503, "1", "Incorrect model ID"),
    ],
    ids=["page", "empty", "500", "502", "504", "408", "400", "200", "no such model"],
)
async def test_nothing_else_is_sent_again_whatever_wait_it_names(runs, hub, response):
    hub.intercept = answers(response)
    assert (await runs.over("gpt-4o-mini")).error is not None
    assert hub.count("POST") == 1


async def test_it_is_sent_three_times_at_most_and_its_last_refusal_is_the_error(runs, hub):
    hub.intercept = answers(*(refusal(429, "1", f"no {number}") for number in range(5)))
    run = await runs.over("gpt-4o-mini")
    assert "no 2" in str(run.error)
    assert (hub.count("POST"), len(runs.waits.seconds)) == (3, 2)


async def test_a_chat_that_is_stopped_while_it_waits_is_not_sent_again(runs, hub):
    """Nobody is there any more to have the answer that would be paid."""
    waiting = anyio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await anyio.sleep_forever()

    hub.intercept = answers(refusal(429, "10"))
    runs.waits = sleep
    run = runs.run("gpt-4o-mini")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.execute)
        with anyio.fail_after(5):
            await waiting.wait()
        run.stop()
        with anyio.fail_after(5):
            await run.done.wait()
    assert hub.count("POST") == 1
    assert run.stopped is not None
    assert isinstance(run.error, Unreachable)
    assert "billed" not in str(run.error)


# -- again, without a stream -------------------------------------------------------------------------


async def test_a_stream_with_usage_is_asked_for(runs, hub):
    await runs.over("gpt-4o-mini", options={"seed": 7})
    (body,) = bodies(hub)
    assert (body["stream"], body["stream_options"], body["seed"]) == (True, {"include_usage": True}, 7)


async def test_only_the_field_that_is_refused_is_left_out(runs, hub):
    run = await runs.over("sandbox-no-stream-options")
    assert ECHO.fullmatch(run.reply().text)
    assert run.reply().usage is None
    first, second = bodies(hub)
    assert second == {name: value for name, value in first.items() if name != "stream_options"}


async def test_a_hub_that_does_not_stream_answers_whole(runs, hub):
    run = await runs.over("sandbox-no-stream")
    assert ECHO.fullmatch(run.reply().text)
    assert run.reply().usage is not None
    assert "stream" not in bodies(hub)[1]
    assert "stream_options" not in bodies(hub)[1]


@pytest.mark.parametrize(
    ("status", "message", "requests"),
    [
        (400, "Streaming is not supported by this model", 2),
        (400, "Unrecognized request argument supplied: stream_options", 2),
        (400, "temperature is out of range", 1),
        (400, "The upstream rejected it", 1),
        (422, "stream is not supported", 1),
        (500, "stream is not supported", 1),
    ],
)
async def test_only_a_400_that_names_the_stream_is_answered_with_a_plainer_request(
    runs, hub, status, message, requests
):
    hub.intercept = answers(refusal(status, message=message))
    run = await runs.over("gpt-4o-mini")
    assert hub.count("POST") == requests
    assert (run.error is None) is (requests == 2)


async def test_a_plainer_request_is_sent_once_only(runs, hub):
    hub.intercept = answers(
        *[refusal(400, message="stream_options: no"), refusal(400, message="stream: no")] * 2
    )
    run = await runs.over("gpt-4o-mini")
    assert isinstance(run.error, BadRequest)
    assert hub.count("POST") == 2


# -- other models ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [
        refusal(429),
        refusal(429, "0"),
        refusal(429, "3600"),
        refusal(503, "60"),
        refusal(404, message="model not found"),
    ],
    ids=["429", "429 now", "429 in an hour", "503", "no such model"],
)
async def test_another_model_is_asked_after_a_refusal_whatever_wait_it_names(runs, hub, first):
    hub.intercept = answers(first)
    run = await runs.over("claude-sonnet-5", "gpt-4o-mini")
    assert [body["model"] for body in bodies(hub)] == ["claude-sonnet-5", "gpt-4o-mini"]
    assert (run.model, run.reply().model) == ("gpt-4o-mini", "gpt-4o-mini")
    assert runs.waits.seconds == []
    (note,) = run.notes
    assert re.fullmatch(
        r"claude-sonnet-5 was tried first and refused \((rate_limited|hub_failed|model_not_found)\)\.", note
    )


@pytest.mark.parametrize(
    "response",
    [
        refusal(500),
        refusal(502),
        refusal(400),
        refusal(401),
        refusal(403),
        Response("", 503),
        refusal(200),
        streaming('{"error": {"message": "oops", "code": 429}}'),
        streaming(TEXT, '{"error": {"message": "model not found", "code": "model_not_found"}}'),
        streaming(TEXT),
        streaming(END),
    ],
    ids=["500", "502", "400", "401", "403", "503 empty", "200", "429 inside", "model lost", "cut", "empty"],
)
async def test_no_other_model_is_asked_after_what_may_have_been_billed_or_helps_nowhere(runs, hub, response):
    hub.intercept = answers(response)
    run = await runs.over("claude-sonnet-5", "gpt-4o-mini")
    assert hub.count("POST") == 1
    assert run.model == "claude-sonnet-5"


async def test_the_last_model_is_sent_again_as_an_only_one_would_be(runs, hub):
    hub.intercept = answers(refusal(429, "5"), refusal(429, "6"))
    run = await runs.over("claude-sonnet-5", "gpt-4o-mini")
    assert [body["model"] for body in bodies(hub)] == ["claude-sonnet-5", "gpt-4o-mini", "gpt-4o-mini"]
    assert runs.waits.seconds == [6]
    assert run.error is None


async def test_a_model_that_is_named_twice_is_asked_once(runs, hub):
    hub.intercept = answers(refusal(429), refusal(429), refusal(429))
    await runs.over("claude-sonnet-5", "gpt-4o-mini", "claude-sonnet-5", "gpt-4o-mini")
    assert [body["model"] for body in bodies(hub)] == ["claude-sonnet-5", "gpt-4o-mini"]


async def test_when_every_model_refuses_the_error_tells_what_was_tried(runs, hub):
    run = await runs.over("sandbox-429-empty", "sandbox-503")
    assert isinstance(run.error, RateLimited)
    assert run.error.status == 503
    assert "sandbox-429-empty was tried first and refused (rate_limited)." in str(run.error)


async def test_an_answer_of_another_model_that_breaks_is_that_models(runs, hub):
    run = await runs.over("sandbox-503", "sandbox-cut")
    assert (run.model, run.reply().model, run.reply().finish_reason) == (
        "sandbox-cut",
        "sandbox-cut",
        "incomplete",
    )
    assert len(run.notes) == 2


# -- the end -----------------------------------------------------------------------------------------


async def test_the_time_out_is_for_all_of_a_chat_and_keeps_what_came(runs, hub):
    hung_up = anyio.Event()

    async def fall_silent() -> AsyncIterator[bytes]:
        yield f"data: {TEXT}\n\n".encode()
        try:
            await anyio.sleep_forever()
        finally:
            hung_up.set()

    hub.intercept = answers(StreamingResponse(fall_silent(), media_type="text/event-stream"))
    run = await runs.over("gpt-4o-mini", timeout=0.5)
    assert (run.reply().text, run.reply().finish_reason) == ("Hello", "incomplete")
    assert run.notes == ["The answer is not whole: The answer took longer than 0.5 s."]
    with anyio.fail_after(1):
        await hung_up.wait()


async def test_a_time_out_before_anything_came_is_an_error_that_warns_of_the_bill(runs, hub):
    run = await runs.over("sandbox-slow", timeout=0.1)
    assert isinstance(run.error, TimedOut)
    assert "HUB_MCP_CHAT_TIMEOUT" in str(run.error)
    assert "may have been billed" in str(run.error)


async def test_the_time_out_holds_while_it_waits_to_send_again(runs, hub):
    runs.waits = anyio.sleep
    hub.intercept = answers(refusal(429, "20"))
    run = await runs.over("gpt-4o-mini", timeout=0.1)
    assert isinstance(run.error, TimedOut)
    assert "billed" not in str(run.error)
    assert hub.count("POST") == 1


@pytest.mark.parametrize(
    "after", [b"", b": PING\n\n", b"data: {broken\n\n", b'data: {"error": {"message": "late"}}\n\n']
)
async def test_an_answer_that_is_whole_stays_whole_whatever_goes_wrong_behind_it(runs, hub, after):
    async def body() -> AsyncIterator[bytes]:
        yield f"data: {TEXT}\n\ndata: {END}\n\n".encode() + after

    hub.intercept = answers(StreamingResponse(body(), media_type="text/event-stream"))
    run = await runs.over("gpt-4o-mini")
    assert (run.error, run.notes) == (None, [])
    assert (run.reply().text, run.reply().finish_reason) == ("Hello", "stop")


async def test_thoughts_alone_are_no_answer(runs, hub):
    thought = '{"choices": [{"index": 0, "delta": {"reasoning_content": "Hm."}}]}'
    hub.intercept = answers(streaming(thought, "[DONE]"))
    run = await runs.over("gpt-4o-mini")
    assert isinstance(run.error, HubFailed)
    assert "ended before the answer did" in str(run.error)


async def test_a_stopped_chat_hangs_up_and_keeps_what_came(runs, hub):
    hub.trickle_delay = 0.01
    run = runs.run("sandbox-trickle")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.execute)
        with anyio.fail_after(5):
            while run.fold.empty:
                await run.news()
            run.stop()
            await run.done.wait()
            await hub.chats[-1].disconnected.wait()
    assert run.error is None
    assert run.reply().finish_reason == "incomplete"
    assert "The chat was stopped." in run.notes[-1]


async def test_a_chat_that_is_stopped_before_it_began_is_not_sent(runs, hub):
    run = runs.run("gpt-4o-mini")
    run.stop()
    await run.execute()
    assert hub.count("POST") == 0
    assert isinstance(run.error, Unreachable)


async def test_the_seconds_stand_still_when_the_answer_is_over(runs, clock):
    run = await runs.over("gpt-4o-mini")
    clock.advance(100)
    assert run.reply().seconds == 0


async def test_a_bug_of_ours_is_logged_and_shows_nothing_of_its_inside(runs, caplog):
    async def find(_: str) -> Model | None:
        raise KeyError("inside")

    run = await runs.over("gpt-4o-mini", find_model=find, max_cost=1.0)
    assert isinstance(run.error, HubFailed)
    assert "hub-mcp itself failed" in str(run.error)
    assert "inside" not in str(run.error)
    assert "KeyError" in caplog.text
    assert KEY not in caplog.text


async def test_what_was_asked_is_not_kept_when_it_is_over(runs):
    run = await runs.over("sandbox-no-stream-options")
    run.forget_question()
    assert (run.messages, run.request.messages) == ((), ())
    assert run.guess.input_tokens > 0
    assert run.guess.output_tokens > 0


# -- what is happening -------------------------------------------------------------------------------


async def test_the_phases_of_a_chat_are_waiting_thinking_and_tokens(runs, hub):
    hub.chunk_delay = 0.005
    run = runs.run("claude-sonnet-4-5")
    phases = [run.phase]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.execute)
        while not run.done.is_set():
            await run.news()
            phases.append(run.phase)
    assert phases[0] == "waiting"
    assert list(dict.fromkeys(phases))[:2] == ["waiting", "thinking"]
    assert phases[-1] == f"{guess_tokens(len(run.reply().text))} tokens"


# -- ceilings and the budget -------------------------------------------------------------------------


async def never_asked(_: str) -> Model | None:
    raise AssertionError("nobody needs the catalog here")


async def unknown(_: str) -> Model | None:
    return None


async def test_without_a_ceiling_nobody_asks_for_prices(runs):
    assert (await runs.over("gpt-4o-mini", find_model=never_asked)).error is None


@pytest.mark.parametrize(
    ("ceilings", "named"),
    [({"max_cost": WORST / 2}, "max_cost"), ({"ceiling": WORST / 2}, "HUB_MCP_MAX_COST")],
)
async def test_a_chat_that_may_cost_more_than_a_ceiling_is_refused_unsent(runs, hub, ceilings, named):
    run = await runs.over("gpt-4o-mini", **ceilings)
    assert isinstance(run.error, OverBudget)
    assert named in str(run.error)
    assert hub.count("POST") == 0


@pytest.mark.parametrize("ceilings", [{"max_cost": 1.0}, {"ceiling": 1.0}, {"max_cost": 1.0, "ceiling": 1.0}])
async def test_a_chat_below_its_ceilings_is_sent_and_one_of_unknown_price_is_not(runs, hub, ceilings):
    assert (await runs.over("gpt-4o-mini", **ceilings)).error is None
    assert hub.count("POST") == 1
    assert isinstance((await runs.over("gpt-4o-mini", find_model=unknown, **ceilings)).error, OverBudget)
    assert hub.count("POST") == 1


async def test_every_model_that_is_tried_must_fit_the_ceiling(runs, hub):
    async def find(model: str) -> Model | None:
        return PRICED if model == "sandbox-503" else None

    run = await runs.over("sandbox-503", "gpt-4o-mini", max_cost=1.0, find_model=find)
    assert isinstance(run.error, OverBudget)
    assert "sandbox-503 was tried first" in str(run.error)
    assert hub.count("POST") == 1


async def test_ten_chats_at_once_cannot_overspend(runs, hub):
    hub.chunk_delay = 0.01
    runs.budget = Budget(3.5 * WORST)
    at_once = [runs.run("gpt-4o-mini") for _ in range(10)]
    async with anyio.create_task_group() as tasks:
        for run in at_once:
            tasks.start_soon(run.execute)
    refused = [run.error for run in at_once if run.error is not None]
    assert hub.count("POST") == 3
    assert len(refused) == 7
    assert all(isinstance(error, OverBudget) for error in refused)
    assert runs.budget.left > 3 * WORST


async def test_a_finished_chat_is_counted_with_what_the_hub_says(runs):
    runs.budget = Budget(1000.0)
    run = await runs.over("gpt-4o-mini")
    usage = run.reply().usage
    assert usage is not None
    assert runs.spent == pytest.approx((usage.input_tokens + 10 * usage.output_tokens) / 1e6, abs=1e-12)
    assert 0 < runs.spent < WORST


async def test_a_finished_chat_of_a_hub_that_counts_nothing_is_counted_with_the_most_it_can_be(runs, hub):
    runs.budget = Budget(1000.0)
    run = await runs.over("sandbox-no-stream-options")
    said = len(run.reply().text.encode())
    assert runs.spent == pytest.approx(min(WORST, (WORST - 100 * 10 / 1e6) + said * 10 / 1e6), abs=1e-10)


async def test_a_film_that_nobody_can_count_does_not_spoil_the_answer_where_input_is_free(runs, hub):
    async def free_input(_: str) -> Model:
        return Model("any", max_output=100, pricing=Pricing(0.0, 10.0))

    runs.budget = Budget(1000.0)
    run = runs.run("sandbox-no-stream-options", find_model=free_input)
    run.messages = (
        {"role": "user", "content": [{"type": "video_url", "video_url": {"url": "https://x/y"}}]},
    )
    await run.execute()
    assert (run.error, run.notes) == (None, [])
    assert 0 < runs.spent < 0.001


@pytest.mark.parametrize(
    "model",
    [
        "sandbox-429-empty",
        "sandbox-503",
        "no-such-model",
        "sandbox-wrong-endpoint",
        "sandbox-context",
        "sandbox-redirect",
    ],
)
async def test_a_chat_that_was_turned_away_is_counted_with_nothing(runs, model):
    runs.budget = Budget(1000.0)
    assert (await runs.over(model)).error is not None
    assert runs.spent == 0


@pytest.mark.parametrize("status", [401, 402, 403, 404, 413, 422])
async def test_a_refusal_of_the_caller_is_counted_with_nothing(runs, hub, status):
    runs.budget = Budget(1000.0)
    hub.intercept = answers(refusal(status))
    assert (await runs.over("gpt-4o-mini")).error is not None
    assert runs.spent == 0


async def test_a_chat_that_never_reached_a_hub_is_counted_with_nothing(clock):
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    async with Upstream(
        ("https://hub",), clock=clock, timeout=5, transport=httpx2.MockTransport(refuse)
    ) as upstream:
        runs = Runs(upstream, clock)
        runs.budget = Budget(1000.0)
        run = await runs.over("gpt-4o-mini")
    assert isinstance(run.error, NeverConnected)
    assert "billed" not in str(run.error)
    assert runs.spent == 0


@pytest.mark.parametrize(
    "model",
    ["sandbox-cut", "sandbox-cut-done", "sandbox-midstream-error", "sandbox-html", "sandbox-html-502"],
)
async def test_a_chat_that_was_cut_short_is_counted_with_its_worst_case(runs, model):
    """How much was generated, and thought, nobody knows; the ceiling holds all the same."""
    runs.budget = Budget(1000.0)
    run = await runs.over(model)
    assert runs.spent == pytest.approx(WORST, abs=1e-10)
    told = f"{run.error}{run.notes}"
    assert f"The budget counts it with ${WORST:f}" in told


@pytest.mark.parametrize(
    "response",
    [refusal(408), refusal(500), streaming(TEXT, '{"error": {"message": "slow down", "code": 429}}')],
    ids=["408", "500", "429 inside"],
)
async def test_a_failure_behind_which_a_model_may_have_worked_is_counted_with_the_worst_case(
    runs, hub, response
):
    runs.budget = Budget(1000.0)
    hub.intercept = answers(response)
    await runs.over("gpt-4o-mini")
    assert runs.spent == pytest.approx(WORST, abs=1e-10)


@pytest.mark.parametrize("code", [401, 403, 429, "model_not_found"])
async def test_a_refusal_under_200_before_anything_came_is_counted_with_nothing(runs, hub, code):
    runs.budget = Budget(1000.0)
    hub.intercept = answers(streaming(f'{{"error": {{"message": "no", "code": {json.dumps(code)}}}}}'))
    assert (await runs.over("gpt-4o-mini")).error is not None
    assert runs.spent == 0


async def test_a_chat_that_ran_out_of_time_before_its_first_byte_is_counted_with_its_worst_case(runs, hub):
    runs.budget = Budget(1000.0)
    assert (await runs.over("sandbox-slow", timeout=0.1)).error is not None
    assert runs.spent == pytest.approx(WORST, abs=1e-10)


async def test_a_stopped_chat_is_counted_with_its_worst_case(runs, hub):
    runs.budget = Budget(1000.0)
    run = runs.run("sandbox-trickle")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.execute)
        with anyio.fail_after(5):
            while run.fold.empty:
                await run.news()
        run.stop()
    assert runs.spent == pytest.approx(WORST, abs=1e-10)


async def test_of_several_models_each_is_counted_for_itself(runs, hub):
    runs.budget = Budget(1000.0)
    run = await runs.over("sandbox-503", "sandbox-429-empty", "gpt-4o-mini")
    usage = run.reply().usage
    assert usage is not None
    assert runs.spent == pytest.approx((usage.input_tokens + 10 * usage.output_tokens) / 1e6, abs=1e-12)


async def test_a_chat_for_which_nothing_is_left_is_refused_unsent(runs, hub):
    runs.budget = Budget(WORST * 0.9)
    run = await runs.over("gpt-4o-mini")
    assert isinstance(run.error, OverBudget)
    assert "HUB_MCP_BUDGET" in str(run.error)
    assert hub.count("POST") == 0
    assert runs.budget.left == WORST * 0.9


# -- both base URLs ----------------------------------------------------------------------------------


async def test_a_refusal_is_not_taken_to_the_next_base_url(embedded, raw_hub, clock):
    other: RawHub = await raw_hub(b"")
    async with Upstream((embedded.url, other.url), clock=clock, timeout=5) as upstream:
        run = await Runs(upstream, clock).over("sandbox-wrong-endpoint")
    assert isinstance(run.error, WrongEndpoint)
    assert other.requests == []


async def test_a_key_that_may_not_is_an_error_of_its_own(runs, hub):
    hub.intercept = answers(refusal(403, message="This key may not use it"))
    assert isinstance((await runs.over("gpt-4o-mini")).error, Forbidden)
