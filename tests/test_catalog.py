"""The cached catalog: fresh, renewed, stale, shared, and never worse than what it had."""

import gc
import gzip
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import httpx2
import pytest
from anyio.abc import TaskStatus
from conftest import ManualClock, RawHub, RunningSandbox
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub_mcp.catalog import Catalog, Reading, Snapshot
from hub_mcp.errors import BadAnswer, HubError, HubFailed, RateLimited, Unreachable
from hub_mcp.profiles import AIHUBMIX, OPENAI, Profile
from hub_mcp.upstream import Answer, Upstream

pytestmark = pytest.mark.anyio

DAY = 86400.0
KEY = "very-secret.key"  # not every hub's keys begin with sk-

Opened = Callable[..., Awaitable[Catalog]]


def row(model_id: str) -> dict[str, Any]:
    return {"model_id": model_id, "types": "llm", "pricing": {"input": 1, "output": 2}}


def ids(reading: Reading[Snapshot]) -> list[str]:
    return [model.id for model in reading.value.index.models]


@asynccontextmanager
async def catalog_of(
    base_url: str,
    clock: ManualClock,
    *,
    profile: Profile = AIHUBMIX,
    max_stale: float = DAY,
    jitter: Callable[[], float] = lambda: 0.0,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> AsyncIterator[Catalog]:
    """A catalog with nothing between it and the hub but a clock that stands still."""
    async with (
        Upstream([base_url], clock=clock, timeout=5, transport=transport) as upstream,
        Catalog(upstream, profile, clock=clock, max_stale=max_stale, jitter=jitter) as catalog,
    ):
        with anyio.fail_after(10):
            yield catalog


class Hub:
    """The embedded hub with two models, a door that can be shut, and a fault that can be set."""

    def __init__(self, running: RunningSandbox) -> None:
        self.sandbox = running.sandbox
        self.url = running.url
        self.sandbox.rows = [row("a"), row("b")]
        self.sandbox.intercept = self._intercept
        self.fault: Response | None = None
        self._door = anyio.Event()
        self._door.set()
        self._asked = anyio.Event()

    async def _intercept(self, _: Request) -> Response | None:
        self._asked.set()
        await self._door.wait()
        return self.fault

    def shut(self) -> None:
        """Keep whoever asks from now on waiting."""
        self._door, self._asked = anyio.Event(), anyio.Event()

    def open(self) -> None:
        self._door.set()

    async def is_asked(self) -> None:
        await self._asked.wait()

    def fail(self, status: int = 500, **headers: str) -> None:
        self.fault = JSONResponse({"error": {"message": "out of order"}}, status, headers)

    @property
    def count(self) -> int:
        return self.sandbox.count()


@pytest.fixture
def hub(embedded: RunningSandbox) -> Hub:
    return Hub(embedded)


@pytest.fixture
async def catalog(hub: Hub, clock: ManualClock) -> AsyncIterator[Catalog]:
    async with catalog_of(hub.url, clock) as catalog:
        yield catalog


async def renewed(catalog: Catalog, clock: ManualClock, hub: Hub) -> Reading[Snapshot]:
    """What the request that is under way behind the shut door brings."""
    clock.advance(DAY / 2)  # expired: to read is now to wait for it
    readings: list[Reading[Snapshot]] = []

    async def read(*, task_status: TaskStatus[None]) -> None:
        task_status.started()
        readings.append(await catalog.read(None))

    async with anyio.create_task_group() as tasks:
        await tasks.start(read)
        hub.open()
    return readings[0]


# -- fresh -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("max-age=60", 60),
        ("public, max-age=1000, stale-while-revalidate=5", 1000),
        ("public", 300),
        ("", 300),
    ],
)
async def test_an_answer_is_fresh_for_its_max_age_and_for_300_s_without_one(
    cache_control: str, seconds: int, catalog: Catalog, hub: Hub, clock: ManualClock
):
    hub.sandbox.cache_control = cache_control
    first = await catalog.read(None)
    assert (first.age, first.fresh_for, first.stale, first.reason) == (0, seconds, False, "")
    clock.advance(seconds - 1)
    last = await catalog.read(None)
    assert (last.age, last.fresh_for, last.stale) == (seconds - 1, 1, False)
    assert hub.count == 1
    clock.advance(1)
    assert (await catalog.read(None)).stale


async def test_the_age_that_an_answer_comes_with_counts(raw_hub: Any, clock: ManualClock):
    body = b'{"data": [{"model_id": "a"}]}'
    hub: RawHub = await raw_hub(
        b"HTTP/1.1 200 OK\r\nCache-Control: max-age=100\r\nAge: 70\r\nContent-Length: %d\r\n\r\n%b"
        % (len(body), body)
    )
    async with catalog_of(hub.url, clock) as catalog:
        assert (await catalog.read(None)).fresh_for == 30


async def test_a_reading_says_where_it_is_from_and_when_it_was_fetched(
    catalog: Catalog, hub: Hub, clock: ManualClock
):
    fetched_at = clock.wall
    reading = await catalog.read(None)
    clock.advance(10)
    again = await catalog.read(None)
    assert ids(reading) == ["a", "b"]
    assert reading.source == hub.url
    assert reading.fetched_at == again.fetched_at == fetched_at


# -- stale while it is renewed, and older ------------------------------------------------------------


async def test_a_stale_catalog_is_served_at_once_while_one_request_renews_it(
    catalog: Catalog, hub: Hub, clock: ManualClock
):
    await catalog.read(None)
    hub.sandbox.rows = [row("c")]
    hub.shut()
    clock.advance(400)
    for _ in range(10):
        reading = await catalog.read(None)
        assert (ids(reading), reading.age, reading.stale) == (["a", "b"], 400, True)
        assert "in the background" in reading.reason
    await hub.is_asked()
    assert ids(await catalog.read(None)) == ["a", "b"]

    after = await renewed(catalog, clock, hub)
    assert (ids(after), after.age, after.stale) == (["c"], 0, False)
    assert hub.count == 2


async def test_a_catalog_older_than_both_windows_is_renewed_before_it_is_served(
    catalog: Catalog, hub: Hub, clock: ManualClock
):
    await catalog.read(None)
    hub.sandbox.rows = [row("c")]
    clock.advance(600)
    reading = await catalog.read(None)
    assert (ids(reading), reading.age, reading.stale) == (["c"], 0, False)


async def test_an_answer_that_is_stale_at_birth_is_not_marked_stale_for_those_who_waited_for_it(
    hub: Hub, clock: ManualClock
):
    hub.sandbox.cache_control = "max-age=0, stale-while-revalidate=0"
    async with catalog_of(hub.url, clock, max_stale=0) as catalog:
        for _ in range(2):
            reading = await catalog.read(None)
            assert (reading.stale, reading.reason, reading.fresh_for) == (False, "", 0)
    assert hub.count == 2


async def test_a_304_makes_the_same_snapshot_young_again(catalog: Catalog, hub: Hub, clock: ManualClock):
    first = await catalog.read(None)
    clock.advance(700)
    second = await catalog.read(None)
    etag = hub.sandbox.requests[1].headers["if-none-match"]
    assert etag == hub.sandbox.catalog_answers[""][1]
    assert second.value is first.value
    assert second.version == first.version
    assert (second.age, second.fresh_for, second.stale) == (0, 300, False)
    assert second.fetched_at == first.fetched_at + 700


async def test_a_304_may_change_how_long_the_catalog_is_fresh(catalog: Catalog, hub: Hub, clock: ManualClock):
    await catalog.read(None)
    hub.sandbox.cache_control = "max-age=10"
    clock.advance(700)
    assert (await catalog.read(None)).fresh_for == 10


async def test_a_changed_body_replaces_the_catalog(catalog: Catalog, hub: Hub, clock: ManualClock):
    first = await catalog.read(None)
    hub.sandbox.rows = [row("a"), row("b"), row("c")]
    clock.advance(700)
    second = await catalog.read(None)
    assert ids(second) == ["a", "b", "c"]
    assert second.version != first.version


async def test_the_same_body_without_an_etag_is_the_same_snapshot(raw_hub: Any, clock: ManualClock):
    body = b'{"data": [{"model_id": "a"}]}'
    hub: RawHub = await raw_hub(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    async with catalog_of(hub.url, clock) as catalog:
        first = await catalog.read(None)
        clock.advance(700)
        second = await catalog.read(None)
    assert second.value is first.value
    assert second.age == 0
    assert len(hub.requests) == 2


# -- when renewal fails ------------------------------------------------------------------------------


async def test_when_renewal_fails_the_last_good_catalog_is_served_marked_stale_with_age_and_reason(
    catalog: Catalog, hub: Hub, clock: ManualClock
):
    await catalog.read(None)
    hub.fail()
    clock.advance(1000)
    reading = await catalog.read(None)
    assert (ids(reading), reading.age, reading.stale, reading.fresh_for) == (["a", "b"], 1000, True, 0)
    assert "out of order" in reading.reason


async def test_a_catalog_older_than_the_ceiling_is_an_error_and_comes_back_with_the_hub(
    hub: Hub, clock: ManualClock
):
    async with catalog_of(hub.url, clock, max_stale=2000) as catalog:
        await catalog.read(None)
        hub.fail()
        clock.advance(2000)
        assert (await catalog.read(None)).age == 2000
        clock.advance(1)
        with pytest.raises(HubFailed, match="out of order"):
            await catalog.read(None)
        assert catalog.peek(None) is not None

        hub.fault = None
        clock.advance(60)
        assert not (await catalog.read(None)).stale


async def test_a_ceiling_never_shortens_the_time_that_the_hub_itself_allows(hub: Hub, clock: ManualClock):
    async with catalog_of(hub.url, clock, max_stale=0) as catalog:
        await catalog.read(None)
        hub.fail()
        clock.advance(599)
        assert (await catalog.read(None)).age == 599
        clock.advance(1)
        with pytest.raises(HubFailed):
            await catalog.read(None)


async def test_without_any_catalog_a_failure_is_a_clear_error(catalog: Catalog, hub: Hub):
    hub.fail()
    with pytest.raises(HubFailed, match="out of order"):
        await catalog.read(None)
    assert catalog.peek(None) is None


async def test_every_caller_gets_an_error_of_its_own(catalog: Catalog, hub: Hub):
    hub.fail(429, **{"Retry-After": "7"})
    errors: list[HubError] = []
    for _ in range(2):
        with pytest.raises(RateLimited) as caught:
            await catalog.read(None)
        errors.append(caught.value)
    first, second = errors
    assert first is not second
    assert str(first) == str(second)
    assert first.retry_after == second.retry_after == 7


async def test_after_a_failure_the_hub_is_left_alone_for_a_second_that_doubles_to_a_minute(
    catalog: Catalog, hub: Hub, clock: ManualClock
):
    hub.fail()
    for failures, pause in enumerate([1, 2, 4, 8, 16, 32, 60, 60], start=1):
        with pytest.raises(HubFailed):
            await catalog.read(None)
        clock.advance(pause - 0.5)
        with pytest.raises(HubFailed):
            await catalog.read(None)
        assert hub.count == failures
        clock.advance(0.5)

    hub.fault = None
    await catalog.read(None)
    hub.fail()
    clock.advance(700)
    await catalog.read(None)
    asked = hub.count
    clock.advance(1)  # a success starts the row of failures anew
    await catalog.read(None)
    assert hub.count == asked + 1


async def test_the_pause_is_lengthened_by_jitter(hub: Hub, clock: ManualClock):
    hub.fail()
    async with catalog_of(hub.url, clock, jitter=lambda: 0.5) as catalog:
        for advance, asked in [(0, 1), (1.0, 1), (0.125, 2)]:
            clock.advance(advance)
            with pytest.raises(HubFailed):
                await catalog.read(None)
            assert hub.count == asked


async def test_retry_after_is_respected(catalog: Catalog, hub: Hub, clock: ManualClock):
    hub.fail(503, **{"Retry-After": "30"})
    for advance, asked in [(0, 1), (29.5, 1), (0.5, 2)]:
        clock.advance(advance)
        with pytest.raises(HubFailed):
            await catalog.read(None)
        assert hub.count == asked


# -- what never replaces a catalog -------------------------------------------------------------------


@pytest.mark.parametrize("rows", [[], [{"no": "id"}], ["text", 1, None]])
async def test_a_200_without_a_usable_row_never_replaces_a_catalog(
    rows: list[Any], catalog: Catalog, hub: Hub, clock: ManualClock
):
    await catalog.read(None)
    hub.sandbox.rows = rows
    clock.advance(700)
    reading = await catalog.read(None)
    assert (ids(reading), reading.stale) == (["a", "b"], True)
    assert "usable model" in reading.reason


async def test_bad_rows_are_left_out_and_counted(catalog: Catalog, hub: Hub):
    hub.sandbox.rows = [row("a"), {"no": "id"}, row("b")]
    reading = await catalog.read(None)
    assert (ids(reading), reading.value.skipped) == (["a", "b"], 1)


async def test_a_catalog_of_bad_rows_only_is_an_error(catalog: Catalog, hub: Hub):
    hub.sandbox.rows = [{"no": "id"}]
    with pytest.raises(BadAnswer, match="usable model"):
        await catalog.read(None)


async def test_an_empty_list_with_nothing_before_it_is_served(raw_hub: Any, clock: ManualClock):
    hub: RawHub = await raw_hub(answer(b'{"data": []}'), answer(b'{"object": "list", "data": []}'))
    async with catalog_of(hub.url, clock, profile=OPENAI) as catalog:
        for _ in range(2):
            reading = await catalog.read(KEY)
            assert (ids(reading), reading.age, reading.stale) == ([], 0, False)
            clock.advance(700)


def packed(body: bytes) -> bytes:
    return answer(gzip.compress(body), "Content-Encoding: gzip")


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", "")
    return "\r\n".join(lines).encode("latin-1") + body


PAGE = b"<!DOCTYPE html><html><body>Gateway</body></html>"

BROKEN: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "unreachable"),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "unreachable"),
    "binary": (bytes(range(256)), "unreachable"),
    "half a status line": (b"HTTP/1.", "unreachable"),
    "half the headers": (b"HTTP/1.1 200 OK\r\nContent-Le", "unreachable"),
    "half a body": (b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"data"', "unreachable"),
    "half a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n[", "unreachable"),
    "no chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n<html>", "unreachable"),
    "negative length": (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "unreachable"),
    "two lengths": (answer(b"[]", "Content-Length: 3"), "unreachable"),
    "endless header": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500_000, "unreachable"),
    "control in a header": (answer(b"[]", "X: \x00\x01"), "unreachable"),
    "switching protocols": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "unreachable"),
    "continue only": (b"HTTP/1.1 100 Continue\r\n\r\n", "unreachable"),
    "odd status": (answer(b"", status="999 Who Knows"), "hub_failed"),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", "hub_failed"),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\n\r\n", "bad_answer"),
    "a page": (answer(PAGE), "bad_answer"),
    "a page with 502": (answer(PAGE, status="502 Bad Gateway"), "hub_failed"),
    "a page with 404": (answer(PAGE, status="404 Not Found"), "bad_answer"),
    "empty": (answer(b""), "bad_answer"),
    "blank": (answer(b" \r\n"), "bad_answer"),
    "broken gzip": (answer(b"\x1f\x8bnot really", "Content-Encoding: gzip"), "bad_answer"),
    "half a gzip": (answer(gzip.compress(b'{"data": []}')[:-10], "Content-Encoding: gzip"), "bad_answer"),
    "gzip without saying": (answer(gzip.compress(b"[]")), "bad_answer"),
    "broken deflate": (answer(b"\xff\xff\xff", "Content-Encoding: deflate"), "bad_answer"),
    "unknown encoding": (answer(b"\x00\x01\x02", "Content-Encoding: x-\xff\xfe"), "bad_answer"),
    "too many encodings": (answer(b"[]", f"Content-Encoding: {'gzip,' * 9}gzip"), "bad_answer"),
    "no such charset": (answer(b"\xff", "Content-Type: text/html; charset=klingon"), "bad_answer"),
    "no UTF-8": (answer(b'{"data": ["\xff\xfe"]}'), "bad_answer"),
    "no JSON": (answer(b'{"data": [}'), "bad_answer"),
    "deep JSON": (answer(b"[" * 200_000), "bad_answer"),
    "a huge number": (answer(b"9" * 10_000), "bad_answer"),
    "text": (answer(b'"text"'), "bad_answer"),
    "null": (answer(b"null"), "bad_answer"),
    "an object for rows": (answer(b'{"data": {"model_id": "a"}}'), "bad_answer"),
    "an error with 200": (answer(b'{"success": false, "message": "out of order"}'), "bad_answer"),
    "packed nonsense": (packed(PAGE), "bad_answer"),
    "moved to nowhere": (answer(b"", status="302 Found"), "bad_answer"),
    "moved to no URL": (answer(b"", "Location: http://[::1", status="302 Found"), "bad_answer"),
    "moved to no port": (answer(b"", "Location: http://127.0.0.1:99999/", status="302 Found"), "bad_answer"),
    "moved to a file": (answer(b"", "Location: file:///etc/passwd", status="302 Found"), "bad_answer"),
    "moved to port 0": (answer(b"", "Location: http://127.0.0.1:0/", status="302 Found"), "unreachable"),
    "moved in circles": (answer(b"", "Location: /", status="307 Temporary Redirect"), "bad_answer"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_whatever_a_hub_sends_the_error_is_one_of_ours(
    name: str, raw_hub: Any, clock: ManualClock, caplog: pytest.LogCaptureFixture
):
    sent, code = BROKEN[name]
    hub: RawHub = await raw_hub(sent)
    async with catalog_of(hub.url, clock) as catalog:
        with pytest.raises(HubError) as caught:
            await catalog.read(None)
    assert caught.value.code == code
    assert caught.value.hint
    assert not [record for record in caplog.records if record.name.startswith("hub_mcp")]  # no bug of ours


# -- one request for many ----------------------------------------------------------------------------


async def test_a_hundred_callers_of_an_empty_cache_make_one_request(catalog: Catalog, hub: Hub):
    readings: list[Reading[Snapshot]] = []

    async def read() -> None:
        readings.append(await catalog.read(None))

    hub.shut()
    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(read)
        await hub.is_asked()
        hub.open()
    assert hub.count == 1
    assert len({id(reading.value) for reading in readings}) == 1
    assert [reading.stale for reading in readings] == [False] * 100


async def test_a_hundred_callers_share_one_failure(catalog: Catalog, hub: Hub):
    errors: list[HubError] = []

    async def read() -> None:
        with pytest.raises(HubFailed) as caught:
            await catalog.read(None)
        errors.append(caught.value)

    hub.fail()
    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(read)
    assert hub.count == 1
    assert len({id(error) for error in errors}) == 100


async def test_a_caller_that_is_cancelled_cancels_nothing_for_the_others(catalog: Catalog, hub: Hub):
    readings: list[Reading[Snapshot]] = []
    first = anyio.CancelScope()

    async def read_first() -> None:
        with first:
            await catalog.read(None)
            pytest.fail("the first caller should have been cancelled")

    async def read() -> None:
        readings.append(await catalog.read(None))

    hub.shut()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read_first)
        await hub.is_asked()
        for _ in range(99):
            tasks.start_soon(read)
        first.cancel()
        hub.open()
    assert first.cancelled_caught
    assert (len(readings), hub.count) == (99, 1)


async def test_when_every_caller_is_cancelled_the_answer_still_comes_and_is_kept(catalog: Catalog, hub: Hub):
    hub.shut()
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(catalog.read, None)
        await hub.is_asked()
        tasks.cancel_scope.cancel()
    hub.open()
    assert ids(await catalog.read(None)) == ["a", "b"]  # joins the request, or finds its answer
    assert hub.count == 1


async def test_the_first_request_can_start_before_anybody_asks(catalog: Catalog, hub: Hub):
    hub.shut()
    catalog.warm(None)
    await hub.is_asked()
    hub.open()
    assert ids(await catalog.read(None)) == ["a", "b"]
    assert hub.count == 1


# -- time --------------------------------------------------------------------------------------------


async def test_a_laptop_that_slept_knows_that_its_catalog_is_old(
    catalog: Catalog, hub: Hub, clock: ManualClock
):
    await catalog.read(None)
    hub.fail()
    clock.sleep_through(5000)
    assert (await catalog.read(None)).age == 5000
    assert hub.count == 2


async def test_a_wall_clock_that_is_set_back_does_not_keep_a_catalog_young(
    catalog: Catalog, hub: Hub, clock: ManualClock
):
    await catalog.read(None)
    hub.fail()
    clock.advance(5000)
    clock.wall -= 100_000
    assert (await catalog.read(None)).age == 5000
    assert hub.count == 2


# -- keys, orders, access ----------------------------------------------------------------------------


async def test_answers_that_depend_on_the_key_are_kept_apart(hub: Hub, clock: ManualClock):
    async with catalog_of(hub.url, clock, profile=OPENAI) as catalog:
        small = await catalog.read("sk-sandbox-small")
        large = await catalog.read("sk-sandbox")
        assert ids(small) != ids(large)
        assert ids(await catalog.read("sk-sandbox-small")) == ids(small)
        assert catalog.peek("sk-other") is None
        assert catalog.peek(None) is None
    sent = [request.headers["authorization"] for request in hub.sandbox.requests]
    assert sent == ["Bearer sk-sandbox-small", "Bearer sk-sandbox"]


async def test_a_failure_with_one_key_is_never_shown_to_another(hub: Hub, clock: ManualClock):
    async with catalog_of(hub.url, clock, profile=OPENAI) as catalog:
        hub.fail()
        with pytest.raises(HubFailed):
            await catalog.read("sk-one")
        hub.fault = None
        assert ids(await catalog.read("sk-two")) == ["a", "b"]


async def test_a_public_catalog_is_shared_and_asked_for_without_the_key(catalog: Catalog, hub: Hub):
    one, two = await catalog.read("sk-one"), await catalog.read("sk-two")
    assert one.value is two.value
    assert hub.count == 1
    assert "authorization" not in hub.sandbox.requests[0].headers


async def test_each_order_of_the_hub_is_cached_by_itself(catalog: Catalog, hub: Hub):
    hub.sandbox.rows = [row("plain"), row("codestral"), row("coder")]
    for _ in range(2):
        assert (await catalog.order("coding", None, None)).value == {"codestral": 0, "coder": 1, "plain": 2}
        assert (await catalog.order("coding", "desc", None)).value == {"plain": 0, "codestral": 1, "coder": 2}
    queries = [request.query for request in hub.sandbox.requests]
    assert queries == ["sort_by=coding", "sort_by=coding&sort_order=desc"]


async def test_an_order_is_stale_and_renewed_like_the_catalog(catalog: Catalog, hub: Hub, clock: ManualClock):
    first = await catalog.order("model_ratio", "asc", None)
    clock.advance(700)
    second = await catalog.order("model_ratio", "asc", None)
    assert second.value is first.value
    assert "if-none-match" in hub.sandbox.requests[1].headers
    hub.fail()
    clock.advance(700)
    assert (await catalog.order("model_ratio", "asc", None)).stale


async def test_an_empty_order_is_an_error_and_not_the_order_of_the_catalog(catalog: Catalog, hub: Hub):
    hub.sandbox.rows = []
    with pytest.raises(BadAnswer, match="usable model"):
        await catalog.order("coding", None, None)


async def test_the_access_list_is_asked_for_with_the_key_and_kept_for_it(catalog: Catalog, hub: Hub):
    for _ in range(2):
        assert await catalog.access("sk-sandbox") == {"a", "b"}
    assert "gpt-4o-mini" in await catalog.access("sk-sandbox-small")
    sent = [(request.path, request.headers["authorization"]) for request in hub.sandbox.requests]
    assert sent == [("/v1/models", "Bearer sk-sandbox"), ("/v1/models", "Bearer sk-sandbox-small")]


async def test_an_access_list_that_is_suddenly_empty_is_not_believed(
    catalog: Catalog, hub: Hub, clock: ManualClock
):
    await catalog.access(KEY)
    hub.sandbox.rows = []
    clock.advance(700)
    assert await catalog.access(KEY) == {"a", "b"}


async def test_a_key_that_may_use_nothing_is_believed(catalog: Catalog, hub: Hub):
    hub.sandbox.rows = []
    assert await catalog.access(KEY) == frozenset()


@pytest.mark.parametrize("status", [200, 401, 500])
async def test_no_error_of_a_keyed_list_repeats_the_key(status: int, catalog: Catalog, hub: Hub):
    hub.fault = JSONResponse({"error": {"message": f"wrong key {KEY}"}}, status)
    with pytest.raises(HubError, match="wrong key") as caught:
        await catalog.access(KEY)
    assert KEY not in f"{caught.value!r}{caught.value}{vars(caught.value)}"
    chain = caught.value.__cause__ or caught.value.__context__
    assert KEY not in repr(chain)


async def test_a_catalog_that_is_printed_shows_no_key(hub: Hub, clock: ManualClock):
    async with catalog_of(hub.url, clock, profile=OPENAI) as catalog:
        reading = await catalog.read(KEY)
        assert KEY not in f"{catalog!r}{reading!r}"


# -- bounds ------------------------------------------------------------------------------------------


class Keyed(httpx2.MockTransport):
    """A hub that keeps the key `slow` waiting; `asked` is every key, in order."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.asked: list[str] = []
        self.door = anyio.Event()
        self.slow_came = anyio.Event()

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        key = request.headers["Authorization"].removeprefix("Bearer ")
        self.asked.append(key)
        if key == "slow":
            self.slow_came.set()
            await self.door.wait()
        return httpx2.Response(200, json={"data": [{"id": f"model-of-{key}"}]})


async def test_at_most_256_answers_are_kept_and_the_longest_unused_goes_first(clock: ManualClock):
    network = Keyed()
    async with catalog_of("https://hub", clock, profile=OPENAI, transport=network) as catalog:
        for number in range(256):
            await catalog.read(str(number))
        await catalog.read("0")
        await catalog.read("new")
        asked = len(network.asked)
        for kept in ("0", "2", "255", "new"):
            await catalog.read(kept)
        assert len(network.asked) == asked == 257
        await catalog.read("1")
        assert network.asked[-1] == "1"


async def test_a_request_that_is_under_way_is_never_dropped(clock: ManualClock):
    network = Keyed()
    readings: list[Reading[Snapshot]] = []
    async with catalog_of("https://hub", clock, profile=OPENAI, transport=network) as catalog:

        async def read_slowly() -> None:
            readings.append(await catalog.read("slow"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read_slowly)
            await network.slow_came.wait()
            for number in range(300):
                await catalog.read(str(number))
            tasks.start_soon(read_slowly)
            network.door.set()
    assert [ids(reading) for reading in readings] == [["model-of-slow"]] * 2
    assert network.asked.count("slow") == 1


# -- the end, and our own bugs -----------------------------------------------------------------------


async def test_closing_while_a_request_is_under_way_ends_it_and_tells_those_who_wait(
    raw_hub: Any, clock: ManualClock
):
    hub: RawHub = await raw_hub(None)
    errors: list[HubError] = []

    async def read(catalog: Catalog) -> None:
        with pytest.raises(Unreachable, match="stopping") as caught:
            await catalog.read(None)
        errors.append(caught.value)

    with anyio.fail_after(2):
        async with anyio.create_task_group() as tasks, catalog_of(hub.url, clock) as catalog:
            for _ in range(3):
                tasks.start_soon(read, catalog)
            await hub.asked.wait()
        await hub.hung_up.wait()
    assert len(errors) == 3
    gc.collect()  # a socket left open would warn now, and warnings are errors


async def test_closing_before_the_first_request_has_begun_does_not_hang(hub: Hub, clock: ManualClock):
    with anyio.fail_after(2):
        async with catalog_of(hub.url, clock) as catalog:
            catalog.warm(None)


async def test_cancelling_whoever_holds_the_catalog_ends_it(raw_hub: Any, clock: ManualClock):
    hub: RawHub = await raw_hub(None)
    with anyio.fail_after(2), anyio.CancelScope() as scope:
        async with catalog_of(hub.url, clock) as catalog:
            catalog.warm(None)
            await hub.asked.wait()
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    gc.collect()


async def test_an_exception_passes_through_the_catalog_as_it_is(hub: Hub, clock: ManualClock):
    async def hold() -> None:
        async with catalog_of(hub.url, clock) as catalog:
            catalog.warm(None)
            raise KeyError("the caller's own")

    with pytest.raises(KeyError, match="the caller's own"):
        await hold()


async def test_a_catalog_that_is_closed_answers_with_an_error_and_has_nothing_to_peek_at(
    hub: Hub, clock: ManualClock
):
    async with catalog_of(hub.url, clock) as catalog:
        await catalog.read(None)
    with pytest.raises(Unreachable, match="stopping"):
        await catalog.read(None)
    assert catalog.peek(None) is None


async def test_a_bug_of_ours_in_decoding_is_logged_and_nobody_hangs(
    hub: Hub, clock: ManualClock, caplog: pytest.LogCaptureFixture
):
    # No such shape: to decode is a KeyError.
    profile = replace(AIHUBMIX, catalog_shape="nonsense")  # type: ignore[arg-type]
    async with catalog_of(hub.url, clock, profile=profile) as catalog, anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(fails_with_our_bug, catalog)
    (record,) = (record for record in caplog.records if record.name == "hub_mcp.catalog")
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError


async def test_a_bug_of_ours_in_fetching_is_logged_and_the_last_good_catalog_is_served(
    hub: Hub, clock: ManualClock, caplog: pytest.LogCaptureFixture
):
    class Buggy(Upstream):
        broken = False

        async def get(self, path: str, **asked: Any) -> Answer:
            if self.broken:
                raise RuntimeError("a bug")
            return await super().get(path, **asked)

    with anyio.fail_after(5):
        async with (
            Buggy([hub.url], clock=clock, timeout=5) as upstream,
            Catalog(upstream, AIHUBMIX, clock=clock, max_stale=DAY) as catalog,
        ):
            await catalog.read(None)
            upstream.broken = True
            clock.advance(700)
            reading = await catalog.read(None)
    assert (ids(reading), reading.stale) == (["a", "b"], True)
    assert "could not be read" in reading.reason
    assert "a bug" in caplog.text


async def fails_with_our_bug(catalog: Catalog) -> None:
    with pytest.raises(HubFailed, match="could not be read"):
        await catalog.read(None)
