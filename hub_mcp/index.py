"""What search needs of a catalog, worked out once for each of its versions: pure."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from sys import intern
from typing import Any

from . import text
from .developers import COMPANIES, family_of
from .models import Model
from .phrases import SYNONYMS
from .ranking import dearness, newest_first, price, rank
from .table import Table

# What a word is worth where it stands, and how much of that where it is no more than near.
ID, NAME, DEVELOPER, DESCRIPTION = 8.0, 5.0, 4.0, 1.0
_BEGINNING, _SLIP = 0.6, 0.5

_SHORTEST_SLIP = 3
_SHORTEST_PART = 3
_NEAR_ENOUGH = 55


@dataclass(frozen=True, slots=True)
class Hit:
    """One word as it stands in a model: what it is worth there, and in which field."""

    weight: float
    field: float
    word: str
    exact: bool


Hits = Mapping[int, Hit]
"""Number of a model -> the best place where a word stands in it."""


class Index:
    """A catalog's ids, words, columns and orders. Models are known by their number in the catalog."""

    def __init__(self, models: Sequence[Model]) -> None:
        self.models = models
        self.table = Table(models)
        self.vocabulary = self.table.vocabulary
        self.by_id = {model.id: model for model in models}
        self.squeezed = [text.squeeze(model.id) for model in models]
        self._joined = "\n".join(self.squeezed)
        self._starts = array("I", accumulate((len(key) + 1 for key in self.squeezed), initial=0))
        # The same words stand in many ids: each is kept once.
        self.id_words = [tuple(map(intern, text.words(model.id))) for model in models]
        self.ranks = [rank(number, model) for number, model in enumerate(models)]
        self.orders = self._orders()
        family = [family_of(model.id) for model in models]
        self.families = frozenset(family) - {""}
        self._by_squeezed = _group(self.squeezed)
        self._postings = _post(models, self.id_words, family)
        self._known_words = sorted(self._postings)

    def _orders(self) -> dict[str, list[int]]:
        """The orders that a question without a name may ask for, each over all models."""

        numbers = list(range(len(self.models)))

        def by(value: Callable[[Model], Any]) -> list[int]:
            keys = [(value(model), self.ranks[n].copies) for n, model in enumerate(self.models)]
            return sorted(numbers, key=keys.__getitem__)

        return {
            "": by(lambda _: 0),
            "cheapest": by(price),
            "dearest": by(dearness),
            "largest_context": by(lambda model: -(model.context_length or 0)),
            "longest_output": by(lambda model: -(model.max_output or 0)),
            "newest": by(newest_first),
        }

    # --- one model by its id

    def resolve(self, model_id: str) -> Model | None:
        """The model of exactly this id, else the only one that differs by case, or by case and separators."""
        if model_id in self.by_id:
            return self.by_id[model_id]
        alike, folded = self.same_but_separators(model_id), text.fold(model_id)
        for group in ([n for n in alike if text.fold(self.models[n].id) == folded], alike):
            if len(group) == 1:
                return self.models[group[0]]
        return None

    def same_but_separators(self, model_id: str) -> Sequence[int]:
        squeezed = text.squeeze(model_id)
        return self._by_squeezed.get(squeezed, ()) if squeezed else ()

    def nearest(self, model_id: str, limit: int = 5) -> tuple[str, ...]:
        """Ids that `model_id` may be a slip of, best first."""
        return tuple(self.models[number].id for number in self.near_ids(model_id, limit, _NEAR_ENOUGH))

    def near_ids(self, wanted: str, limit: int, least: float) -> list[int]:
        """The models whose ids are at least `least` per cent like `wanted`."""
        from rapidfuzz import fuzz, process  # loaded with the first slip, not with the server

        squeezed = text.squeeze(wanted)[:200]
        if not squeezed:
            return []
        found = process.extract(squeezed, self.squeezed, scorer=fuzz.ratio, score_cutoff=least, limit=limit)
        return [number for _, _, number in found]

    def complete(self, typed: str) -> list[str]:
        """Ids that go on from what was typed, the shortest first, then ids that hold it."""
        squeezed, folded = text.squeeze(typed), text.fold(typed)
        holding = [number for number in self.orders[""] if squeezed in self.squeezed[number]]
        if squeezed:
            holding.sort(key=lambda number: self._completes(number, squeezed, folded))
        return [self.models[number].id for number in holding]

    def _completes(self, number: int, squeezed: str, folded: str) -> tuple[bool, bool, int]:
        key = self.squeezed[number]
        goes_on = key.startswith(squeezed)
        literal = goes_on and text.fold(self.models[number].id).startswith(folded)
        return not literal, not goes_on, len(key)

    def holding(self, piece: str) -> set[int]:
        """The models whose squeezed ids hold this squeezed piece: one search through all of them, joined."""
        found = set()
        place = self._joined.find(piece)
        while place >= 0:
            number = bisect_right(self._starts, place) - 1
            found.add(number)
            place = self._joined.find(piece, self._starts[number + 1])
        return found

    # --- words

    def exact(self, word: str) -> Hits:
        """Where a word stands as it is."""
        return self._postings.get(word, {})

    def hits(self, word: str) -> Hits:
        """Where a word stands: as it is, as the beginning of a longer one, or with a slip."""
        near = [(other, quality) for other, quality in self._near(word) if other != word]
        if not near:
            return self.exact(word)
        hits: dict[int, Hit] = {}
        for other, quality in sorted(near, key=lambda pair: pair[1]):
            hits.update(_weakened(self._postings[other], quality))
        hits.update(self.exact(word))
        return hits

    def parts(self, word: str) -> tuple[str, ...]:
        """The two known words that `word` is without its separator, as in `geminiflash`; else itself."""
        word = SYNONYMS.get(word, word)
        if word not in self._postings:
            for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
                if word[:cut] in self._postings and word[cut:] in self._postings:
                    return word[:cut], word[cut:]
        return (word,)

    def _near(self, word: str) -> list[tuple[str, float]]:
        if word.isdigit():
            return []
        near = [(other, _BEGINNING) for other in self._longer(word)]
        if len(word) < _SHORTEST_SLIP or word in self._postings:
            return near
        return near + self._slips(word)

    def _longer(self, word: str) -> list[str]:
        first = bisect_left(self._known_words, word)
        last = bisect_left(self._known_words, word + "\U0010ffff")
        return self._known_words[first:last]

    def _slips(self, word: str) -> list[tuple[str, float]]:
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        # One slip in three letters, in four to six, two in seven and more.
        close = 0.66 if len(word) == _SHORTEST_SLIP else 0.7
        scorer = OSA.normalized_similarity
        found = process.extract(word, self._known_words, scorer=scorer, score_cutoff=close, limit=8)
        return [(other, _SLIP * similarity) for other, similarity, _ in found if not other.isdigit()]


def _weakened(hits: Hits, quality: float) -> dict[int, Hit]:
    """The same places, worth less; one Hit for each field is enough."""
    weaker: dict[float, Hit] = {}
    return {
        number: weaker.get(hit.field)
        or weaker.setdefault(hit.field, Hit(hit.weight * quality, hit.field, hit.word, exact=False))
        for number, hit in hits.items()
    }


def _post(
    models: Sequence[Model], id_words: Sequence[Sequence[str]], family: Sequence[str]
) -> dict[str, dict[int, Hit]]:
    """word -> the models that hold it, each with the best field that it stands in."""
    postings: dict[str, dict[int, Hit]] = {}
    hits: dict[float, dict[str, Hit]] = {DESCRIPTION: {}, DEVELOPER: {}, NAME: {}, ID: {}}
    for number, model in enumerate(models):
        fields = (
            (DESCRIPTION, text.words(model.description)),
            (
                DEVELOPER,
                text.words(f"{model.developer} {COMPANIES.get(model.developer, '')} {family[number]}"),
            ),
            (NAME, text.words(model.name)),
            (ID, id_words[number]),
        )
        for weight, found in fields:
            known = hits[weight]
            for word in found:
                hit = known.get(word)
                if hit is None:
                    hit = known[word] = Hit(weight, weight, word, exact=True)
                    postings.setdefault(word, {})
                postings[word][number] = hit
    return postings


def _group(keys: Sequence[str]) -> dict[str, tuple[int, ...]]:
    groups: dict[str, tuple[int, ...]] = {}
    for number, key in enumerate(keys):
        groups[key] = (*groups.get(key, ()), number)
    return groups
