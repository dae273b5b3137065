"""Search as the catalog grows: the index, its memory, questions beside a plain linear scan, completions."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from time import perf_counter
from typing import TypeVar

from hub_mcp import wire
from hub_mcp.filters import ANYTHING
from hub_mcp.index import Index
from hub_mcp.models import Model
from hub_mcp.search import find

from . import crowd
from .questions import BEGINNINGS, MIXTURES, QUERIES
from .report import Row
from .setup import Setup

SIZES = (804, 10_000)
LARGE = 100_000
ROUNDS = 3
LIMIT = 10

SEARCH_GOAL = 0.9
"""A scan of 10,000 rows takes 5.6 ms where the goal was set: of that 5 ms, and ten times both for 100,000."""
COMPLETION_SIZE, COMPLETION_LIMIT = 10_000, 5.0

T = TypeVar("T")

QUESTIONS = (*QUERIES, *MIXTURES)


def rows(setup: Setup) -> list[Row]:
    sizes = SIZES if setup.quick else (*SIZES, LARGE)
    return [row for size in sizes for row in _of_size(size, setup.times(ROUNDS))]


def _of_size(size: int, rounds: int) -> list[Row]:
    label = f"{size:,} models"
    body = crowd.body(size)
    gc.collect()  # what was left before shall not be cleared away in this size's time
    catalog, decoding = _timed(lambda: wire.decode_catalog(body, "aihubmix"))
    index, building = _timed(lambda: Index(catalog.models))
    searches, scans = _searches(index, rounds)
    scan = median(scans)
    goal = None if size == SIZES[0] else SEARCH_GOAL
    limit = COMPLETION_LIMIT if size == COMPLETION_SIZE else None
    return [
        Row(f"{label}: index, beside reading the catalog", building, decoding),
        Row(f"{label}: memory of the index, a row", _memory(catalog.models) / size, unit="B"),
        Row(f"{label}: search, median, beside a scan", median(searches), scan, goal),
        Row(f"{label}: search, worst, beside a scan", max(searches), scan, goal),
        Row(f"{label}: completion, worst", _completion(index, rounds), limit=limit),
    ]


def _searches(index: Index, rounds: int) -> tuple[list[float], list[float]]:
    """Each question's least time in milliseconds: ours, and the plain scan's right after it."""
    find(index, "cluade", ANYTHING, LIMIT)  # with the first slip comes a library
    ours: dict[str, list[float]] = {question: [] for question in QUESTIONS}
    plain: dict[str, list[float]] = {question: [] for question in QUESTIONS}
    for _ in range(rounds):
        for question in QUESTIONS:
            ours[question].append(_timed(partial(find, index, question, ANYTHING, LIMIT))[1])
            plain[question].append(_timed(partial(_scan, index.models, question))[1])
    return [min(each) for each in ours.values()], [min(each) for each in plain.values()]


def _scan(models: Sequence[Model], question: str) -> list[Model]:
    words = question.lower().split()
    return [
        model
        for model in models
        if all(
            word in model.id.lower() or word in model.name.lower() or word in model.description.lower()
            for word in words
        )
    ]


def _completion(index: Index, rounds: int) -> float:
    """The least time of the slowest beginning."""
    return max(
        min(_timed(partial(index.complete, beginning))[1] for _ in range(rounds)) for beginning in BEGINNINGS
    )


def _memory(models: Sequence[Model]) -> int:
    """Bytes that an index takes beside the models themselves. It is built anew: tracing slows it down."""
    gc.collect()
    tracemalloc.start()
    index = Index(models)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del index
    return held


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """What came out, and how many milliseconds it took."""
    began = perf_counter()
    result = work()
    return result, (perf_counter() - began) * 1000
