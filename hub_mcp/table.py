"""A catalog by columns, so that a filter costs next to nothing: pure.

A mask is one byte a model, 1 where it counts, held as one large integer: masks combine with
`&` and `|` at the speed of memory, for ten models and for a hundred thousand.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from math import inf, isinf

from .filters import Filters, Vocabulary
from .models import Model, priced_per_token

UNKNOWN_LIMIT = -1
_RARE = 64


@dataclass(frozen=True)
class Criterion:
    """One criterion: which models fit it, and of which nobody knows."""

    name: str
    fits: int
    unknown: int

    def holds(self, number: int) -> bool:
        return number < len(self._fits) and bool(self._fits[number])

    def doubts(self, number: int) -> bool:
        return number < len(self._unknown) and bool(self._unknown[number])

    @cached_property
    def _fits(self) -> bytes:
        # To shift the mask for each question would take as long as the catalog is.
        return _unpacked(self.fits)

    @cached_property
    def _unknown(self) -> bytes:
        return _unpacked(self.unknown)


class Table:
    """The models of one catalog, with a mask for each word and a column for each number."""

    def __init__(self, models: Sequence[Model]) -> None:
        self.models = models
        self.vocabulary = Vocabulary.of(models)
        self.everything = self._mask(lambda _: True)
        self._types = self._word_masks(lambda model: model.types)
        self._features = self._word_masks(lambda model: model.features)
        self._modalities = self._word_masks(lambda model: model.modalities)
        self._developers = self._word_masks(lambda model: (model.developer,))
        self._free = self._mask(lambda model: model.free)
        self._token_priced = self._mask(lambda model: priced_per_token(model.types))
        self._context = [model.context_length or UNKNOWN_LIMIT for model in models]
        self._output = [model.max_output or UNKNOWN_LIMIT for model in models]
        self._input_price = [inf if model.pricing.input is None else model.pricing.input for model in models]
        self._output_price = [
            inf if model.pricing.output is None else model.pricing.output for model in models
        ]
        self._unknown = {
            "min_context": _packed([value == UNKNOWN_LIMIT for value in self._context]),
            "min_output": _packed([value == UNKNOWN_LIMIT for value in self._output]),
            "max_input_price": _packed(map(isinf, self._input_price)) & self._token_priced,
            "max_output_price": _packed(map(isinf, self._output_price)) & self._token_priced,
        }

    def passing(self, filters: Filters) -> list[int]:
        """The numbers of the models that fit all of it, in the catalog's order."""
        mask = self.everything
        for criterion in self.criteria(filters):
            mask &= criterion.fits
        return self.numbers(mask)

    def numbers(self, mask: int) -> list[int]:
        """Which models a mask counts."""
        return list(compress(range(len(self.models)), self.bytes(mask)))

    def bytes(self, mask: int) -> bytes:
        """A mask to look numbers up in."""
        return mask.to_bytes(len(self.models), "little")

    def criteria(self, filters: Filters) -> list[Criterion]:
        """Each criterion of the filters, by the name of its argument."""
        return [
            *self._words("type", filters.types, self._types),
            *self._words("modalities", filters.modalities, self._modalities),
            *self._words("features", filters.features, self._features),
            *self._limit("min_context", filters.min_context, self._context),
            *self._limit("min_output", filters.min_output, self._output),
            *self._price("max_input_price", filters.max_input_price, self._input_price),
            *self._price("max_output_price", filters.max_output_price, self._output_price),
            *([Criterion("free", self._free, self._unknown["max_input_price"])] if filters.free else []),
            *self._words("developer", (filters.developer,) if filters.developer else (), self._developers),
        ]

    def _words(self, name: str, words: Iterable[str], masks: _Masks) -> list[Criterion]:
        # A model that lists nothing at all may have anything.
        silent = masks.get("")
        return [Criterion(name, masks.get(word), silent) for word in words]

    def _limit(self, name: str, least: int | None, column: list[int]) -> list[Criterion]:
        if least is None:
            return []
        known = max(least, 0)
        return [Criterion(name, _packed([value >= known for value in column]), self._unknown[name])]

    def _price(self, name: str, most: float | None, column: list[float]) -> list[Criterion]:
        if most is None:
            return []
        return [Criterion(name, _packed([value <= most for value in column]), self._unknown[name])]

    def _word_masks(self, words_of: Callable[[Model], Sequence[str]]) -> _Masks:
        """A mask for each word, and one under the empty word for the models that have none."""
        numbers: dict[str, array[int]] = {}
        for number, model in enumerate(self.models):
            for word in words_of(model) or ("",):
                holding = numbers.get(word)
                if holding is None:
                    holding = numbers[word] = array("I")
                holding.append(number)
        return _Masks(numbers, len(self.models))

    def _mask(self, counts: Callable[[Model], bool]) -> int:
        return _packed(map(counts, self.models))


class _Masks:
    """A mask for each word; that of a rare one is made anew each time: thousands of developers would hold gigabytes."""

    def __init__(self, numbers: Mapping[str, array[int]], count: int) -> None:
        self._count = count
        self._rare = {word: held for word, held in numbers.items() if len(held) * _RARE < count}
        self._kept = {word: self._made(held) for word, held in numbers.items() if word not in self._rare}

    def get(self, word: str) -> int:
        """The word's mask, an empty one where nobody has it."""
        return self._kept.get(word, 0) or self._made(self._rare.get(word, ()))

    def _made(self, numbers: Iterable[int]) -> int:
        column = bytearray(self._count)
        for number in numbers:
            column[number] = 1
        return int.from_bytes(column, "little")


def _packed(flags: Iterable[bool]) -> int:
    return int.from_bytes(bytes(flags), "little")


def _unpacked(mask: int) -> bytes:
    return mask.to_bytes(-(-mask.bit_length() // 8), "little")
