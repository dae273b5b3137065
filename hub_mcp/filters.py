"""What a model must be, and which words may say so: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import text
from .errors import BadRequest
from .models import Model
from .vocabulary import FEATURE_ALIASES, FEATURES, MODALITIES, MODALITY_ALIASES, TYPE_ALIASES, TYPES


@dataclass(frozen=True, slots=True)
class Filters:
    """What a model must be; all of it at once. Prices are USD per million tokens, lengths tokens.

    `types`, `modalities` and `features` name everything that a model must have.
    """

    types: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    min_context: int | None = None
    min_output: int | None = None
    max_input_price: float | None = None
    max_output_price: float | None = None
    free: bool = False
    developer: str = ""

    def given(self) -> dict[str, Any]:
        """What was asked for, by the names of the tools' arguments."""
        values = {("type" if name == "types" else name): getattr(self, name) for name in self.__slots__}
        return {
            name: ",".join(value) if name == "type" else list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value not in (None, (), "", False) or (value == 0 and value is not False)
        }


ANYTHING = Filters()
_LONGEST_HINT = 600


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that the hub's documents or its catalog know, for each filter that takes words."""

    types: frozenset[str]
    features: frozenset[str]
    modalities: frozenset[str]
    developers: frozenset[str]

    @classmethod
    def of(cls, models: Iterable[Model]) -> Vocabulary:
        types, features, modalities, developers = set(TYPES), set(FEATURES), set(MODALITIES), {""}
        for model in models:
            types.update(model.types)
            features.update(model.features)
            modalities.update(model.modalities)
            developers.add(model.developer)
        return cls(frozenset(types), frozenset(features), frozenset(modalities), frozenset(developers - {""}))

    def check(self, filters: Filters) -> Filters:
        """The same filters by their usual names; raises BadRequest for a word that nobody knows."""
        return replace(
            filters,
            types=tuple(self._known("type", word) for word in filters.types),
            modalities=tuple(self._known("modality", word) for word in filters.modalities),
            features=tuple(self._known("feature", word) for word in filters.features),
            developer=self._known("developer", filters.developer) if filters.developer else "",
        )

    def _words(self, kind: str) -> tuple[frozenset[str], Mapping[str, str]]:
        """The words of one kind, and other names for them."""
        return {
            "type": (self.types, TYPE_ALIASES),
            "modality": (self.modalities, MODALITY_ALIASES),
            "feature": (self.features, FEATURE_ALIASES),
            "developer": (self.developers, _NO_ALIASES),
        }[kind]

    def _known(self, kind: str, word: str) -> str:
        known, aliases = self._words(kind)
        folded = text.fold(word).strip()
        for spelling in (folded, folded.replace(" ", "_").replace("-", "_")):
            named = aliases.get(spelling, spelling)
            if named in known:
                return named
        near = nearest_words(folded, (*known, *aliases), _SIMILAR)
        hint = self._placed_elsewhere(folded, kind) or _suggestion(near, known)
        raise BadRequest(f"No model has the {kind} '{text.clean(word, 60)}'.", hint=hint, nearest=near)

    def _placed_elsewhere(self, word: str, asked_as: str) -> str:
        """What to say of a word that another filter knows, or all but knows."""
        for kind, argument in _ARGUMENTS.items():
            known, aliases = self._words(kind) if kind != asked_as else (frozenset(), _NO_ALIASES)
            surely = nearest_words(word, (*known, *aliases), _SURELY, 1)
            if surely:
                return f"'{surely[0]}' is a {kind}: give it as {argument}."
        return ""


_NO_ALIASES: Mapping[str, str] = {}
_ARGUMENTS = {"type": "type", "modality": "modalities", "feature": "features", "developer": "developer"}
_SIMILAR, _SURELY = 60, 90


def _suggestion(near: tuple[str, ...], known: Iterable[str]) -> str:
    if near:
        return f"Did you mean {' or '.join(near)}?"
    everything = text.clean(", ".join(sorted(known)), _LONGEST_HINT)
    return f"Known: {text.sentence(everything)}"


def nearest_words(word: str, known: Iterable[str], least: int = 55, limit: int = 3) -> tuple[str, ...]:
    """The known words that are at least `least` per cent like `word`, best first."""
    from rapidfuzz import fuzz, process  # a quarter of our start-up time; needed for slips only

    found = process.extract(word, sorted(known), scorer=fuzz.ratio, score_cutoff=least, limit=limit)
    return tuple(match for match, _, _ in found)
