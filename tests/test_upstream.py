"""GETs of the HTTP layer: retries, the next base URL, time, size, redirects, and what must not leak."""

import gc
import gzip
import socket
import traceback
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import anyio
import httpx2
import pytest
from conftest import ManualClock, RawHub, RunningSandbox
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from hub_mcp.errors import AuthFailed, BadAnswer, HubError, HubFailed, TimedOut, Unreachable
from hub_mcp.upstream import MAX_BYTES, RETURN_TO_FIRST, Answer, Upstream, Validator

pytestmark = pytest.mark.anyio

MEGABYTE = 1024**2
KEY = "very-secret.key"  # not every hub's keys begin with sk-
PATH = "/api/v1/models"

StartHub = Callable[..., Awaitable[RawHub]]


def reply(body: bytes = b"[]", *headers: str, status: str = "200 OK") -> bytes:
    lines = (f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", "")
    return "\r\n".join(lines).encode("latin-1") + body


def unused_url() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
async def upstream_of(clock: ManualClock):
    """Opens an Upstream at the given base URLs; it is closed after the test."""
    async with AsyncExitStack() as stack:

        async def opened(*base_urls: str, timeout: float = 5.0, transport=None) -> Upstream:
            upstream = Upstream(base_urls, clock=clock, timeout=timeout, transport=transport)
            return await stack.enter_async_context(upstream)

        with anyio.fail_after(15):
            yield opened


class Play(httpx2.MockTransport):
    """A network by script: `hosts` says what each host does; `asked` is whom it was asked of, in order."""

    def __init__(self, **hosts: Callable[[httpx2.Request], httpx2.Response]) -> None:
        super().__init__(self._answer)
        self.hosts = hosts
        self.asked: list[str] = []
        self.requests: list[httpx2.Request] = []

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.url.host)
        self.requests.append(request)
        return self.hosts[request.url.host](request)


def works(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, content=b"[]")


def fails_with(error: type[httpx2.TransportError]) -> Callable[[httpx2.Request], httpx2.Response]:
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise error("as the script says", request=request)

    return fail


# -- retries and the next base URL -------------------------------------------------------------------


async def test_an_answer_comes_whole_and_says_which_base_url_gave_it(embedded: RunningSandbox, upstream_of):
    upstream = await upstream_of(embedded.url)
    answer = await upstream.get(PATH, params={"model": "gpt-4o-mini"})
    assert (answer.status, answer.base_url) == (200, embedded.url)
    assert b'"gpt-4o-mini"' in answer.body
    assert answer.headers["etag"] == answer.headers["ETag"]
    assert embedded.sandbox.requests[0].query == "model=gpt-4o-mini"


async def test_a_connection_that_breaks_is_tried_once_more(raw_hub: StartHub, upstream_of):
    hub = await raw_hub(b"", reply(b"second"))
    upstream = await upstream_of(hub.url)
    assert (await upstream.get(PATH)).body == b"second"
    assert len(hub.requests) == 2


async def test_a_connection_that_breaks_twice_sends_the_request_to_the_next_base_url(
    raw_hub: StartHub, upstream_of
):
    broken, good = await raw_hub(b""), await raw_hub(reply())
    upstream = await upstream_of(broken.url, good.url)
    assert (await upstream.get(PATH)).base_url == good.url
    assert (len(broken.requests), len(good.requests)) == (2, 1)


async def test_a_refused_connection_goes_on_to_the_next_base_url(raw_hub: StartHub, upstream_of):
    good = await raw_hub(reply())
    upstream = await upstream_of(unused_url(), good.url)
    assert (await upstream.get(PATH)).base_url == good.url


@pytest.mark.parametrize("error", [httpx2.ConnectError, httpx2.ConnectTimeout])
async def test_a_base_url_that_cannot_be_connected_to_is_not_tried_again(error, upstream_of):
    network = Play(one=fails_with(error), two=works)
    upstream = await upstream_of("https://one", "https://two", transport=network)
    assert (await upstream.get(PATH)).base_url == "https://two"
    assert network.asked == ["one", "two"]


async def test_when_every_base_url_refuses_the_error_says_so(upstream_of):
    upstream = await upstream_of(unused_url(), unused_url())
    with pytest.raises(Unreachable, match="connection refused"):
        await upstream.get(PATH)


async def test_the_base_url_that_works_stays_preferred_for_ten_minutes(clock: ManualClock, upstream_of):
    network = Play(one=fails_with(httpx2.ConnectError), two=works)
    upstream = await upstream_of("https://one", "https://two", transport=network)
    await upstream.get(PATH)
    clock.advance(RETURN_TO_FIRST - 1)
    await upstream.get(PATH)
    assert network.asked == ["one", "two", "two"]

    clock.advance(1)
    network.hosts["one"] = works
    assert (await upstream.get(PATH)).base_url == "https://one"
    assert (await upstream.get(PATH)).base_url == "https://one"


async def test_a_first_base_url_that_still_fails_after_ten_minutes_is_left_alone_for_ten_more(
    clock: ManualClock, upstream_of
):
    network = Play(one=fails_with(httpx2.ConnectError), two=works)
    upstream = await upstream_of("https://one", "https://two", transport=network)
    await upstream.get(PATH)
    clock.advance(RETURN_TO_FIRST)
    await upstream.get(PATH)
    await upstream.get(PATH)
    assert network.asked == ["one", "two", "one", "two", "two"]


async def test_when_the_preferred_base_url_breaks_the_first_is_tried_again(upstream_of):
    network = Play(one=fails_with(httpx2.ConnectError), two=works)
    upstream = await upstream_of("https://one", "https://two", transport=network)
    await upstream.get(PATH)
    network.hosts.update(one=works, two=fails_with(httpx2.ConnectError))
    assert (await upstream.get(PATH)).base_url == "https://one"
    assert network.asked == ["one", "two", "two", "one"]


async def test_a_gateway_error_does_not_make_a_base_url_the_preferred_one(upstream_of):
    network = Play(one=fails_with(httpx2.ConnectError), two=lambda _: httpx2.Response(502))
    upstream = await upstream_of("https://one", "https://two", transport=network)
    with pytest.raises(HubFailed):
        await upstream.get(PATH)
    network.hosts["one"] = works
    assert (await upstream.get(PATH)).base_url == "https://one"


async def test_a_refusal_by_the_hub_is_an_answer_and_is_not_asked_for_again(upstream_of):
    network = Play(one=lambda _: httpx2.Response(500), two=works)
    upstream = await upstream_of("https://one", "https://two", transport=network)
    with pytest.raises(HubFailed):
        await upstream.get(PATH)
    assert network.asked == ["one"]


# -- time --------------------------------------------------------------------------------------------


def at_once() -> httpx2.AsyncHTTPTransport:
    """Real connections without the certificates: to load them takes of the little time these tests give."""
    return httpx2.AsyncHTTPTransport(verify=False)


async def test_a_slow_base_url_is_asked_once_and_leaves_time_for_the_next(raw_hub: StartHub, upstream_of):
    slow, good = await raw_hub(None), await raw_hub(reply())
    upstream = await upstream_of(slow.url, good.url, timeout=1, transport=at_once())
    assert (await upstream.get(PATH)).base_url == good.url
    assert len(slow.requests) == 1


async def test_a_base_url_that_trickles_leaves_time_for_the_next(
    embedded: RunningSandbox, raw_hub, upstream_of
):
    async def trickle(request: Request) -> Response:
        async def drops():
            while True:
                yield b" "
                await anyio.sleep(0.01)

        return StreamingResponse(drops())

    embedded.sandbox.intercept = trickle
    good = await raw_hub(reply())
    upstream = await upstream_of(embedded.url, good.url, timeout=1, transport=at_once())
    assert (await upstream.get(PATH)).base_url == good.url
    assert embedded.sandbox.count() == 1


async def test_the_time_out_is_for_all_base_urls_together(raw_hub: StartHub, upstream_of):
    hubs = [await raw_hub(None) for _ in range(3)]
    upstream = await upstream_of(*(hub.url for hub in hubs), timeout=0.9, transport=at_once())
    started = anyio.current_time()
    with pytest.raises(TimedOut, match="did not answer within"):
        await upstream.get(PATH)
    assert 0.8 < anyio.current_time() - started < 2
    assert [len(hub.requests) for hub in hubs] == [1, 1, 1]


async def test_a_time_out_hangs_up(raw_hub: StartHub, upstream_of):
    hub = await raw_hub(None)
    upstream = await upstream_of(hub.url, timeout=0.4, transport=at_once())
    with pytest.raises(TimedOut):
        await upstream.get(PATH)
    await hub.hung_up.wait()


# -- size --------------------------------------------------------------------------------------------


def zeros_packed(megabytes: int) -> bytes:
    return gzip.compress(bytes(megabytes * MEGABYTE), 1)


async def peak_memory_of(call: Awaitable[Answer]) -> tuple[int, HubError | None]:
    """The most memory a GET held at once, and how it failed."""
    tracemalloc.start()
    try:
        await call
    except HubError as error:
        return tracemalloc.get_traced_memory()[1], error
    else:
        return tracemalloc.get_traced_memory()[1], None
    finally:
        tracemalloc.stop()


async def test_an_answer_as_large_as_allowed_is_read(raw_hub: StartHub, upstream_of):
    hub = await raw_hub(reply(bytes(MAX_BYTES)))
    assert len((await (await upstream_of(hub.url)).get(PATH)).body) == MAX_BYTES


async def test_an_answer_that_is_too_large_is_refused_while_it_is_read(raw_hub: StartHub, upstream_of):
    hub = await raw_hub(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(64 * MEGABYTE))
    upstream = await upstream_of(hub.url)
    with pytest.raises(BadAnswer, match="larger than 32 MB"):
        await upstream.get(PATH)
    await hub.hung_up.wait()
    assert hub.sent < 48 * MEGABYTE
    assert len(hub.requests) == 1


async def test_a_small_body_that_unpacks_to_too_much_is_refused_before_it_takes_the_memory(
    raw_hub: StartHub, upstream_of
):
    hub = await raw_hub(reply(zeros_packed(128), "Content-Encoding: gzip"))
    peak, error = await peak_memory_of((await upstream_of(hub.url)).get(PATH))
    assert isinstance(error, BadAnswer)
    assert peak < 48 * MEGABYTE


async def test_a_body_that_is_packed_twice_is_refused_unread(raw_hub: StartHub, upstream_of):
    twice = gzip.compress(gzip.compress(b"[]") + bytes(64 * MEGABYTE), 1)
    hub = await raw_hub(reply(twice, "Content-Encoding: gzip, gzip"))
    peak, error = await peak_memory_of((await upstream_of(hub.url)).get(PATH))
    assert isinstance(error, BadAnswer)
    assert "compressed more than once" in error.message
    assert peak < 8 * MEGABYTE


async def test_an_answer_that_is_refused_unread_is_hung_up_on(raw_hub: StartHub, upstream_of):
    endless = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n\r\n" + bytes(32 * MEGABYTE)
    hub = await raw_hub(endless)
    upstream = await upstream_of(hub.url)
    with pytest.raises(BadAnswer):
        await upstream.get(PATH)
    await hub.hung_up.wait()


async def test_the_body_of_a_redirect_is_not_read(raw_hub: StartHub, upstream_of):
    target = await raw_hub(reply(b"here"))
    moved = reply(zeros_packed(64), "Content-Encoding: gzip", f"Location: {target.url}/", status="302 Found")
    hub = await raw_hub(moved)
    upstream = await upstream_of(hub.url)
    answers: list[Answer] = []

    async def get() -> Answer:
        answers.append(await upstream.get(PATH))
        return answers[0]

    peak, error = await peak_memory_of(get())
    assert error is None
    assert answers[0].body == b"here"
    assert peak < 8 * MEGABYTE


async def test_a_packed_answer_is_unpacked(raw_hub: StartHub, upstream_of):
    hub = await raw_hub(reply(gzip.compress(b'{"data": []}'), "Content-Encoding: gzip"))
    assert (await (await upstream_of(hub.url)).get(PATH)).body == b'{"data": []}'


# -- redirects ---------------------------------------------------------------------------------------


async def test_a_redirect_is_followed_and_keeps_the_key_at_the_same_place(
    embedded: RunningSandbox, upstream_of
):
    async def move(request: Request) -> Response | None:
        return RedirectResponse("/v1/models", 301) if request.url.path == "/old" else None

    embedded.sandbox.intercept = move
    answer = await (await upstream_of(embedded.url)).get("/old", key=KEY)
    assert answer.status == 200
    assert [request.path for request in embedded.sandbox.requests] == ["/old", "/v1/models"]
    assert embedded.sandbox.requests[1].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("base", "elsewhere"),
    [
        ("https://hub", "https://other/x"),
        ("https://hub", "https://hub:8443/x"),
        ("https://hub", "http://hub/x"),
        ("http://hub", "https://hub/x"),
        ("https://hub", "//other/x"),
        ("https://hub", "https://sub.hub/x"),
        ("https://hub", "https://hub@other/x"),
    ],
)
async def test_a_redirect_never_carries_the_key_elsewhere(base: str, elsewhere: str, upstream_of):
    moved = httpx2.Response(302, headers={"Location": elsewhere})

    def hub(request: httpx2.Request) -> httpx2.Response:
        return works(request) if request.url.path == "/x" else moved

    network = Play(**{"hub": hub, "other": works, "sub.hub": works})
    await (await upstream_of(base, transport=network)).get(PATH, key=KEY)
    first, second = network.requests
    assert first.headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in str(second.headers.raw)
    assert second.url.path == "/x"


async def test_the_key_stays_lost_on_a_way_back(upstream_of):
    def hub(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/back":
            return works(request)
        return httpx2.Response(302, headers={"Location": "https://other/"})

    network = Play(hub=hub, other=lambda _: httpx2.Response(302, headers={"Location": "https://hub/back"}))
    await (await upstream_of("https://hub", transport=network)).get(PATH, key=KEY)
    assert network.asked == ["hub", "other", "hub"]
    assert "Authorization" not in network.requests[2].headers


async def test_redirects_in_a_circle_end_in_an_error(embedded: RunningSandbox, upstream_of):
    async def circle(_: Request) -> Response:
        return RedirectResponse("/round/and/round", 302)

    embedded.sandbox.intercept = circle
    upstream = await upstream_of(embedded.url)
    with pytest.raises(BadAnswer, match="redirects"):
        await upstream.get(PATH)
    assert embedded.sandbox.count() == 6


# -- validators --------------------------------------------------------------------------------------


async def test_an_etag_is_sent_to_the_base_url_that_gave_it_and_304_is_an_answer(
    embedded: RunningSandbox, upstream_of
):
    upstream = await upstream_of(embedded.url)
    etag = (await upstream.get(PATH)).headers["etag"]
    answer = await upstream.get(PATH, validator=Validator(etag, embedded.url))
    assert answer.status == 304
    assert embedded.sandbox.requests[1].headers["if-none-match"] == etag


async def test_an_etag_is_not_sent_to_another_base_url(raw_hub: StartHub, upstream_of):
    gone, good = unused_url(), await raw_hub(reply())
    upstream = await upstream_of(gone, good.url)
    await upstream.get(PATH, validator=Validator('"theirs"', gone))
    assert b"if-none-match" not in good.requests[0].lower()


async def test_a_304_that_was_not_asked_for_is_a_bad_answer(raw_hub: StartHub, upstream_of):
    hub = await raw_hub(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n")
    upstream = await upstream_of(hub.url)
    with pytest.raises(BadAnswer):
        await upstream.get(PATH, validator=Validator('"theirs"', "https://elsewhere"))


async def test_an_etag_that_cannot_be_sent_back_is_left_out(raw_hub: StartHub, upstream_of):
    hub = await raw_hub(reply(b"[]", 'ETag: "caf\xe9"'))
    upstream = await upstream_of(hub.url)
    etag = (await upstream.get(PATH)).headers["etag"]
    assert (await upstream.get(PATH, validator=Validator(etag, hub.url))).status == 200
    assert b"if-none-match" not in hub.requests[1].lower()


# -- the surroundings --------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_no_proxy_is_used_for_this_machine(
    variable: str, host: str, embedded: RunningSandbox, upstream_of, monkeypatch: pytest.MonkeyPatch
):
    for each in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(variable, unused_url())
    upstream = await upstream_of(embedded.url.replace("127.0.0.1", host))
    assert (await upstream.get(PATH)).status == 200


@pytest.mark.parametrize(
    ("variable", "value"), [("HTTPS_PROXY", "gopher://127.0.0.1"), ("SSL_CERT_FILE", "/there/is/no/such.pem")]
)
async def test_surroundings_that_allow_no_connection_are_a_clear_error(
    variable: str, value: str, upstream_of, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(variable, value)
    upstream = await upstream_of("https://hub.invalid")
    with pytest.raises(Unreachable, match=r"No connection can be made: .+ SSL_CERT_FILE"):
        await upstream.get(PATH)


# -- the key -----------------------------------------------------------------------------------------


async def test_no_error_repeats_the_key(embedded: RunningSandbox, upstream_of):
    async def parrot(request: Request) -> Response:
        sent = request.headers["authorization"]
        return JSONResponse({"error": {"message": f"Wrong key: {sent} (tid: {KEY})"}}, 401)

    embedded.sandbox.intercept = parrot
    upstream = await upstream_of(embedded.url)
    with pytest.raises(AuthFailed) as caught:
        await upstream.get(PATH, key=KEY)
    assert "Wrong key" in caught.value.message
    assert KEY not in f"{caught.value!r}{caught.value}{vars(caught.value)}"
    assert KEY not in "".join(traceback.format_exception(caught.value))


async def test_no_connection_error_repeats_the_key(raw_hub: StartHub, upstream_of):
    hub = await raw_hub(b"")
    upstream = await upstream_of(unused_url(), hub.url)
    with pytest.raises(Unreachable) as caught:
        await upstream.get(PATH, key=KEY)
    assert KEY not in "".join(traceback.format_exception(caught.value))


async def test_nothing_that_can_be_printed_holds_the_key(embedded: RunningSandbox, upstream_of):
    upstream = await upstream_of(embedded.url)
    answer = await upstream.get("/v1/models", key=KEY)
    assert embedded.sandbox.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in f"{upstream!r}{upstream}{vars(upstream)}{answer!r}"


# -- the end -----------------------------------------------------------------------------------------


async def test_closing_while_a_request_runs_ends_it_with_an_error_and_leaks_nothing(
    raw_hub: StartHub, clock: ManualClock
):
    hub = await raw_hub(None)
    errors: list[HubError] = []

    async def get(upstream: Upstream) -> None:
        try:
            await upstream.get(PATH)
        except HubError as error:
            errors.append(error)

    with anyio.fail_after(5):
        async with (
            anyio.create_task_group() as tasks,
            Upstream([hub.url], clock=clock, timeout=5) as upstream,
        ):
            tasks.start_soon(get, upstream)
            await hub.asked.wait()
        await hub.hung_up.wait()
    assert isinstance(errors[0], Unreachable)
    assert len(hub.requests) == 1
    gc.collect()  # a socket left open would warn now, and warnings are errors


async def test_after_the_end_a_request_is_refused(embedded: RunningSandbox, clock: ManualClock):
    async with Upstream([embedded.url], clock=clock, timeout=5) as upstream:
        await upstream.get(PATH)
    with pytest.raises(Unreachable, match="stopping"):
        await upstream.get(PATH)


async def test_a_request_that_is_cancelled_hangs_up_and_the_next_one_works(raw_hub: StartHub, upstream_of):
    hub = await raw_hub(None, reply())
    upstream = await upstream_of(hub.url)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(upstream.get, PATH)
        await hub.asked.wait()
        tasks.cancel_scope.cancel()
    await hub.hung_up.wait()
    assert (await upstream.get(PATH)).status == 200
    gc.collect()
