"""Start-up: from the spawn to the reply to `initialize`, and to the answer of the first call."""

from __future__ import annotations

from statistics import quantiles
from time import perf_counter

from .child import Child
from .report import Row
from .setup import Setup

RUNS = 16
GOAL = 1.10


def rows(setup: Setup) -> list[Row]:
    setup.bare().__exit__(None, None, None)  # the first run of each writes byte code
    setup.ours().__exit__(None, None, None)
    ours: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    for number in range(setup.times(RUNS)):
        # A, B, B, A, …: neither is always the one that finds the machine warm.
        if number % 2:
            bare.append(_bare(setup))
            ours.append(_ours(setup))
        else:
            ours.append(_ours(setup))
            bare.append(_bare(setup))
    return [
        Row("start to initialize reply", _typical(ours, 0), _typical(bare, 0), GOAL),
        Row("start to first answer (cold catalog)", _typical(ours, 1), _typical(bare, 1)),
    ]


def _typical(times: list[tuple[float, float]], which: int) -> float:
    """The lower quartile: other work on the machine only ever adds, and a start takes long enough to meet it."""
    return quantiles((each[which] for each in times), n=4, method="inclusive")[0] * 1000


def _ours(setup: Setup) -> tuple[float, float]:
    with setup.ours() as child:
        return _timed(child, "list_models", {})


def _bare(setup: Setup) -> tuple[float, float]:
    with setup.bare() as child:
        return _timed(child, "echo", {"text": "hello"})


def _timed(child: Child, tool: str, arguments: dict[str, str]) -> tuple[float, float]:
    child.call(tool, arguments)
    return child.start_time, perf_counter() - child.spawned
