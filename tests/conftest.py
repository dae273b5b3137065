"""What the tests share: the event loop, a clock that is set by hand, the embedded hub on a real port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

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
