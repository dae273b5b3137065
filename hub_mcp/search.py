"""Rank models by words and find near ids: pure, over an index built once per catalog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import text
from .filters import Filters, Vocabulary
from .models import Model

_SAME = 100.0
_ID, _NAME, _DEVELOPER, _DESCRIPTION = 8.0, 5.0, 4.0, 1.0
_FIELD_NAMES = {_ID: "id", _NAME: "name", _DEVELOPER: "developer", _DESCRIPTION: "description"}

# Words that stand in almost every question and tell no model from another.
_FILLERS = frozenset(
    {"a", "an", "and", "for", "i", "in", "me", "model", "models", "of", "on", "or", "the", "to"}
)
_MOST_WORDS = 32
_SHORTEST_SLIP = 3
_SHORTEST_PART = 3


@dataclass(frozen=True, slots=True)
class Match:
    """A model, and in a few words why it was found."""

    model: Model
    why: str


@dataclass(frozen=True, slots=True)
class _Hit:
    """How one word of the question was found in one model."""

    weight: float
    exact: bool
    word: str


class Index:
    """What search needs of a catalog, worked out once for each of its versions."""

    def __init__(self, models: Sequence[Model]) -> None:
        self.models = models
        self.vocabulary = Vocabulary.of(models)
        self.by_id = {model.id: model for model in models}
        self._squeezed = [text.squeeze(model.id) for model in models]
        self._by_squeezed = _group(self._squeezed)
        self._by_case = _group([text.fold(model.id) for model in models])
        self._id_words = [text.words(model.id) for model in models]
        self._postings = self._post()

    def _post(self) -> dict[str, dict[int, float]]:
        """word -> the models that hold it, each with the weight of its best field."""
        postings: dict[str, dict[int, float]] = {}
        for number, model in enumerate(self.models):
            fields = (
                (_DESCRIPTION, text.words(model.description)),
                (_DEVELOPER, text.words(model.developer)),
                (_NAME, text.words(model.name)),
                (_ID, self._id_words[number]),
            )
            for weight, found in fields:
                for word in found:
                    postings.setdefault(word, {})[number] = weight
        return postings

    # --- one model by its id

    def resolve(self, model_id: str) -> Model | None:
        """The model of exactly this id, else the only one that differs by case, or by case and separators."""
        if model_id in self.by_id:
            return self.by_id[model_id]
        squeezed = text.squeeze(model_id)
        for group in (
            self._by_case.get(text.fold(model_id), []),
            self._by_squeezed.get(squeezed, []) if squeezed else [],
        ):
            if len(group) == 1:
                return self.models[group[0]]
        return None

    def nearest(self, model_id: str, limit: int = 5) -> tuple[str, ...]:
        """Ids that `model_id` may be a slip of, best first."""
        from rapidfuzz import fuzz, process

        wanted = text.squeeze(model_id)[:200]
        found = process.extract(wanted, self._squeezed, scorer=fuzz.ratio, score_cutoff=55, limit=limit)
        return tuple(self.models[number].id for _, _, number in found)

    # --- models by words

    def search(self, query: str, filters: Filters) -> list[Match]:
        """Of the models that pass, those that hold the most words of the question, best first."""
        asked = [part for word in _asked(query) for part in self._parts(word)]
        if not asked:
            return [Match(model, "passes the filters") for model in self.models if filters.allow(model)]
        hits = [self._hits(word) for word in asked]
        squeezed = text.squeeze(query)
        scored = self._scores(hits, squeezed, filters)
        scored.sort(key=lambda entry: entry[:2])
        return [Match(self.models[number], why) for _, number, why in scored]

    def _parts(self, word: str) -> tuple[str, ...]:
        """The two known words that `word` is without its separator, as in `geminiflash`; else itself."""
        if word not in self._postings:
            for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
                if word[:cut] in self._postings and word[cut:] in self._postings:
                    return word[:cut], word[cut:]
        return (word,)

    def _hits(self, word: str) -> dict[int, _Hit]:
        """Where one word stands: as it is, as the start of a longer word, or with a slip."""
        hits = {number: _Hit(weight, True, word) for number, weight in self._postings.get(word, {}).items()}
        for near, quality in self._near(word):
            for number, weight in self._postings[near].items():
                hit = _Hit(weight * quality, False, near)
                if number not in hits or hits[number].weight < hit.weight:
                    hits[number] = hit
        return hits

    def _near(self, word: str) -> list[tuple[str, float]]:
        if word.isdigit():
            return []
        near = [(other, 0.6) for other in self._postings if other.startswith(word) and other != word]
        if len(word) < _SHORTEST_SLIP or word in self._postings:
            return near
        return near + self._slips(word)

    def _slips(self, word: str) -> list[tuple[str, float]]:
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        # One slip in three letters, in four to six, two in seven and more.
        close = 0.66 if len(word) == _SHORTEST_SLIP else 0.7
        found = process.extract(
            word, list(self._postings), scorer=OSA.normalized_similarity, score_cutoff=close, limit=8
        )
        return [(other, 0.5 * similarity) for other, similarity, _ in found if not other.isdigit()]

    def _scores(
        self, hits: Sequence[Mapping[int, _Hit]], squeezed: str, filters: Filters
    ) -> list[tuple[float, int, str]]:
        found = Counter(number for hit in hits for number in hit)
        whole = {number for number, key in enumerate(self._squeezed) if squeezed in key}
        allowed = [number for number in {*found, *whole} if filters.allow(self.models[number])]
        most = max((len(hits) if number in whole else found[number] for number in allowed), default=0)
        best = [number for number in allowed if number in whole or found[number] == most]
        return [(-self._score(n, hits, squeezed), n, self._why(n, hits, squeezed)) for n in best]

    def _score(self, number: int, hits: Sequence[Mapping[int, _Hit]], squeezed: str) -> float:
        mine = [hit[number] for hit in hits if number in hit]
        words = self._id_words[number]
        known = {hit.word for hit in mine}
        covered = sum(word in known for word in words) / len(words) if words else 0.0
        whole = _whole(self._squeezed[number], squeezed)
        if not all(hit.exact for hit in mine) and whole < _SAME:
            whole /= 4  # `mini` stands in `minimax`, but as no word
        return whole + sum(hit.weight for hit in mine) + 10.0 * covered

    def _why(self, number: int, hits: Sequence[Mapping[int, _Hit]], squeezed: str) -> str:
        key = self._squeezed[number]
        if key == squeezed:
            return "id"
        mine = [hit[number] for hit in hits if number in hit]
        slips = dict.fromkeys(f"~{hit.word}" for hit in mine if not hit.exact)
        fields = dict.fromkeys(_FIELD_NAMES[hit.weight] for hit in mine if hit.exact)
        return ", ".join([*fields, *slips][:4]) or "id"


def _whole(key: str, squeezed: str) -> float:
    """What it is worth that all of the question stands in an id, in one piece."""
    if key == squeezed:
        return _SAME
    return 20.0 if key.startswith(squeezed) else 10.0 if squeezed in key else 0.0


def _asked(query: str) -> list[str]:
    """The words of a question that tell models apart; all of them where only such are left."""
    found = list(dict.fromkeys(text.words(query)))[:_MOST_WORDS]
    return [word for word in found if word not in _FILLERS] or found


def _group(keys: Sequence[str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        groups.setdefault(key, []).append(number)
    return groups
