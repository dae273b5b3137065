"""A catalog summed up: how many models of which kind. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from .models import Model
from .results import CatalogState, Summary

UNKNOWN = "unknown"


def summed_up(models: Sequence[Model], catalog: CatalogState) -> Summary:
    """Counts are of models, the most frequent first; a model with two features counts for both."""
    return Summary(
        total=len(models),
        types=_counted(model.types for model in models),
        features=_counted(model.features for model in models),
        modalities=_counted(model.modalities for model in models),
        developers=_counted((model.developer,) if model.developer else () for model in models),
        free=sum(model.free for model in models),
        input_prices=_range(model.pricing.input for model in models),
        output_prices=_range(model.pricing.output for model in models),
        catalog=catalog,
    )


def _counted(words: Iterable[Sequence[str]]) -> Mapping[str, int]:
    return dict(Counter(word for each in words for word in each or (UNKNOWN,)).most_common())


def _range(prices: Iterable[float | None]) -> tuple[float, float] | None:
    known = [price for price in prices if price is not None]
    return (min(known), max(known)) if known else None
