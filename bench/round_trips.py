"""Warm calls: both servers alive, short blocks of calls in turn, medians."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from statistics import median
from typing import Any

from .child import Child
from .questions import FILTERS, QUERIES
from .report import Row
from .setup import Setup

ROUNDS = 16
BLOCK = 40
LIST_GOAL = 1.5
SEARCH_GOAL = 2.0

Arguments = dict[str, Any]


def rows(setup: Setup) -> list[Row]:
    with setup.ours() as ours, setup.bare() as bare:
        kinds = _kinds(ours, bare)
        times: dict[str, list[float]] = {name: [] for name in kinds}
        for number in range(setup.times(ROUNDS) + 1):
            for name, (child, tool, arguments) in kinds.items():
                took = [child.call(tool, each) for each in islice(arguments, BLOCK)]
                if number:  # the first round warms up
                    times[name] += took
    # The bare server is asked between each two of ours, so that both see the same machine.
    yardstick = _middle(times["echo"] + times["echo again"] + times["echo once more"])
    return [
        Row("warm list_models", _middle(times["list"]), yardstick, LIST_GOAL),
        Row("warm list_models, filtered and sorted", _middle(times["filtered"]), yardstick, LIST_GOAL),
        Row("warm search_models", _middle(times["search"]), yardstick, SEARCH_GOAL),
    ]


def _kinds(ours: Child, bare: Child) -> dict[str, tuple[Child, str, Iterator[Arguments]]]:
    return {
        "echo": (bare, "echo", cycle([{"text": "hello"}])),
        "list": (ours, "list_models", cycle([{}])),
        "echo again": (bare, "echo", cycle([{"text": "hello"}])),
        "filtered": (ours, "list_models", cycle(FILTERS)),
        "echo once more": (bare, "echo", cycle([{"text": "hello"}])),
        "search": (ours, "search_models", cycle({"query": query} for query in QUERIES)),
    }


def _middle(times: list[float]) -> float:
    return median(times) * 1000
