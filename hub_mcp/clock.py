"""Time, passed in so that tests can set it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stamp:
    """One moment on both clocks, in seconds."""

    monotonic: float
    wall: float


class Clock(Protocol):
    def stamp(self) -> Stamp: ...


class SystemClock:
    def stamp(self) -> Stamp:
        return Stamp(time.monotonic(), time.time())


def elapsed(since: Stamp, now: Stamp) -> float:
    """Seconds between two moments, by whichever clock saw more of them.

    The monotonic clock stands still while a laptop sleeps; the wall clock may be set back.
    """
    return max(now.monotonic - since.monotonic, now.wall - since.wall, 0.0)
