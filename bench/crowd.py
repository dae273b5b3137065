"""A catalog as large as one likes: the real rows again and again, under new names, versions, sizes and owners.

The number of different words grows as in real text, with about the root of the number of rows.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from random import Random
from typing import Any

from hub_mcp import wire
from hub_mcp.models import Model
from hub_mcp.sandbox.state import load_rows

_ROW = dict[str, Any]
_FAMILY = re.compile(r"[A-Za-z]{3,}")
_NUMBER = re.compile(r"\d+")
_STARTS = (
    "al ar bel bra cal cor da do el fal gra hel ib jo ka lu mar nor ob pra qui ro sel ta ul ver wi xen yo zan"
)
_MIDDLES = "a ba ci do e fi ga lo mi na ne ori pa ra si tu"
_ENDS = "bird dor fox gen la leon lix lm mind n ra ron rus s ta th tus v x zar"
_TUNES = ("chat", "instruct", "coder", "gguf", "awq", "merged", "dpo", "uncensored", "math", "vl")


def models(count: int) -> tuple[Model, ...]:
    """So many models, all of different ids, the real ones first; always the same for the same `count`."""
    return wire.decode_catalog(body(count), "aihubmix").models


def body(count: int) -> bytes:
    """What a hub of so many models would answer."""
    return json.dumps({"data": rows(count)}, ensure_ascii=False).encode()


def rows(count: int) -> list[_ROW]:
    real = load_rows()
    crowd = _Crowd(Random(count), count)  # noqa: S311 - names, not secrets
    found = {row["model_id"]: row for row in islice(real, count)}
    while len(found) < count:
        row = crowd.relative(real[len(found) % len(real)])
        found.setdefault(row["model_id"], row)
    return list(found.values())


class _Crowd:
    def __init__(self, dice: Random, count: int) -> None:
        self._dice = dice
        self._families = [self._invented() for _ in range(int(count**0.6))]
        self._owners = [self._invented() for _ in range(int(count**0.7))]

    def _invented(self) -> str:
        parts = (self._dice.choice(some.split()) for some in (_STARTS, _MIDDLES, _ENDS))
        return "".join(parts)

    def relative(self, row: _ROW) -> _ROW:
        """A row like this one: of another family in two cases of three, of other numbers, often somebody's own."""
        dice = self._dice
        old = _FAMILY.search(row["model_id"])
        new = dice.choice(self._families) if dice.random() < 0.67 else None

        def renamed(said: str) -> str:
            return re.sub(re.escape(old[0]), new, said, flags=re.IGNORECASE) if old and new else said

        name = _NUMBER.sub(self._number, renamed(row["model_id"]))
        if dice.random() < 0.5:
            name = f"{name}-{dice.choice(_TUNES)}"
        owner = f"{dice.choice(self._owners)}/" if dice.random() < 0.6 else ""
        told = {"model_id": owner + name, "model_name": name.replace("-", " "), "desc": renamed(row["desc"])}
        return row | told

    def _number(self, old: re.Match[str]) -> str:
        return str(max(1, int(int(old[0]) * self._dice.uniform(0.3, 3))))[:8]
