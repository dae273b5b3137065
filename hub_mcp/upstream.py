"""The only module that speaks HTTP: keys, time-outs, retries, the next base URL, errors."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx2

from . import __version__
from .clock import Clock, Stamp, elapsed
from .errors import BadAnswer, HubError, HubFailed, TimedOut, Unreachable
from .failures import failure

CHAT_PATH = "/v1/chat/completions"
MAX_BYTES = 32 * 1024 * 1024
CONNECT_SECONDS = 5.0
IDLE_SECONDS = 120.0
RETURN_TO_FIRST = 600.0
_MAX_REDIRECTS = 5

_UNREACHABLE_HINT = "Check the network, HUB_MCP_BASE_URL and any proxy, then try again."
_LATER = "Try again later."


@dataclass(frozen=True, slots=True)
class Answer:
    """A 200 or a 304, whole. `base_url` is the one that answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    base_url: str


@dataclass(frozen=True, slots=True)
class Validator:
    """An `ETag` and the base URL that gave it: another hub's may mean something else."""

    etag: str
    base_url: str


class NeverConnected(Unreachable):
    """No connection was established, so nothing was sent."""


class BaseUrls:
    """In which order to try the base URLs: the one that works first, the best-liked again after a while."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls)
        self._preferred = self._urls[0]
        self._since: Stamp | None = None

    def in_order(self, now: Stamp) -> tuple[str, ...]:
        if self._since is not None and elapsed(self._since, now) >= RETURN_TO_FIRST:
            self._preferred, self._since = self._urls[0], None
        return (self._preferred, *(url for url in self._urls if url != self._preferred))

    def worked(self, url: str, now: Stamp) -> None:
        if url != self._preferred:
            self._preferred = url
            self._since = None if url == self._urls[0] else now


class Upstream:
    """A hub over HTTP. An async context manager: connections live as long as it."""

    def __init__(
        self,
        base_urls: Sequence[str],
        *,
        clock: Clock,
        timeout: float,
        idle_timeout: float = IDLE_SECONDS,
        app_code: str | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._bases = BaseUrls(base_urls)
        self._count = len(base_urls)
        self._clock = clock
        self._timeout = timeout
        self._chat_timeout = httpx2.Timeout(idle_timeout, connect=CONNECT_SECONDS)
        self._app_code = app_code
        self._transport = transport
        self._client: httpx2.AsyncClient | None = None
        self._opening = anyio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            with anyio.CancelScope(shield=True):
                await self._client.aclose()

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        key: str | None = None,
        validator: Validator | None = None,
    ) -> Answer:
        """One GET, at the first base URL that answers; raises HubError.

        The overall time-out covers every attempt. A broken connection is tried once more,
        then the next base URL is; one that is merely slow is not asked twice.
        """
        with anyio.move_on_after(self._timeout):
            return await self._get_anywhere(path, params, key, validator)
        raise TimedOut(f"The hub did not answer within {self._timeout:g} s.", hint=_LATER)

    async def _get_anywhere(
        self, path: str, params: Mapping[str, str] | None, key: str | None, validator: Validator | None
    ) -> Answer:
        problem: HubError | None = None
        for base in self._bases.in_order(self._clock.stamp()):
            for _attempt in range(2):
                try:
                    return await self._get_once(base, path, params, key, validator)
                except Unreachable as error:
                    problem = error
                except TimedOut as error:
                    problem = error
                    break
        assert problem is not None
        raise problem

    async def _get_once(
        self,
        base: str,
        path: str,
        params: Mapping[str, str] | None,
        key: str | None,
        validator: Validator | None,
    ) -> Answer:
        headers = _headers(key)
        if validator is not None and validator.base_url == base:
            headers["If-None-Match"] = validator.etag
        client = await self._open()
        # Every base URL gets its share of the overall time.
        share = self._timeout / self._count
        timeout = httpx2.Timeout(share, connect=min(CONNECT_SECONDS, share / 2))
        with _mapped(base):
            async with client.stream(
                "GET", base + path, params=params, headers=headers, timeout=timeout, follow_redirects=True
            ) as response:
                body = await read_bounded(response)
        self._bases.worked(base, self._clock.stamp())
        if response.status_code not in (200, 304):
            raise failure(response.status_code, response.headers, body, key=key, now=self._clock.stamp().wall)
        return Answer(response.status_code, response.headers, body, base)

    @asynccontextmanager
    async def open_chat(self, body: Mapping[str, Any], key: str) -> AsyncIterator[httpx2.Response]:
        """Send one chat and yield the answer, unread; raises HubError for a refusal.

        It is sent to the next base URL only while no connection was established: a chat
        that reached a hub may have been billed.
        """
        client = await self._open()
        problem: HubError | None = None
        for base in self._bases.in_order(self._clock.stamp()):
            request = client.build_request(
                "POST",
                base + CHAT_PATH,
                json=body,
                headers=self._chat_headers(key),
                timeout=self._chat_timeout,
            )
            try:
                with _mapped(base):
                    response = await client.send(request, stream=True)
            except NeverConnected as error:
                problem = error
                continue
            self._bases.worked(base, self._clock.stamp())
            try:
                with _mapped(base):
                    yield await self._accepted(response, key)
            finally:
                with anyio.CancelScope(shield=True):
                    await response.aclose()
            return
        assert problem is not None
        raise problem

    async def _accepted(self, response: httpx2.Response, key: str) -> httpx2.Response:
        if response.status_code != 200:
            body = await read_bounded(response)
            raise failure(response.status_code, response.headers, body, key=key, now=self._clock.stamp().wall)
        return response

    def _chat_headers(self, key: str) -> dict[str, str]:
        return _headers(key) | ({"APP-Code": self._app_code} if self._app_code else {})

    async def _open(self) -> httpx2.AsyncClient:
        async with self._opening:
            if self._client is None:
                # Loading the certificates takes a tenth of a second: not on the event loop.
                self._client = await anyio.to_thread.run_sync(self._new_client)
            return self._client

    def _new_client(self) -> httpx2.AsyncClient:
        loopback: dict[str, httpx2.AsyncBaseTransport | None] = {
            # A proxy cannot reach this machine's own addresses.
            f"all://{host}": None
            for host in ("127.0.0.1", "localhost", "[::1]")
        }
        return httpx2.AsyncClient(
            transport=self._transport,
            mounts=loopback if self._transport is None else None,
            max_redirects=_MAX_REDIRECTS,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),
        )


def _headers(key: str | None) -> dict[str, str]:
    headers = {"User-Agent": f"hub-mcp/{__version__}", "Accept": "application/json"}
    return headers | ({"Authorization": f"Bearer {key}"} if key else {})


async def read_bounded(response: httpx2.Response) -> bytes:
    """The whole body, decompressed; raises BadAnswer as soon as it is over MAX_BYTES."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_BYTES:
            raise BadAnswer(f"The hub's answer is larger than {MAX_BYTES // 1024**2} MB.", hint=_LATER)
    return bytes(body)


@contextmanager
def _mapped(base: str) -> Iterator[None]:
    """Turn the HTTP client's exceptions into ours."""
    host = urlsplit(base).netloc
    try:
        yield
    except (
        httpx2.ConnectTimeout,
        httpx2.NetworkError,
        httpx2.RemoteProtocolError,
        httpx2.ProxyError,
    ) as error:
        raise Unreachable(
            f"The connection to {host} broke: {_reason(error)}.", hint=_UNREACHABLE_HINT
        ) from error
    except httpx2.TimeoutException as error:
        raise TimedOut(f"{host} did not answer in time.", hint=_LATER) from error
    except (
        httpx2.DecodingError,
        httpx2.TooManyRedirects,
        httpx2.UnsupportedProtocol,
        httpx2.InvalidURL,
    ) as error:
        raise BadAnswer(
            f"{host} gave an answer that cannot be read: {error}.", hint=_UNREACHABLE_HINT
        ) from error
    except httpx2.HTTPError as error:
        raise HubFailed(f"The request to {host} failed: {_reason(error)}.", hint=_LATER) from error


def _reason(error: Exception) -> str:
    """In plain words where the cause tells, else in the client's own."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
    if isinstance(error, httpx2.ConnectTimeout):
        return "it does not answer"
    return str(error).rstrip(".") or type(error).__name__
