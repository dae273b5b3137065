"""What a chat costs and may cost. US dollars; prices are per million tokens."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import OverBudget
from .models import Message, Model, Pricing, Usage

_MILLION = 1_000_000
_BYTES_PER_TOKEN = 4
_PER_MESSAGE = 8
_MEDIA = frozenset({"image_url", "input_image", "input_audio", "file", "video_url"})

_MEDIA_TOKENS = 50_000
"""The most that one picture is known to count: gpt-4o-mini takes 48,169 for a large one."""


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


def guess_tokens(characters: int) -> int:
    """About how many tokens a text is."""
    return -(-characters // _BYTES_PER_TOKEN)


def guess_usage(messages: Iterable[Message], answer: str) -> Usage:
    """About what a chat used whose hub did not say."""
    return Usage(guess_tokens(sum(_size(message)[0] for message in messages)), guess_tokens(_bytes(answer)))


def most_input_tokens(messages: Iterable[Message], options: Mapping[str, Any]) -> int:
    """More than any tokenizer makes of a request: no token is shorter than a byte of UTF-8."""
    total = _bytes(json.dumps(options, ensure_ascii=False, default=str))
    for message in messages:
        written, media = _size(message)
        total += written + media * _MEDIA_TOKENS + _PER_MESSAGE
    return total


def most_usage(messages: Iterable[Message], options: Mapping[str, Any], answer: str) -> Usage:
    """The most that a chat can have used whose hub did not say."""
    return Usage(most_input_tokens(messages, options), _bytes(answer))


def worst_case(
    model: Model | None, messages: Iterable[Message], options: Mapping[str, Any], max_tokens: int | None
) -> float:
    """The most that a chat can cost; raises OverBudget where nobody can know."""
    if model is None or model.pricing.input is None or model.pricing.output is None:
        raise OverBudget("The price of this model is unknown, and a ceiling is set.", hint=_PRICED)
    longest = max_tokens if max_tokens is not None else model.max_output
    if longest is None and model.pricing.output > 0:
        raise OverBudget(f"Nobody knows how long {model.id} may answer, and a ceiling is set.", hint=_BOUND)
    # A cache may also be written, which some vendors charge above the input price.
    dearest_input = max(model.pricing.input, model.pricing.cache_write or 0.0)
    return (
        most_input_tokens(messages, options) * dearest_input + (longest or 0) * model.pricing.output
    ) / _MILLION


@dataclass(slots=True)
class Reservation:
    """Money set aside for one chat until it is known what it cost."""

    amount: float


class Budget:
    """The ceiling for all chats of this process; they reserve before they are sent, so ten at once cannot overspend."""

    def __init__(self, ceiling: float | None) -> None:
        self._ceiling = ceiling
        self._spent = 0.0
        self._reserved = 0.0

    @property
    def limited(self) -> bool:
        return self._ceiling is not None

    @property
    def left(self) -> float:
        return (self._ceiling or 0.0) - self._spent - self._reserved

    def reserve(self, worst: float) -> Reservation:
        """Set `worst` aside; raises OverBudget where less is left."""
        if self._ceiling is not None and worst > self.left:
            raise OverBudget(
                f"This chat may cost up to {dollars(worst)}, and {dollars(max(self.left, 0.0))} of the budget is left.",
                hint=f"{_CHEAPER} Or raise HUB_MCP_BUDGET (now {dollars(self._ceiling)}) and restart the server.",
            )
        self._reserved += worst
        return Reservation(worst)

    def settle(self, reservation: Reservation, spent: float) -> None:
        """Give back what was set aside and note what was spent."""
        self._reserved -= reservation.amount
        reservation.amount = 0.0
        self._spent += spent


def check_ceiling(worst: float, ceiling: float | None, name: str) -> None:
    """Raises OverBudget where the worst case is above a ceiling."""
    if ceiling is not None and worst > ceiling:
        raise OverBudget(
            f"This chat may cost up to {dollars(worst)}, more than {name} allows ({dollars(ceiling)}).",
            hint=_CHEAPER,
        )


def dollars(amount: float) -> str:
    """Six decimals, more for tinier amounts, without idle zeros: `$0.0042`."""
    shown = f"{amount:.6f}" if amount >= 1e-6 or not amount else f"{amount:.10f}"
    return "$" + (shown.rstrip("0").rstrip(".") or "0")


def _size(message: Message) -> tuple[int, int]:
    """Bytes of text in a message, and how many pictures, sounds or files are in it."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    media = sum(1 for part in parts if isinstance(part, Mapping) and part.get("type") in _MEDIA)
    texts = [part for part in parts if not (isinstance(part, Mapping) and part.get("type") in _MEDIA)]
    written = {**message, "content": texts} if parts else message
    return _bytes(json.dumps(written, ensure_ascii=False, default=str)), media


def _bytes(written: str) -> int:
    return len(written.encode(errors="replace"))


_CHEAPER = "Ask for less: a smaller max_tokens, a shorter prompt, a cheaper model; or allow more."
_PRICED = "Choose a model whose prices list_models shows, or leave the ceiling out."
_BOUND = "Give max_tokens."
