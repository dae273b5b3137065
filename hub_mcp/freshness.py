"""How long an answer may be used: pure decisions, no clock and no state.

An answer is FRESH until its lifetime ends, then STALE (served at once while one
renewal runs) for the stale-while-revalidate window, then EXPIRED (the caller waits).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

DEFAULT_SECONDS = 300.0
"""Both windows where the hub names none (AIHubMix documents 300 for each)."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0

_LONGEST = 2.0**31
"""Seconds as which RFC 9111 reads anything longer: 68 years."""

_DIRECTIVE = re.compile(r'([\w-]+)\s*(?:=\s*"?([^",;\s]*)"?)?')


class Freshness(Enum):
    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Policy:
    """Seconds that an answer is fresh, and seconds after that it may be served while it is renewed."""

    lifetime: float = DEFAULT_SECONDS
    stale_while_revalidate: float = DEFAULT_SECONDS

    @classmethod
    def from_headers(cls, cache_control: str | None, age: str | None = None) -> Policy:
        """Read `Cache-Control` and `Age` leniently: what cannot be read counts as absent."""
        directives = {name.lower(): value for name, value in _DIRECTIVE.findall(cache_control or "")}
        lifetime = _seconds(directives.get("max-age"), DEFAULT_SECONDS) - _seconds(age, 0.0)
        window = _seconds(directives.get("stale-while-revalidate"), DEFAULT_SECONDS)
        return cls(max(lifetime, 0.0), window)


def judge(age: float, policy: Policy) -> Freshness:
    """Which of the three an answer of `age` seconds is; never fresher as it grows older."""
    if age < policy.lifetime:
        return Freshness.FRESH
    if age < policy.lifetime + policy.stale_while_revalidate:
        return Freshness.STALE
    return Freshness.EXPIRED


def pause_after(failures: int, jitter: float, retry_after: float | None = None) -> float:
    """Seconds to leave the hub alone after so many failures in a row.

    1, 2, 4 … 60, lengthened by up to a quarter for `jitter` in [0, 1), so that many
    servers do not come back at once; never shorter than what the hub asked for, up to 60.
    """
    pause = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 16), LONGEST_PAUSE)
    pause = min(pause * (1 + jitter / 4), LONGEST_PAUSE)
    return max(pause, min(retry_after or 0.0, LONGEST_PAUSE))


def _seconds(text: str | None, default: float) -> float:
    """Whole seconds as RFC 9111 writes them; anything else is the default."""
    digits = (text or "").partition(",")[0].strip()
    return min(float(digits), _LONGEST) if digits.isascii() and digits.isdecimal() else default
