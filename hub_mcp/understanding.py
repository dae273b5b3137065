"""What a question means: words that name a criterion become one, the others stay words. Pure; English and Chinese.

`cheap vision model with tool use, 200k context` is: input modality image, feature tools,
at least 200,000 tokens of context, cheapest first. Everything that was understood is said
again in the answer, so that nothing is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from . import text
from .filters import ANYTHING, Filters
from .phrases import CHINESE_FILLERS, CHINESE_NAME, CHINESE_NAMES, FILLERS, PHRASES, TRADITIONAL

LONG_CONTEXT = 200_000
LONG_OUTPUT = 32_000


@dataclass(frozen=True, slots=True)
class Meaning:
    """A question, understood.

    `filters` are its criteria, `order` is `cheapest`, `dearest`, `newest`,
    `largest_context` or `longest_output` where it asks for one. `words` are what is left to look for. `hints` are the
    words that became criteria and may be part of a name all the same; `said` are those of them
    that tell a type, feature or modality.
    """

    filters: Filters = ANYTHING
    order: str = ""
    words: str = ""
    hints: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    def interpreted(self) -> dict[str, Any]:
        """The criteria by the names of the tools' arguments, for the answer."""
        return {**self.filters.given(), **({"order": self.order} if self.order else {})}


@dataclass(slots=True)
class _Draft:
    """A meaning in the making."""

    rest: str
    types: list[str] = field(default_factory=list)
    modalities: list[str] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)
    order: str = ""
    hints: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def understand(question: str, *, sizes_are_names: bool = False) -> Meaning:
    """Read a question. A bare `32k` is a context length, or part of a name where the caller knows so."""
    draft = _Draft(f" {_spaced(question)} ")
    _read_prices(draft)
    _read_sizes(draft, sizes_are_names)
    for pattern, note in PHRASES:
        draft.rest = pattern.sub(partial(_noted, draft, note), draft.rest)
    filters = Filters(
        types=tuple(dict.fromkeys(draft.types)),
        modalities=tuple(dict.fromkeys(draft.modalities)),
        features=tuple(dict.fromkeys(draft.features)),
        **draft.numbers,
    )
    return Meaning(filters, draft.order, _without_fillers(draft.rest), tuple(draft.hints), tuple(draft.said))


def overruled(meaning: Meaning, explicit: Filters) -> Meaning:
    """The meaning without what explicit arguments say better."""
    said = explicit.given()
    if "free" in said:
        said |= {"max_input_price": 0, "max_output_price": 0}
    defaults = {name: getattr(ANYTHING, name) for name in _FIELD_OF if _FIELD_OF[name] in said}
    return replace(meaning, filters=replace(meaning.filters, **defaults))


def _without_fillers(rest: str) -> str:
    """The words that tell models apart. Nothing where only fillers are left and a criterion was found."""
    named = CHINESE_NAME.sub(lambda match: f" {CHINESE_NAMES[match[0]]} ", rest)
    kept = CHINESE_FILLERS.sub(" ", named).split()
    return " ".join(
        word for word in kept if word.strip(",.;:!?()'\"") not in FILLERS and any(map(str.isalnum, word))
    )


_FIELD_OF = {"types": "type"} | {
    name: name
    for name in (
        "modalities",
        "features",
        "min_context",
        "min_output",
        "max_input_price",
        "max_output_price",
        "free",
        "developer",
    )
}


def _spaced(question: str) -> str:
    """Folded, with Chinese set apart from letters and digits, so that word borders mean something."""
    folded = text.fold(question).translate(TRADITIONAL)
    return re.sub(r"(?<=[\u3400-\u9fff])(?=[a-z0-9$¥])|(?<=[a-z0-9])(?=[\u3400-\u9fff])", " ", folded)


_NEGATION = re.compile(
    r"(?:\b(?:non|no|not|without)\b|n't\b|不|非|无)[\s-]*(?:support\w*|have|need\w*|支持|需要|要|能|带)?\s*\Z"
)


def _noted(draft: _Draft, note: Mapping[str, str], match: re.Match[str]) -> str:
    if _NEGATION.search(draft.rest[: match.start()]):
        return match[0]
    told = [word for word in text.words(match[0]) if word.isascii() and word not in FILLERS]
    draft.hints.extend(told)
    for kind, value in note.items():
        if kind == "order":
            draft.order = draft.order or value
        elif kind in _ALWAYS:
            draft.numbers.setdefault(kind, _ALWAYS[kind])
        elif kind != "soft":
            getattr(draft, kind).append(value)
            draft.said.extend(told)
    return " "


_ALWAYS: Mapping[str, Any] = {"min_context": LONG_CONTEXT, "min_output": LONG_OUTPUT, "free": True}


# --- prices -------------------------------------------------------------------------------

_PRICE = re.compile(
    r"""
    (?:(?<!structured\ )(?<!json\ ) (?P<side>input|output|输入|输出) \s* (?:tokens?|price|cost|价格?)? \s* (?:is\s*)?)?
    (?:(?:that\s+)? cost(?:s|ing)?\s+ | priced?\s+)?
    (?:under|below|less\ than|at\ most|up\ to|max(?:imum)?|cheaper\ than|no\ more\ than|within
       |<=?|≤|不超过|低于|少于|小于|最多)? \s*
    (?:(?:\$|usd\s*|us\$) \s* (?P<dollars>\d+(?:\.\d+)?)
       | (?P<named>\d+(?:\.\d+)?) \s* (?:\$|usd|dollars?|bucks|美元|美金|刀)
       | (?P<cents>\d+(?:\.\d+)?) \s* (?:cents?|¢|美分)
       | (?:an?|one)\ dollar | 一美元)
    (?:\s*(?:/|per|a|每) \s* (?:1?m(?:illion)?|mtok|百万)? \s* (?:tokens?)?)?
    (?:\s*(?:for\s+|on\s+)? (?P<side_after>input|output|in|out|输入|输出)\b (?:\s*(?:tokens?|price|cost))?)?
    """,
    re.VERBOSE,
)


# Without a currency only where the words leave no doubt: "output at most 2".
_PLAIN_PRICE = re.compile(
    r"(?P<side>input|output|输入|输出)\s*(?:price|cost|价格?)?\s*(?:is\s*)?"
    r"(?:under|below|less than|at most|up to|no more than|<=?|≤|不超过|低于|少于|小于|最多)\s*"
    r"(?P<amount>\d{1,2}(?:\.\d+)?)(?![\d.]|\s*(?:k|m|million|tokens?)\b)"
)


def _read_prices(draft: _Draft) -> None:
    def note(match: re.Match[str]) -> str:
        cents = float(match["cents"] or 100) / 100
        amount = float(match["dollars"] or match["named"] or cents)
        side = match["side_after"] or match["side"] or ""
        name = "max_output_price" if side.startswith(("out", "输出")) else "max_input_price"
        draft.numbers.setdefault(name, amount)
        return " "

    def note_plain(match: re.Match[str]) -> str:
        name = "max_output_price" if match["side"].startswith(("out", "输出")) else "max_input_price"
        draft.numbers.setdefault(name, float(match["amount"]))
        return " "

    draft.rest = _PLAIN_PRICE.sub(note_plain, _PRICE.sub(note, draft.rest))


# --- sizes --------------------------------------------------------------------------------

_SIZE = re.compile(
    r"""
    (?:(?:max(?:imum)?|min(?:imum)?|at\ least|over|more\ than|up\ to|>=?|≥|至少|超过) \s*)?
    (?P<before>(?:(?:context|ctx|window|output|上下文|输出) \s* (?:window|length|size|长度)? \s*
        (?:(?:of|at\ least|over|more\ than|up\ to|>=?|≥|至少|超过) \s*)*)?)
    (?:(?<![a-z0-9_.\-/]) (?P<number>\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?) \s* (?P<unit>k|million|m|thousand|百万|万)?
       | (?:\b(?:an?|one)\ )?\bmillion) \+? (?:以上)? (?![a-z0-9_.\-/])
    (?P<after>(?:\s* -? \s* (?:tokens?\s*)? (?:of\s+|的)? (?:max(?:imum)?\s+)?
        (?:context|ctx|window|output|tokens?|上下文|输出) (?:\s*(?:window|length|size|长度))?)*)
    """,
    re.VERBOSE,
)
_TIMES = {"k": 10**3, "thousand": 10**3, "万": 10**4, "m": 10**6, "million": 10**6, "百万": 10**6}
_SMALLEST_BARE = 1000


def _read_sizes(draft: _Draft, sizes_are_names: bool) -> None:
    def note(match: re.Match[str]) -> str:
        around = f"{match['before']}{match['after']}".strip()
        unit = match["unit"] if match["number"] else "million"
        size = float((match["number"] or "1").replace(",", "")) * _TIMES.get(unit or "", 1)
        if not around and (unit in (None, "万") or sizes_are_names):
            return match[0]
        if size < _SMALLEST_BARE:
            return match[0]
        draft.numbers.setdefault(
            "min_output" if re.search(r"output|输出", around) else "min_context", int(size)
        )
        return " "

    draft.rest = _SIZE.sub(note, draft.rest)
