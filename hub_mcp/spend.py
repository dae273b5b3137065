"""What a call costs: pure arithmetic over usage and prices. US dollars; prices are per million tokens."""

from __future__ import annotations

from .models import Pricing, Usage

_MILLION = 1_000_000


def cost(usage: Usage, pricing: Pricing) -> float | None:
    """What the hub charges for `usage`, None where a price is unknown.

    Cached tokens are part of the input and cost their own price where there is one;
    reasoning tokens are part of the output.
    """
    if pricing.input is None or pricing.output is None:
        return None
    cached = min(usage.cached_tokens, usage.input_tokens)
    cached_price = pricing.input if pricing.cache_read is None else pricing.cache_read
    fresh = usage.input_tokens - cached
    return (fresh * pricing.input + cached * cached_price + usage.output_tokens * pricing.output) / _MILLION
