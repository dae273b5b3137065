"""What the tests share: the event loop, a clock that is set by hand, the embedded hub on a real port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketListener, SocketStream

from hub_mcp.clock import Stamp
from hub_mcp.sandbox.serve import running
from hub_mcp.sandbox.state import Sandbox


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class ManualClock:
    """Stands still until a test moves it."""

    monotonic: float = 1000.0
    wall: float = 1_790_000_000.0

    def stamp(self) -> Stamp:
        return Stamp(self.monotonic, self.wall)

    def advance(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds

    def sleep_through(self, seconds: float) -> None:
        """As a laptop does: the wall clock goes on, the monotonic one does not."""
        self.wall += seconds


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@dataclass
class RunningSandbox:
    """The embedded hub, and where it listens."""

    sandbox: Sandbox
    url: str


@pytest.fixture
async def embedded() -> AsyncIterator[RunningSandbox]:
    sandbox = Sandbox()
    async with running(sandbox) as url:
        yield RunningSandbox(sandbox, url)


class RawHub:
    """Bytes on a socket: every connection gets the next reply, the last one over and over.

    The connection ends after its reply; `None` as a reply is silence until the caller hangs up.
    """

    def __init__(self, replies: Sequence[bytes | None], listener: SocketListener) -> None:
        self._replies = replies
        self._listener = listener
        self.url = f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        self.requests: list[bytes] = []
        self.sent = 0
        self.asked = anyio.Event()
        self.hung_up = anyio.Event()

    async def serve(self) -> None:
        async with self._listener:
            await self._listener.serve(self._answer)

    async def _answer(self, stream: SocketStream) -> None:
        try:
            async with stream:
                self.requests.append(await stream.receive())
                self.asked.set()
                await self._say(stream, self._replies[min(len(self.requests), len(self._replies)) - 1])
        except (anyio.BrokenResourceError, anyio.EndOfStream):
            self.hung_up.set()

    async def _say(self, stream: SocketStream, reply: bytes | None) -> None:
        if reply is None:
            await stream.receive()
        for start in range(0, len(reply or b""), 65536):
            await stream.send(reply[start : start + 65536])
            self.sent += 65536


@pytest.fixture
async def raw_hub() -> AsyncIterator[Callable[..., Awaitable[RawHub]]]:
    """Starts a hub that answers with the bytes it is given."""
    async with anyio.create_task_group() as tasks:

        async def start(*replies: bytes | None) -> RawHub:
            (listener,) = (await anyio.create_tcp_listener(local_host="127.0.0.1")).listeners
            hub = RawHub(replies, listener)
            tasks.start_soon(hub.serve)
            return hub

        yield start
        tasks.cancel_scope.cancel()
