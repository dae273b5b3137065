"""One question and what it is happy with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .rules import Row, Rule, every, exact, ids


@dataclass(frozen=True)
class Question:
    text: str
    group: str
    best: frozenset[str] = frozenset()
    rule: Rule | None = None
    nothing: bool = False  # no row qualifies, and none may be returned
    named: bool = False  # asks for a name too: a row of that name whose limits are unknown may follow

    @cached_property
    def relevant(self) -> frozenset[str]:
        """Every row that satisfies what the question states; empty for a name alone."""
        return ids(self.rule) if self.rule else frozenset()

    @cached_property
    def happy(self) -> frozenset[str]:
        """The answers that are right in first place."""
        return self.best or self.relevant

    def verdict(self, row: Row) -> bool | None:
        return None if self.rule is None else self.rule(row)


def names(group: str, pairs: list[tuple[str, str]]) -> list[Question]:
    return [Question(text, group, exact(best)) for text, best in pairs]


def ask(group: str, text: str, *rules: Rule, best: frozenset[str] | str = "") -> Question:
    """Criteria alone."""
    return Question(text, group, exact(best), every(*rules))


def ask_named(group: str, text: str, *rules: Rule, best: frozenset[str] | str = "") -> Question:
    """A name or family with criteria."""
    return Question(text, group, exact(best), every(*rules), named=True)


def ask_in_vain(group: str, text: str) -> Question:
    return Question(text, group, nothing=True)
