"""Which of two equally fitting models comes first: the plain before its copies, the newer before the older. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from math import inf
from typing import NamedTuple

from . import text
from .developers import bare_name
from .models import Model

_COPIES = re.compile(
    r"-free\b|:[\w-]+$|@|\(|\d{4}-\d{2}-\d{2}|-(?:19|20)?\d{6}\b|-\d{2}-\d{2}\b|-\d{4}$|-global$"
    r"|-(?:custom\w*|nothink|think|thinking|high|low|highspeed)\b"
)
_EARLY = re.compile(r"-(?:preview|exp|experimental|beta|test)\b")
_RETIRED = re.compile(r"\b(?:instant|davinci|curie|babbage|ada|edit|moderation)\b")
_VERSION = re.compile(
    r"(?<![a-z0-9])v?(\d{1,3})(?:[.\-](\d{1,2}))?(?![\d])(?!\s*[bk]\b)|(?<=[a-z])(\d{1,3})(?:[.](\d{1,2}))?(?!\d)"
)


class Rank(NamedTuple):
    """The smaller, the better: how much of a copy it is, how unfinished, its version with the newest smallest,
    how much of it is unknown, and its place in the catalog.
    """

    copies: int
    early: int
    version: tuple[float, float]
    unknown: int
    number: int


def rank(number: int, model: Model) -> Rank:
    bare = bare_name(model.id)
    hosted = bare != text.fold(model.id)
    return Rank(
        copies=2 * hosted + len(_COPIES.findall(bare)) + 2 * len(_RETIRED.findall(bare)),
        early=len(_EARLY.findall(bare)),
        version=_version(bare),
        unknown=(model.pricing.input is None) + (model.context_length is None) + (not model.types),
        number=number,
    )


def price(model: Model) -> float:
    """What a token in and a token out cost together; infinity where that is unknown."""
    pricing = model.pricing
    return inf if pricing.input is None or pricing.output is None else pricing.input + pricing.output


def dearness(model: Model) -> float:
    """A key that sorts by price, the dearest first and unknown prices last."""
    known = price(model)
    return inf if known == inf else -known


def newest_first(model: Model) -> tuple[int, ...]:
    """A key that sorts by date, the newest first; models without a date come last."""
    return tuple(-ord(char) for char in model.created) or (0,)


def _version(bare: str) -> tuple[float, float]:
    found = _VERSION.search(_EARLY.sub("", _COPIES.sub("", bare)))
    return _newest_smallest(found[1] or found[3], found[2] or found[4]) if found else _UNKNOWN_VERSION


@lru_cache(maxsize=4096)
def _newest_smallest(major: str, minor: str | None) -> tuple[float, float]:
    """One for all models of a version: of a hundred thousand each would have its own."""
    return -float(major), -float(minor or 0)


_UNKNOWN_VERSION = (0.0, 0.0)
