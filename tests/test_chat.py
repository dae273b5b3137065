"""Events -> deltas -> reply: raw bytes go through the real HTTP client and its event parser."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import anyio
import httpx2
import pytest
from conftest import ManualClock, RawHub
from hypothesis import given
from hypothesis import strategies as st

from hub_mcp.chat import Fold, ask
from hub_mcp.clock import Stamp
from hub_mcp.errors import (
    AuthFailed,
    BadAnswer,
    BadRequest,
    HubError,
    HubFailed,
    PaymentRequired,
    RateLimited,
    TimedOut,
    Unreachable,
)
from hub_mcp.models import ChatDelta, ChatReply, ToolCallPart, Usage
from hub_mcp.upstream import MAX_BYTES, NeverConnected, Upstream

pytestmark = pytest.mark.anyio

KEY = "sk-never-to-be-seen"
NOW = Stamp(0.0, 0.0)
STREAM = "text/event-stream"
DONE = "data: [DONE]\n\n"


# -- raw bytes ---------------------------------------------------------------------------------------


class Bytes(httpx2.AsyncByteStream):
    """A body that arrives in these pieces, and then ends or breaks."""

    def __init__(self, pieces: Iterable[bytes], error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed = True


def network(
    body: Bytes | bytes, content_type: str | None = STREAM, status: int = 200, **headers: str
) -> httpx2.MockTransport:
    """A hub that answers every request so."""

    def answer(_: httpx2.Request) -> httpx2.Response:
        given = headers if content_type is None else {"content-type": content_type, **headers}
        stream = body if isinstance(body, Bytes) else Bytes([body])
        return httpx2.Response(status, headers=given, stream=stream)

    return httpx2.MockTransport(answer)


async def deltas(transport: httpx2.AsyncBaseTransport, *, fold: Fold | None = None) -> Fold:
    """What one chat brings; the deltas that came before an error are in `fold`."""
    fold = fold or Fold("asked", NOW)
    clock = ManualClock()
    async with Upstream(("https://hub",), clock=clock, timeout=5, transport=transport) as upstream:
        await ask(upstream, {"model": "m", "stream": True}, KEY, lambda delta: fold.add(delta, NOW))
    return fold


async def folded(body: Bytes | bytes, content_type: str | None = STREAM, **headers: str) -> ChatReply:
    fold = await deltas(network(body, content_type, **headers))
    return fold.reply(NOW, fold.finish_reason or "none")


async def broken(body: Bytes | bytes, content_type: str = STREAM, status: int = 200) -> tuple[HubError, str]:
    """The error, and the text that came before it."""
    fold = Fold("asked", NOW)
    with pytest.raises(HubError) as caught:
        await deltas(network(body, content_type, status), fold=fold)
    assert KEY not in str(caught.value)
    return caught.value, fold.reply(NOW, "").text


def said(text: str = "", **more: Any) -> dict[str, Any]:
    """One chunk."""
    finish = more.pop("finish_reason", None)
    return {"choices": [{"index": 0, "delta": {"content": text, **more}, "finish_reason": finish}]}


def events(*chunks: Any, end: str = DONE) -> bytes:
    return ("".join(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks) + end).encode()


END = said(finish_reason="stop")


# -- a law: chunk boundaries do not matter -----------------------------------------------------------

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "index": st.integers(0, 2),
            "function": st.fixed_dictionaries({"arguments": WORDS}, optional={"name": st.just("f")}),
        }
    ),
    max_size=2,
)
DELTAS = st.fixed_dictionaries(
    {},
    optional={
        "content": WORDS,
        "reasoning_content": WORDS,
        "tool_calls": CALLS,
        "role": st.just("assistant"),
    },
)
NOISE = st.sampled_from(
    ["", ": PING\n\n", ":\n", "data:\n\n", "data: \n\n", "event: ping\ndata: {}\n\n", "retry: 3\n"]
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[dict[str, Any]], bytes, list[int]]:
    """Some deltas, a legal event stream that says them, and where it is torn."""
    parts = draw(st.lists(DELTAS, max_size=8))
    ascii_only, gap = draw(st.booleans()), draw(st.sampled_from(["", " "]))
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    written = draw(st.sampled_from(["", "\ufeff"]))
    for delta in parts:
        payload = json.dumps({"choices": [{"index": 0, "delta": delta}]}, ensure_ascii=ascii_only)
        written += draw(NOISE) + f"data:{gap}{payload}\n\n"
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    tail = events(END, {"choices": [], "usage": usage}, end=draw(st.sampled_from([DONE, ""])))
    body = (written + tail.decode()).replace("\n", newline).encode()
    return parts, body, draw(st.lists(st.integers(0, len(body)), max_size=6))


def joined(parts: Sequence[dict[str, Any]], field: str) -> str:
    return "".join(part.get(field, "") for part in parts)


@given(streams())
def test_an_answer_does_not_depend_on_where_its_bytes_are_torn(stream):
    parts, body, cuts = stream
    edges = [0, *sorted(cuts), len(body)]
    torn = [body[start:end] for start, end in pairwise(edges)]
    whole, in_pieces, byte_by_byte = (
        anyio.run(folded, Bytes(pieces)) for pieces in ([body], torn, [bytes([byte]) for byte in body])
    )
    assert whole == in_pieces == byte_by_byte
    assert (whole.text, whole.reasoning) == (joined(parts, "content"), joined(parts, "reasoning_content"))
    assert (whole.finish_reason, whole.usage) == ("stop", Usage(3, 4))
    arguments = {
        index: "".join(
            call["function"]["arguments"]
            for part in parts
            for call in part.get("tool_calls", ())
            if call["index"] == index
        )
        for index in range(3)
    }
    found = [call["function"]["arguments"] for call in whole.tool_calls]
    began = {call["index"] for part in parts for call in part.get("tool_calls", ())}
    assert sorted(found) == sorted(arguments[index] for index in began)


# -- streams -----------------------------------------------------------------------------------------


async def test_a_stream_is_read_up_to_done_and_closed(clock):
    body = Bytes([events(said("Hello"), END), events(said(" again"))])
    assert (await folded(body)).text == "Hello"
    assert body.closed


@pytest.mark.parametrize(
    "content_type",
    [
        STREAM,
        "text/event-stream; charset=utf-8",
        "Text/Event-Stream;charset=ISO-8859-1",
        "text/event-stream ; x=y",
    ],
)
async def test_a_stream_is_utf_8_whatever_its_headers_say(content_type):
    assert (await folded(events(said("ça va 你好 🙂"), END), content_type)).text == "ça va 你好 🙂"


@pytest.mark.parametrize("ending", ["", DONE, "data: [DONE]", "data:[DONE]\n\n", "data:  [DONE] \n\n"])
async def test_a_stream_may_end_without_done(ending):
    assert (await folded(events(said("Hello"), END, end=ending))).finish_reason == "stop"


async def test_a_character_torn_into_two_escapes_in_two_events_is_joined():
    halves = [
        b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % half for half in (rb"a\ud83d", rb"\ude42b")
    ]
    reply = await folded(Bytes([*halves, events(END)]))
    assert reply.text == "a🙂b"


async def test_the_usage_may_come_with_the_end_behind_it_or_in_every_event():
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    behind = events(said("Hi"), END, {"choices": [], "usage": usage})
    with_it = events(said("Hi"), {**END, "usage": usage})
    growing = events({**said("Hi"), "usage": {**usage, "completion_tokens": 1}}, {**END, "usage": usage})
    nulls = events({**said("Hi"), "usage": None}, {**END, "usage": usage}, {"choices": [], "usage": None})
    for body in (behind, with_it, growing, nulls):
        reply = await folded(body)
        assert (reply.text, reply.usage) == ("Hi", Usage(3, 4))


async def test_a_null_delta_and_an_empty_answer_are_nothing():
    chunk = {"choices": [{"index": 0, "delta": None, "finish_reason": None}]}
    reply = await folded(events(chunk, {**chunk, "error": None}, END))
    assert (reply.text, reply.finish_reason) == ("", "stop")


# -- errors in the middle ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "The provider failed", "code": "upstream_error"}, HubFailed),
        ({"message": "The provider failed", "code": 502, "type": ""}, HubFailed),
        ("The provider failed", HubFailed),
        ({"message": "slow down", "code": 429}, RateLimited),
        ({"message": "insufficient balance"}, PaymentRequired),
        ({"code": None}, HubFailed),
    ],
)
async def test_an_error_in_the_middle_ends_the_stream_and_keeps_what_came(error, kind):
    caught, text = await broken(events(said("Hel"), said("lo"), {"error": error}, said("never")))
    assert type(caught) is kind
    assert not caught.refused, "what began to answer must never be sent again"
    assert text == "Hello"


@pytest.mark.parametrize("junk", ["{", "null]", '{"choices": [}', "<html>", "Internal Server Error"])
async def test_an_event_that_is_no_json_ends_the_stream_and_keeps_what_came(junk):
    caught, text = await broken(events(said("Hello"), end=f"data: {junk}\n\n{DONE}"))
    assert isinstance(caught, BadAnswer)
    assert text == "Hello"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx2.RemoteProtocolError("peer closed connection"), Unreachable),
        (httpx2.ReadError("reset"), Unreachable),
        (httpx2.ReadTimeout("idle"), TimedOut),
        (httpx2.DecodingError("bad gzip"), BadAnswer),
    ],
)
async def test_a_stream_that_breaks_keeps_what_came(error, kind):
    caught, text = await broken(Bytes([events(said("Hello"), end="")], error))
    assert type(caught) is kind
    assert text == "Hello"


async def test_a_hub_that_repeats_the_key_does_not_make_us_repeat_it():
    caught, _ = await broken(events({"error": {"message": f"no access for {KEY} there"}}))
    assert "no access for [key] there" in str(caught)


@pytest.mark.parametrize("size", [MAX_BYTES // 8, 2 * MAX_BYTES])
async def test_a_stream_that_is_too_large_is_refused_while_it_is_read(size):
    """As many events, or as one that never ends; in either case not more than it takes to know."""
    sent = 0

    def pieces() -> Iterable[bytes]:
        nonlocal sent
        event = events(said("x" * size), end="")
        for _ in range(50):
            for start in range(0, len(event), 65536):
                sent += 65536
                yield event[start : start + 65536]

    caught, text = await broken(Bytes(pieces()))
    assert isinstance(caught, BadAnswer)
    assert sent < MAX_BYTES * 1.3
    assert len(text) <= MAX_BYTES


async def test_a_body_that_is_compressed_twice_is_refused_unread():
    body = Bytes([b"never read"])
    for content_type in (STREAM, "application/json"):
        transport = network(body, content_type, **{"content-encoding": "gzip, gzip"})
        with pytest.raises(BadAnswer, match="compressed more than once"):
            await deltas(transport)


# -- whole answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", None, "application/json; charset=utf-8"]
)
async def test_a_whole_answer_is_read_although_a_stream_was_asked_for(content_type):
    answer = {
        "id": "r",
        "model": "m-2",
        "choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    }
    reply = await folded(json.dumps(answer).encode(), content_type)
    assert (reply.text, reply.finish_reason, reply.model) == ("Hello", "stop", "m-2")
    assert (reply.usage, reply.request_id) == (Usage(1, 2), "r")


@pytest.mark.parametrize("body", [{}, [], None, {"choices": []}, {"choices": [{}]}, {"id": "r", "usage": {}}])
async def test_a_whole_answer_without_choices_is_none(body):
    caught, _ = await broken(json.dumps(body).encode(), "application/json")
    assert isinstance(caught, BadAnswer)
    assert "holds no choices" in str(caught)


@pytest.mark.parametrize(
    ("body", "what"),
    [(b"<!DOCTYPE html><html>", "an HTML page"), (b"", "an empty body"), (b"oops", "no JSON")],
)
async def test_a_page_instead_of_an_answer_is_named_for_what_it_is(body, what):
    caught, _ = await broken(body, "text/html")
    assert isinstance(caught, BadAnswer)
    assert what in str(caught)
    assert "HUB_MCP_BASE_URL" in str(caught)


@pytest.mark.parametrize("error", ["the model is down", {"message": "the model is down", "code": 500}])
async def test_an_error_under_200_is_an_error(error):
    caught, _ = await broken(json.dumps({"error": error}).encode(), "application/json")
    assert type(caught) is HubFailed
    assert "the model is down" in str(caught)


async def test_a_refusal_is_read_also_where_it_calls_itself_a_stream():
    caught, _ = await broken(b'{"error": {"message": "no"}}', STREAM, status=401)
    assert isinstance(caught, AuthFailed)


async def test_a_redirect_is_not_followed():
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(307, headers={"location": "https://elsewhere/v1/chat/completions"})

    with pytest.raises(BadAnswer, match="307"):
        await deltas(httpx2.MockTransport(answer))
    assert asked == ["https://hub/v1/chat/completions"]


# -- tool calls --------------------------------------------------------------------------------------


def call(index: int, name: str = "", arguments: str = "", id_: str = "") -> ToolCallPart:
    return ToolCallPart(index, id_, name, arguments)


def called(*parts: ToolCallPart) -> list[tuple[str, str, str]]:
    fold = Fold("m", NOW)
    for part in parts:
        fold.add(ChatDelta(tool_calls=(part,)), NOW)
    calls = fold.reply(NOW, "tool_calls").tool_calls
    assert all(each["type"] == "function" for each in calls)
    return [(each["id"], each["function"]["name"], each["function"]["arguments"]) for each in calls]


def test_tool_calls_are_put_together_from_fragments_that_may_alternate():
    assert called(
        call(0, "f", "", "a"), call(1, "g", "{", "b"), call(0, arguments='{"x"'), call(1, arguments="}"),
        call(0, arguments=":1}"),
    ) == [("a", "f", '{"x":1}'), ("b", "g", "{}")]  # fmt: skip


def test_a_hub_that_repeats_the_id_means_the_same_call():
    assert called(call(0, "f", "{", "a"), call(0, "f", "}", "a"), call(0, "", "", "a")) == [("a", "f", "{}")]


def test_a_hub_that_numbers_every_call_0_means_several():
    assert called(call(0, "f", "{}", "a"), call(0, "f", "{}", "b")) == [("a", "f", "{}"), ("b", "f", "{}")]


def test_a_fragment_with_another_id_but_without_a_name_belongs_to_the_call_before():
    assert called(call(0, "f", "{", "a"), call(0, "", "}", "b")) == [("a", "f", "{}")]


# -- the reply ---------------------------------------------------------------------------------------


def test_times_are_counted_from_sending_and_the_first_token_may_be_a_thought():
    fold = Fold("m", Stamp(10.0, 100.0))
    assert fold.reply(Stamp(11.0, 101.0), "").first_token_seconds == 1.0
    assert (fold.empty, fold.untouched) == (True, True)
    fold.add(ChatDelta(model="m-2", request_id="r"), Stamp(11.0, 101.0))
    assert fold.untouched
    fold.add(ChatDelta(reasoning="Hm."), Stamp(12.0, 102.0))
    assert (fold.empty, fold.untouched) == (True, False)
    fold.add(ChatDelta(text="Hello", request_id="other"), Stamp(13.0, 103.0))
    assert (fold.empty, fold.untouched) == (False, False)
    reply = fold.reply(Stamp(14.0, 104.0), "stop")
    assert (reply.first_token_seconds, reply.seconds) == (2.0, 4.0)
    assert (reply.model, reply.request_id) == ("m-2", "r")


def test_a_tool_call_is_an_answer_too():
    fold = Fold("m", NOW)
    fold.add(ChatDelta(tool_calls=(call(0, "f"),)), NOW)
    assert not fold.empty


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A loopback port that refuses connections for as long as the test lasts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


# -- sockets -----------------------------------------------------------------------------------------

StartHub = Callable[..., Any]


@pytest.fixture
async def upstream_at(clock):
    """An Upstream at the given base URLs and with real sockets."""
    async with anyio.create_task_group() as tasks:
        opened: list[Upstream] = []

        def open_at(*urls: str, **more: Any) -> Upstream:
            sockets = httpx2.AsyncHTTPTransport(verify=False)  # without the certificates, which load slowly
            opened.append(Upstream(urls, clock=clock, timeout=5, **{"transport": sockets, **more}))
            return opened[-1]

        with anyio.fail_after(15):
            yield open_at
        for upstream in opened:
            await upstream.__aexit__(None, None, None)
        tasks.cancel_scope.cancel()


async def asked_of(upstream: Upstream, **body: Any) -> ChatReply:
    fold = Fold("asked", NOW)
    await ask(upstream, {"model": "m", "stream": True, **body}, KEY, lambda delta: fold.add(delta, NOW))
    return fold.reply(NOW, fold.finish_reason or "none")


async def test_an_answer_may_end_with_its_connection_as_in_http_1_0(raw_hub: StartHub, upstream_at):
    head = b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    hub: RawHub = await raw_hub(head + events(said("Hello"), END, end=""))
    reply = await asked_of(upstream_at(hub.url))
    assert (reply.text, reply.finish_reason) == ("Hello", "stop")


async def test_a_connection_that_is_closed_without_an_answer_is_an_error_and_nothing_is_sent_again(
    raw_hub: StartHub, upstream_at
):
    hub, other = await raw_hub(b""), await raw_hub(b"")
    with pytest.raises(Unreachable, match="broke") as caught:
        await asked_of(upstream_at(hub.url, other.url))
    assert not isinstance(caught.value, NeverConnected)
    assert (len(hub.requests), len(other.requests)) == (1, 0)


class Reused:
    """A hub that answers the first chat of a connection, keeps it open, and hangs up on the second."""

    def __init__(self) -> None:
        self.chats = 0

    async def listen(self, listener: Any) -> None:
        async with listener:
            await listener.serve(self.serve)

    async def serve(self, stream: Any) -> None:
        async with stream:
            body = json.dumps({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            await stream.receive()
            self.chats += 1
            await stream.send(head.encode() + body)
            await stream.receive()
            self.chats += 1


async def test_a_hub_that_closes_a_kept_connection_just_as_a_chat_is_sent_gets_it_once(upstream_at):
    hub = Reused()
    async with anyio.create_task_group() as tasks:
        (listener,) = (await anyio.create_tcp_listener(local_host="127.0.0.1")).listeners
        tasks.start_soon(hub.listen, listener)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        upstream = upstream_at(f"http://127.0.0.1:{port}")
        assert (await asked_of(upstream)).text == "Hi"
        with pytest.raises(Unreachable, match="broke") as caught:
            await asked_of(upstream)
        assert not isinstance(caught.value, NeverConnected)
        tasks.cancel_scope.cancel()
    assert hub.chats == 2


async def test_a_chat_goes_to_the_next_base_url_only_where_no_connection_was_made(
    raw_hub: StartHub, upstream_at, closed_port
):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    hub = await raw_hub(head + events(said("Hello"), END))
    refusing = f"http://127.0.0.1:{closed_port}"
    assert (await asked_of(upstream_at(refusing, hub.url))).text == "Hello"
    assert len(hub.requests) == 1
    with pytest.raises(NeverConnected, match="connection refused"):
        await asked_of(upstream_at(refusing))


@pytest.mark.parametrize("error", [httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError])
async def test_where_no_base_url_can_be_connected_to_nothing_was_sent(error, clock):
    asked: list[str] = []

    def refuse(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        raise error("as the script says", request=request)

    urls = ("https://one", "https://two")
    async with Upstream(urls, clock=clock, timeout=5, transport=httpx2.MockTransport(refuse)) as upstream:
        with pytest.raises(NeverConnected):
            await asked_of(upstream)
    assert asked == ["one", "two"]


@pytest.mark.parametrize(
    "error",
    [
        httpx2.WriteError,
        httpx2.ReadError,
        httpx2.ReadTimeout,
        httpx2.WriteTimeout,
        httpx2.RemoteProtocolError,
    ],
)
async def test_a_chat_that_may_have_reached_a_hub_is_sent_to_no_other(error, clock):
    asked: list[str] = []

    def fail(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        raise error("as the script says", request=request)

    urls = ("https://one", "https://two")
    async with Upstream(urls, clock=clock, timeout=5, transport=httpx2.MockTransport(fail)) as upstream:
        with pytest.raises(HubError) as caught:
            await asked_of(upstream)
    assert not isinstance(caught.value, NeverConnected)
    assert asked == ["one"]


async def test_a_stream_that_falls_silent_is_given_up(raw_hub: StartHub, upstream_at):
    hub = await raw_hub(None)
    with pytest.raises(TimedOut):
        await asked_of(upstream_at(hub.url, idle_timeout=0.1))
    with anyio.fail_after(1):
        await hub.hung_up.wait()


async def test_a_whole_answer_may_be_silent_for_longer(raw_hub: StartHub, upstream_at):
    hub = await raw_hub(None)
    with anyio.move_on_after(0.3) as scope:
        await asked_of(upstream_at(hub.url, idle_timeout=0.1), stream=False)
    assert scope.cancelled_caught


async def test_a_proxy_that_cannot_be_used_is_an_error_and_nothing_was_sent(upstream_at, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "nonsense://nowhere")
    with pytest.raises(NeverConnected, match="No connection can be made"):
        await asked_of(upstream_at("https://hub.example", transport=None))


# -- what is sent ------------------------------------------------------------------------------------


class Recorder(httpx2.MockTransport):
    def __init__(self) -> None:
        super().__init__(self.answer)
        self.requests: list[httpx2.Request] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return httpx2.Response(200, headers={"content-type": STREAM}, content=events(said("Hello"), END))


async def test_the_body_arrives_as_it_was_given(clock):
    network = Recorder()
    body = {"messages": [{"role": "user", "content": "ça 🙂", "odd": None, "n": 1.0}], "stream": True}
    async with Upstream(
        ("https://hub",), clock=clock, timeout=5, app_code="abc", transport=network
    ) as upstream:
        await asked_of(upstream, **body)
    (request,) = network.requests
    assert json.loads(request.content) == {"model": "m", **body}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["app-code"] == "abc"


async def test_half_a_character_is_sent_as_a_question_mark(clock):
    network = Recorder()
    async with Upstream(("https://hub",), clock=clock, timeout=5, transport=network) as upstream:
        await asked_of(upstream, prompt="a\ud83db")
    assert json.loads(network.requests[0].content)["prompt"] == "a?b"


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), {1, 2}])
async def test_what_json_cannot_hold_is_refused_unsent(odd, clock):
    network = Recorder()
    async with Upstream(("https://hub",), clock=clock, timeout=5, transport=network) as upstream:
        with pytest.raises(BadRequest, match="cannot be sent as JSON"):
            await asked_of(upstream, odd=odd)
    assert network.requests == []


async def test_the_key_is_in_no_repr(clock):
    async with Upstream(("https://hub",), clock=clock, timeout=5, transport=Recorder()) as upstream:
        assert KEY not in repr(upstream)
        async with upstream.open_chat({"model": "m"}, KEY) as answer:
            assert KEY not in repr(answer)
