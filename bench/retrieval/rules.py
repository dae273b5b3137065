"""What a raw catalog row satisfies, by brute force and from the JSON alone.

A rule answers `None` where the catalog cannot tell: no limit, no types, no features, no modalities.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
Rule = Callable[[Row], bool | None]

CATALOG = Path(__file__).parents[2] / "hub_mcp" / "sandbox" / "catalog.json"
PRICED_OTHERWISE = {"image_generation", "video", "tts", "stt"}
SAME_FEATURE = {"tool": "tools", "function_calling": "tools"}


@lru_cache(maxsize=1)
def rows() -> tuple[Row, ...]:
    return tuple(json.loads(CATALOG.read_text(encoding="utf-8"))["data"])


def words(value: object) -> set[str]:
    """`"thinking，tools"` is two words."""
    return {word.strip().lower() for word in re.split("[,，]", str(value or "")) if word.strip()}


def ids(rule: Rule) -> frozenset[str]:
    """Every row that surely satisfies the rule."""
    return frozenset(row["model_id"] for row in rows() if rule(row))


# Putting rules together


def every(*rules: Rule) -> Rule:
    def rule(row: Row) -> bool | None:
        answers = [one(row) for one in rules]
        if any(answer is False for answer in answers):
            return False
        return None if None in answers else True

    return rule


# Criteria


def reads(*modalities: str) -> Rule:
    def rule(row: Row) -> bool | None:
        known = words(row["input_modalities"])
        return set(modalities) <= known if known else None

    return rule


def can(*features: str) -> Rule:
    def rule(row: Row) -> bool | None:
        known = {SAME_FEATURE.get(feature, feature) for feature in words(row["features"])}
        return set(features) <= known if known else None

    return rule


def kind(name: str, also_named: str = "") -> Rule:
    """Of this type. A row that only its id (`also_named`) puts there is undecided: `DeepSeek-OCR`."""

    def rule(row: Row) -> bool | None:
        known = words(row["types"])
        if name in known:
            return True
        named = bool(also_named) and re.search(also_named, row["model_id"], re.I)
        return None if named or not known else False

    return rule


def _limit(field: str, tokens: int) -> Rule:
    def rule(row: Row) -> bool | None:
        value = int(row.get(field) or 0)
        return value >= tokens if value else None

    return rule


def context(tokens: int) -> Rule:
    return _limit("context_length", tokens)


def output(tokens: int) -> Rule:
    return _limit("max_output", tokens)


def per_token(row: Row) -> bool:
    types = words(row["types"])
    return not types or not types <= PRICED_OTHERWISE


def _price(side: str, dollars: float) -> Rule:
    def rule(row: Row) -> bool:
        price = row["pricing"].get(side)
        return per_token(row) and price is not None and price <= dollars

    return rule


def input_at_most(dollars: float) -> Rule:
    return _price("input", dollars)


def output_at_most(dollars: float) -> Rule:
    return _price("output", dollars)


FREE = every(input_at_most(0), output_at_most(0))


# Names


def family(pattern: str, unsure: str = "(?!)") -> Rule:
    """By the id; `unsure` are borderline members, neither asked for nor held against an answer."""

    def rule(row: Row) -> bool | None:
        if re.search(unsure, row["model_id"], re.I):
            return None
        return bool(re.search(pattern, row["model_id"], re.I))

    return rule


def matching(pattern: str) -> frozenset[str]:
    """The ids that are, whole, of this form."""
    return frozenset(row["model_id"] for row in rows() if re.fullmatch(pattern, row["model_id"]))


# Superlatives


def _total(row: Row) -> float:
    return float(row["pricing"]["input"]) + float(row["pricing"]["output"])


def _by_price(rule: Rule) -> list[Row]:
    return sorted((row for row in rows() if rule(row) and per_token(row)), key=_total)


def cheapest(rule: Rule) -> frozenset[str]:
    """Lowest input plus output price, and all that cost the same."""
    return cheap(rule, 1)


def cheap(rule: Rule, count: int = 10) -> frozenset[str]:
    """One of the `count` cheapest, or as cheap as they are."""
    found = _by_price(rule)
    bound = _total(found[min(count, len(found)) - 1])
    return frozenset(row["model_id"] for row in found if _total(row) <= bound)


def largest(field: str, rule: Rule) -> frozenset[str]:
    found = [row for row in rows() if rule(row)]
    most = max(int(row[field]) for row in found)
    return frozenset(row["model_id"] for row in found if int(row[field]) == most)


def exact(names: str | Iterable[str]) -> frozenset[str]:
    return frozenset(names.split() if isinstance(names, str) else names)
