"""The only module that speaks HTTP: keys, time-outs, retries, the next base URL, errors."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx2

from . import __version__
from .clock import Clock, Stamp, elapsed
from .errors import BadAnswer, BadRequest, HubError, HubFailed, TimedOut, Unreachable
from .failures import failure

CHAT_PATH = "/v1/chat/completions"
MAX_BYTES = 32 * 1024 * 1024
CONNECT_SECONDS = 5.0
IDLE_SECONDS = 120.0
RETURN_TO_FIRST = 600.0
_MAX_REDIRECTS = 5
_LAST_PORT = 65535

_CONNECT_ONLY = httpx2.Timeout(None, connect=CONNECT_SECONDS)
"""For a GET: whatever follows the connecting is bounded as a whole, see `Upstream.get`."""

_NEVER_CONNECTED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)
"""A proxy's error too: it tells that the connection through it was not made."""

_UNREACHABLE_HINT = "Check the network, HUB_MCP_BASE_URL and any proxy, then try again."
_SURROUNDINGS_HINT = (
    "Check the variables HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE, then start the server again."
)
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


@dataclass(frozen=True, slots=True)
class _Ask:
    """What one GET asks for, at whichever base URL."""

    path: str
    params: Mapping[str, str] | None
    key: str | None = field(repr=False)
    validator: Validator | None

    def headers(self, base: str) -> dict[str, str]:
        validator = self.validator
        # An ETag with other bytes than ASCII is legal, but the client cannot send it back.
        if validator is not None and validator.base_url == base and validator.etag.isascii():
            return _headers(self.key) | {"If-None-Match": validator.etag}
        return _headers(self.key)


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


class ChatAnswer:
    """The answer to one chat, as it arrives: a stream of events, or one body."""

    def __init__(self, response: httpx2.Response, key: str, clock: Clock) -> None:
        self._response = response
        self._key = key
        self._clock = clock

    @property
    def streamed(self) -> bool:
        """What was asked for does not count: some hubs answer whole all the same, and errors are never streams."""
        kind = self._response.headers.get("content-type", "").partition(";")[0]
        return kind.strip().lower() == "text/event-stream"

    def events(self) -> AsyncGenerator[httpx2.ServerSentEvent]:
        """The events as they come; raises HubError."""
        _refuse_many_encodings(self._response)
        # Events are UTF-8, whatever the headers say; a byte order mark is not part of them.
        self._response.encoding = "utf-8-sig"
        source = httpx2.EventSource(self._response, max_event_size=MAX_BYTES)
        return cast("AsyncGenerator[httpx2.ServerSentEvent]", aiter(source))

    async def read(self) -> bytes:
        """The whole body; raises BadAnswer where it is too large."""
        return await _whole(self._response)

    def refusal(self, body: bytes) -> HubError:
        """The error that `body` is."""
        response, now = self._response, self._clock.stamp().wall
        return failure(response.status_code, response.headers, body, key=self._key, now=now)


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

        The time-out is for all of it, and each base URL gets its share. A broken connection
        is tried once more, then the next base URL is; one that is slow or cannot be
        connected to is not asked twice.
        """
        ask = _Ask(path, params, key, validator)
        bases = self._bases.in_order(self._clock.stamp())
        ends = anyio.current_time() + self._timeout
        problem: HubError | None = None
        for place, base in enumerate(bases):
            share = (ends - anyio.current_time()) / (len(bases) - place)
            try:
                with anyio.move_on_after(share):
                    return await self._get_patiently(base, ask)
                problem = TimedOut(
                    f"{urlsplit(base).netloc} did not answer within {share:.3g} s.", hint=_LATER
                )
            except (Unreachable, TimedOut) as error:
                problem = error
        assert problem is not None
        raise problem

    async def _get_patiently(self, base: str, ask: _Ask) -> Answer:
        try:
            return await self._get_once(base, ask)
        except Unreachable as error:
            if isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout):
                raise
        return await self._get_once(base, ask)

    async def _get_once(self, base: str, ask: _Ask) -> Answer:
        client = await self._ready()
        headers = ask.headers(base)
        with _mapped(base):
            request = client.build_request(
                "GET", base + ask.path, params=ask.params, headers=headers, timeout=_CONNECT_ONLY
            )
            async with aclosing(await _followed(client, request)) as response:
                body = await _whole(response)
        now = self._clock.stamp()
        if response.status_code < 500:
            self._bases.worked(base, now)
        if response.status_code == 200 or (response.status_code == 304 and "If-None-Match" in headers):
            return Answer(response.status_code, response.headers, body, base)
        raise failure(response.status_code, response.headers, body, key=ask.key, now=now.wall)

    async def _ready(self) -> httpx2.AsyncClient:
        try:
            client = await self._open()
        except (ImportError, OSError, ValueError) as error:
            # A SOCKS proxy without its package, a proxy that is no URL, certificates that are not there.
            raise Unreachable(f"No connection can be made: {error}", hint=_SURROUNDINGS_HINT) from error
        if client.is_closed:
            raise Unreachable("The server is stopping.")
        return client

    @asynccontextmanager
    async def open_chat(self, body: Mapping[str, Any], key: str) -> AsyncIterator[ChatAnswer]:
        """Send one chat and yield the answer, unread; raises HubError for a refusal.

        It is sent to the next base URL only while no connection was established: a chat
        that reached a hub may have been billed.
        """
        base, response = await self._sent(_encoded(body), key, streamed=bool(body.get("stream")))
        try:
            with _mapped(base):
                yield await self._accepted(response, key)
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()

    async def _sent(self, content: bytes, key: str, *, streamed: bool) -> tuple[str, httpx2.Response]:
        """The answer, unread, of the first base URL that a connection can be made to, and which that was."""
        try:
            client = await self._ready()
        except Unreachable as error:
            raise NeverConnected(error.message, hint=error.hint) from error
        # A whole answer may be long in coming; how long a chat may take is bounded as a whole.
        timeout = self._chat_timeout if streamed else _CONNECT_ONLY
        headers = self._chat_headers(key)
        problem: HubError | None = None
        for base in self._bases.in_order(self._clock.stamp()):
            url = base + CHAT_PATH
            request = client.build_request("POST", url, content=content, headers=headers, timeout=timeout)
            try:
                with _mapped(base):
                    response = await client.send(request, stream=True)
            except NeverConnected as error:
                problem = error
            else:
                self._bases.worked(base, self._clock.stamp())
                return base, response
        assert problem is not None
        raise problem

    async def _accepted(self, response: httpx2.Response, key: str) -> ChatAnswer:
        answer = ChatAnswer(response, key, self._clock)
        if response.status_code != 200:
            raise answer.refusal(await answer.read())
        return answer

    def _chat_headers(self, key: str) -> dict[str, str]:
        discount = {"APP-Code": self._app_code} if self._app_code else {}
        return _headers(key) | {"Content-Type": "application/json"} | discount

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


async def _followed(client: httpx2.AsyncClient, request: httpx2.Request) -> httpx2.Response:
    """The answer at the end of the redirects, unread."""
    for _hop in range(_MAX_REDIRECTS + 1):
        response = await client.send(request, stream=True)
        if response.next_request is None:
            return response
        # Unread: the client itself would read it all, however much it is.
        await response.aclose()
        request = _redirected(request, response.next_request)
    raise httpx2.TooManyRedirects(f"more than {_MAX_REDIRECTS} redirects", request=request)


def _redirected(asked: httpx2.Request, request: httpx2.Request) -> httpx2.Request:
    if (request.url.port or 0) > _LAST_PORT:
        raise httpx2.InvalidURL("a redirect to a port that does not exist")
    if request.url.origin != asked.url.origin:
        # The client would carry the key from http to https.
        request.headers.pop("Authorization", None)
    return request


def _encoded(body: Mapping[str, Any]) -> bytes:
    """A chat as JSON; halves of characters, which cannot be sent, become question marks."""
    try:
        written = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, RecursionError, TypeError) as error:
        raise BadRequest(f"The request cannot be sent as JSON: {error}.", hint="Correct it.") from error
    return written.encode(errors="replace")


async def _whole(response: httpx2.Response) -> bytes:
    _refuse_many_encodings(response)
    return await read_bounded(response)


def _refuse_many_encodings(response: httpx2.Response) -> None:
    if len(response.headers.get_list("Content-Encoding", split_commas=True)) > 1:
        # Of these a few kilobytes can grow to gigabytes inside the decoders, before any byte is out.
        raise BadAnswer("The hub's answer is compressed more than once.", hint=_LATER)


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
    except _NEVER_CONNECTED as error:
        raise NeverConnected(f"No connection to {host}: {_reason(error)}.", hint=_UNREACHABLE_HINT) from error
    except (httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
        raise Unreachable(
            f"The connection to {host} broke: {_reason(error)}.", hint=_UNREACHABLE_HINT
        ) from error
    except httpx2.SSEError as error:
        raise BadAnswer(f"The stream of {host} cannot be read: {_reason(error)}.", hint=_LATER) from error
    except httpx2.TimeoutException as error:
        raise TimedOut(f"{host} did not answer in time.", hint=_LATER) from error
    except (
        httpx2.DecodingError,
        httpx2.TooManyRedirects,
        httpx2.UnsupportedProtocol,
        httpx2.InvalidURL,
    ) as error:
        raise BadAnswer(
            f"{host} gave an answer that cannot be read: {_reason(error)}.", hint=_UNREACHABLE_HINT
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
        if isinstance(cause, socket.gaierror):
            return "nobody knows its name"
    if isinstance(error, httpx2.ConnectTimeout):
        return "it does not answer"
    if isinstance(error, httpx2.LocalProtocolError):
        # Its text quotes what was sent, the key among it.
        return "the request cannot be sent as it is"
    return str(error).rstrip(".") or type(error).__name__
