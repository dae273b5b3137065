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
            types=tuple(_known("type", word, self.types, TYPE_ALIASES) for word in filters.types),
            modalities=tuple(
                _known("modality", w, self.modalities, MODALITY_ALIASES) for w in filters.modalities
            ),
            features=tuple(
                _known("feature", word, self.features, FEATURE_ALIASES) for word in filters.features
            ),
            developer=_known("developer", filters.developer, self.developers, {})
            if filters.developer
            else "",
        )


def _known(what: str, word: str, known: frozenset[str], aliases: Mapping[str, str]) -> str:
    folded = text.fold(word).strip()
    for spelling in (folded, folded.replace(" ", "_").replace("-", "_")):
        named = aliases.get(spelling, spelling)
        if named in known:
            return named
    near = nearest_words(folded, (*known, *aliases))
    everything = text.clean(", ".join(sorted(known)), _LONGEST_HINT)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {text.sentence(everything)}"
    raise BadRequest(f"No model has the {what} '{text.clean(word, 60)}'.", hint=hint, nearest=near)


def nearest_words(word: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The known words that `word` may be a slip of, best first."""
    from rapidfuzz import fuzz, process  # a quarter of our start-up time; needed for slips only

    found = process.extract(word, sorted(known), scorer=fuzz.ratio, score_cutoff=55, limit=limit)
    return tuple(match for match, _, _ in found)
