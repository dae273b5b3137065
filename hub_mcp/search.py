"""Find models by a question: what it means, what fits, best first. Pure, over an `Index`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from heapq import nsmallest
from itertools import compress, islice, pairwise
from operator import and_
from typing import Any

from . import text
from .filters import Filters
from .index import DESCRIPTION, DEVELOPER, ID, NAME, Hit, Index
from .models import Model
from .ranking import dearness, newest_first, price
from .understanding import Meaning, overruled, understand

_FIELD_NAMES = {ID: "id", NAME: "name", DEVELOPER: "developer", DESCRIPTION: "description"}

_SAME_WORDS, _INSIDE, _IN_ORDER, _COVERED, _HINT = 20.0, 6.0, 3.0, 10.0, 4.0

_MOST_WORDS = 32
_SHORTEST_STEM = 4
_SURELY_NEAR = 82
_WORD_CRITERIA = frozenset({"type", "features", "modalities"})


@dataclass(frozen=True, slots=True)
class Match:
    """A model, and in a few words why it was found."""

    model: Model
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """The best of `total` models; `interpreted` are the criteria that words were read as."""

    matches: Sequence[Match]
    total: int
    interpreted: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def find(index: Index, question: str, explicit: Filters, limit: int) -> Found:
    """The models that a question means, best first; explicit filters win over its words.

    A model that fits by name stays where nobody knows whether it fits a criterion of the
    question, below those that are known to; `notes` say so. Raises BadRequest for a filter
    that nobody knows.
    """
    explicit = index.vocabulary.check(explicit)
    meaning = overruled(_meaning(index, question), explicit)
    return _Search(index, question, meaning, explicit).found(limit)


# --- what the question means --------------------------------------------------------------


def _meaning(index: Index, question: str) -> Meaning:
    if index.same_but_separators(question):
        return Meaning(words=question)
    meaning = understand(question)
    sizes = [size.replace(" ", "") for size in re.findall(r"\d+\s*[km]\b", text.fold(question))]
    if sizes and meaning.words and _is_in_a_name(index, sizes, meaning.words):
        meaning = understand(question, sizes_are_names=True)
    return _with_developer(index, meaning)


def _is_in_a_name(index: Index, sizes: Sequence[str], words: str) -> bool:
    """Whether a size is part of a name, such as the `128k` of `moonshot-v1-128k`."""
    holding = reduce(and_, (set(index.exact(word)) for word in text.words(words)))
    return any(size in index.squeezed[number] for number in holding for size in sizes)


def _with_developer(index: Index, meaning: Meaning) -> Meaning:
    """A word that names a developer, and stands in no other developer's ids, is a criterion."""
    words = meaning.words.split()
    named = [word for word in words if word in index.vocabulary.developers and _names_only(index, word)]
    if len(named) != 1:
        return meaning
    rest = " ".join(word for word in words if word != named[0])
    filters = replace(meaning.filters, developer=named[0])
    return replace(meaning, filters=filters, words=rest, hints=(*meaning.hints, named[0]))


def _names_only(index: Index, developer: str) -> bool:
    told = (number for number, hit in index.exact(developer).items() if hit.field in (ID, DEVELOPER))
    return all(index.models[number].developer == developer for number in told)


# --- what fits ----------------------------------------------------------------------------


class _Search:
    """One question to one index."""

    def __init__(self, index: Index, question: str, meaning: Meaning, explicit: Filters) -> None:
        self._index = index
        self._meaning = meaning
        self._exact = question.strip()
        self._whole = text.squeeze(question)
        self._hints = tuple(dict.fromkeys(meaning.hints))
        self._known_told: dict[str, frozenset[str]] = {}
        self._said = tuple(dict.fromkeys(meaning.said))
        self._read_words(meaning.words)
        self._read_criteria(explicit)

    def _read_words(self, words: str) -> None:
        """Look each word up; one that stands nowhere is left out where something else was understood."""
        asked = list(dict.fromkeys(text.words(words)))[:_MOST_WORDS]
        self._squeezed = "".join(asked)
        parts = [part for word in asked for part in self._index.parts(word)]
        hits = {word: self._index.hits(word) for word in parts}
        understood = bool(self._meaning.interpreted()) or any(hits.values())
        self._strange = [word for word in parts if not hits[word]] if understood else []
        self._words = [word for word in parts if word not in self._strange]
        self._hits = [hits[word] for word in self._words]
        self._pairs = [first + second for first, second in pairwise(self._words)]
        # Only where the words are all of the question may they be all of the id.
        self._names = {self._whole} if self._hints else {self._whole, self._squeezed}
        self._sorted = "" if self._hints else text.sorted_words(self._meaning.words)
        self._sorted_length = len(text.squeeze(self._sorted))
        self._bare_family = len(self._words) == 1 and self._words[0] in self._index.families

    def _read_criteria(self, explicit: Filters) -> None:
        table = self._index.table
        self._criteria = table.criteria(self._meaning.filters)
        allowed = _all((criterion.fits for criterion in table.criteria(explicit)), table.everything)
        fits = _all((criterion.fits for criterion in self._criteria), allowed)
        possible = _all((criterion.fits | criterion.unknown for criterion in self._criteria), allowed)
        self._fitting = fits
        self._allowed, self._fits, self._possible = map(table.bytes, (allowed, fits, possible))

    def found(self, limit: int) -> Found:
        known, unknown = self._by_words() if self._words else self._by_criteria()
        total = len(known) + len(unknown)
        best = self._best(known, limit)
        best += self._best(unknown, limit - len(best))
        doubts = self._on_unknown(unknown) if total else self._on_nothing()
        notes = (*self._on_strange(), *doubts)
        return Found([self._match(number) for number in best], total, self._interpreted(), notes)

    def _by_criteria(self) -> tuple[Sequence[int], Sequence[int]]:
        """Those that fit, in the order that was asked for, and those whose ids say so where the catalog does not."""
        order = self._index.orders[self._meaning.order]
        known = list(compress(order, map(self._fits.__getitem__, order)))
        named = {number for hint in self._said for number in self._index.hits(hint)}
        unknown = [n for n in sorted(named) if not self._fits[n] and self._possible[n] and self._says_so(n)]
        return known, unknown

    def _by_words(self) -> tuple[Sequence[int], Sequence[int]]:
        known, unknown = [], []
        for number in self._holding():
            if self._denies(number):
                continue
            if self._fits[number] or self._is_meant(number):
                known.append(number)
            elif self._possible[number] or (self._says_so(number) and self._fails_by_words_only(number)):
                unknown.append(number)
        return known, unknown

    def _holding(self) -> list[int]:
        """Of the models that explicit filters let pass, those that hold the most words of the question."""
        everywhere = reduce(and_, (hits.keys() for hits in self._hits), self._hits[0].keys()) | self._inside()
        allowed = [number for number in everywhere if self._allowed[number]]
        return allowed or self._nearly_named() or self._holding_most()

    def _holding_most(self) -> list[int]:
        count = Counter(number for hits in self._hits for number in hits if self._allowed[number])
        most = max(count.values(), default=0)
        return [number for number, found in count.items() if found == most]

    def _inside(self) -> set[int]:
        """Ids that hold the words in one piece."""
        if len(self._squeezed) < 2 or self._strange:
            return set()
        return self._index.holding(self._squeezed)

    def _nearly_named(self) -> list[int]:
        """Ids that are the whole question but for a few letters."""
        near = self._index.near_ids(self._squeezed, 10, _SURELY_NEAR)
        return [number for number in near if self._allowed[number]]

    def _is_meant(self, number: int) -> bool:
        """Whether the id is all the words, or holds the question word for word, criteria and all: `gpt 4 vision`."""
        key = self._index.squeezed[number]
        return (key == self._squeezed and bool(self._possible[number])) or (
            bool(self._said) and self._whole in key
        )

    def _denies(self, number: int) -> bool:
        """Whether the id says that it is not what was asked for: `grok-4-fast-non-reasoning`."""
        words = self._index.id_words[number]
        after_non = [word for before, word in pairwise(words) if before == "non"]
        return _says(after_non, *self._said)

    def _says_so(self, number: int) -> bool:
        """Whether the id says itself what the question asks for: `DeepSeek-OCR` for "ocr"."""
        words = self._index.id_words[number]
        return bool(self._said) and all(_says(words, hint) for hint in self._said)

    def _fails_by_words_only(self, number: int) -> bool:
        return {
            criterion.name for criterion in self._criteria if not criterion.holds(number)
        } <= _WORD_CRITERIA

    # --- in which order

    def _best(self, numbers: Sequence[int], limit: int) -> list[int]:
        if not self._words:
            return list(islice(numbers, max(limit, 0)))
        models = self._index.models
        by: Mapping[str, Callable[[int], Any]] = {
            "cheapest": lambda n: price(models[n]),
            "dearest": lambda n: dearness(models[n]),
            "largest_context": lambda n: -(models[n].context_length or 0),
            "longest_output": lambda n: -(models[n].max_output or 0),
            # By version where hubs tell no date: the words have named a family.
            "newest": lambda n: (newest_first(models[n]), self._index.ranks[n].version),
        }
        order = by.get(self._meaning.order)
        first = {n: (-self._named(n), order(n) if order else 0) for n in numbers}
        # The score takes longest: only those need one that may still be among the best.
        leading = nsmallest(limit, numbers, key=first.__getitem__)
        hopeful = [number for number in numbers if leading and first[number] <= first[leading[-1]]]
        return nsmallest(limit, hopeful, key=lambda n: (first[n], *self._by_score(n)))

    def _named(self, number: int) -> int:
        """2 for the very id that was asked for, 1 for one that differs by case and separators."""
        if self._index.models[number].id == self._exact:
            return 2
        return int(self._index.squeezed[number] in self._names)

    def _by_score(self, number: int) -> tuple[Any, ...]:
        return (-self._score(number), *self._index.ranks[number])

    def _score(self, number: int) -> float:
        mine = self._mine(number)
        key, words = self._index.squeezed[number], self._index.id_words[number]
        score = sum([hit.weight for hit in mine]) + _COVERED * self._covered(words, mine)
        if self._squeezed in key:
            score += _INSIDE
        if self._is_sorted(number, key):
            score += _SAME_WORDS
        if self._pairs:
            score += _IN_ORDER * sum(pair in key for pair in self._pairs)
        if self._hints:
            score += _HINT * len(frozenset[str]().union(*map(self._told, words)))
        return round(score, 2)

    def _mine(self, number: int) -> list[Hit]:
        return [hits[number] for hits in self._hits if number in hits]

    def _is_sorted(self, number: int, key: str) -> bool:
        """Whether the id holds the question's words in another order; what is longer or shorter cannot."""
        as_long = bool(self._sorted) and len(key) == self._sorted_length
        return as_long and text.sorted_words(self._index.models[number].id) == self._sorted

    def _told(self, word: str) -> frozenset[str]:
        """Which of the hints a word says; many ids hold the same words."""
        told = self._known_told.get(word)
        if told is None:
            told = frozenset(hint for hint in self._hints if _says((word,), hint))
            self._known_told[word] = told
        return told

    def _covered(self, id_words: Sequence[str], mine: Sequence[Hit]) -> float:
        """Which part of the id's own words was asked for; numbers tell versions apart, not models."""
        words = [word for word in id_words if not word.isdigit()]
        if not words or self._bare_family:
            return 0.0
        known = {hit.word for hit in mine}
        return sum([1 for word in words if word in known or (self._hints and self._told(word))]) / len(words)

    # --- in which words

    def _match(self, number: int) -> Match:
        return Match(self._index.models[number], self._why(number))

    def _why(self, number: int) -> str:
        if self._named(number):
            return "id"
        mine = self._mine(number)
        fields = dict.fromkeys(_FIELD_NAMES[hit.field] for hit in mine if hit.exact)
        slips = dict.fromkeys(f"~{hit.word}" for hit in mine if not hit.exact)
        doubts = [f"{c.name} unknown" for c in self._criteria if not c.holds(number) and c.doubts(number)]
        reasons = [*fields, *slips, *doubts][:4]
        return ", ".join(reasons) or ("criteria" if self._criteria else "id" if self._words else "all")

    def _interpreted(self) -> dict[str, Any]:
        family = [word for word in self._words if word in self._index.families]
        return {**self._meaning.interpreted(), **({"family": family[0]} if len(family) == 1 else {})}

    def _on_strange(self) -> tuple[str, ...]:
        return (f"No model knows the words: {', '.join(self._strange)}.",) if self._strange else ()

    def _on_unknown(self, unknown: Sequence[int]) -> tuple[str, ...]:
        if not unknown:
            return ()
        return (
            f"{len(unknown)} of these fit by name, but the catalog does not say whether they fit all of it.",
        )

    def _on_nothing(self) -> tuple[str, ...]:
        """Nobody fits: what excluded most, and who comes near."""
        named = self._holding() if self._words else []
        numbers: Iterable[int] = named or range(len(self._index.models))
        excluded = Counter(c.name for number in numbers for c in self._criteria if not c.holds(number))
        because = f" {excluded.most_common(1)[0][0]} excluded most." if excluded else ""
        near = [self._index.models[number].id for number in self._best(named, 3)]
        near = near or list(self._index.nearest(self._whole, 3))
        hint = f" Nearest: {', '.join(near)}." if near else ""
        return (f"No model fits all of it.{because}{hint}",)


def _says(words: Sequence[str], *hints: str) -> bool:
    """Whether one of the words is one of the hints, or the same but for its ending: `think` for `thinking`."""
    return any(
        word == hint or (len(word) >= _SHORTEST_STEM and (hint.startswith(word) or word.startswith(hint)))
        for hint in hints
        for word in words
    )


def _all(masks: Iterable[int], everything: int) -> int:
    return reduce(and_, masks, everything)
