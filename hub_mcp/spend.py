"""What a chat costs and may cost. US dollars; prices are per million tokens."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import OverBudget
from .models import Message, Model, Pricing, Usage

_MILLION = 1_000_000
_BYTES_PER_TOKEN = 4
_PER_MESSAGE = 8
_PICTURES = frozenset({"image_url", "input_image"})
_BOUNDLESS = frozenset({"input_audio", "audio_url", "video_url", "file", "input_file", "document"})
_MEDIA = _PICTURES | _BOUNDLESS

_PICTURE_TOKENS = 50_000
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
    return Usage(guess_tokens(sum(_size(message) for message in messages)), guess_tokens(_bytes(answer)))


def most_input_tokens(
    messages: Iterable[Message], options: Mapping[str, Any], context_length: int | None = None
) -> int:
    """More than any tokenizer makes of a request: no token is shorter than a byte of UTF-8.

    A film, a sound or a file may fill the whole context; raises OverBudget where nobody knows how long that is.
    """
    total = _bytes(_json(options))
    boundless = False
    for message in messages:
        kinds = _kinds(message)
        total += _size(message) + _PER_MESSAGE + _PICTURE_TOKENS * sum(kind in _PICTURES for kind in kinds)
        boundless = boundless or not _BOUNDLESS.isdisjoint(kinds)
    if not boundless:
        return total
    if context_length is None:
        raise OverBudget("Nobody knows how much the attached files count, and a ceiling is set.", hint=_BARE)
    return max(total, context_length)


def most_usage(
    messages: Iterable[Message], options: Mapping[str, Any], answer: str, context_length: int | None = None
) -> Usage:
    """The most that a chat with this answer can have used whose hub did not say."""
    return Usage(most_input_tokens(messages, options, context_length), _bytes(answer))


def worst_case(
    model: Model | None, messages: Iterable[Message], options: Mapping[str, Any], max_tokens: int | None
) -> float:
    """The most that a chat can cost; raises OverBudget where nobody can know."""
    if model is None or model.pricing.input is None or model.pricing.output is None:
        raise OverBudget("The price of this model is unknown, and a ceiling is set.", hint=_PRICED)
    # To some hubs a limit that is not positive means none.
    longest = max_tokens if max_tokens is not None and max_tokens > 0 else model.max_output
    if longest is None and model.pricing.output > 0:
        raise OverBudget(f"Nobody knows how long {model.id} may answer, and a ceiling is set.", hint=_BOUND)
    # A cache may also be written, which some vendors charge above the input price.
    dearest_input = max(model.pricing.input, model.pricing.cache_write or 0.0)
    # Free input, and it does not matter how much of it there is.
    asked = most_input_tokens(messages, options, model.context_length) if dearest_input else 0
    return (asked * dearest_input + (longest or 0) * model.pricing.output) / _MILLION


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """Money set aside for one chat until it is known what it cost."""

    amount: float


class Budget:
    """The ceiling for all chats of this process; they reserve before they are sent, so ten at once cannot overspend."""

    def __init__(self, ceiling: float | None) -> None:
        self._ceiling = math.inf if ceiling is None else ceiling
        self._spent = 0.0
        self._open: list[Reservation] = []

    @property
    def limited(self) -> bool:
        return math.isfinite(self._ceiling)

    @property
    def left(self) -> float:
        return self._ceiling - math.fsum((self._spent, *(reservation.amount for reservation in self._open)))

    def reserve(self, worst: float) -> Reservation:
        """Set `worst` aside; raises OverBudget where less is left."""
        if worst > self.left:
            raise OverBudget(
                f"This chat may cost up to {dollars(worst)}, and {dollars(max(self.left, 0.0))} of the budget is left.",
                hint=f"{_CHEAPER} Or raise HUB_MCP_BUDGET (now {dollars(self._ceiling)}) and restart the server.",
            )
        reservation = Reservation(worst)
        self._open.append(reservation)
        return reservation

    def settle(self, reservation: Reservation, spent: float) -> None:
        """Give back what was set aside and note what was spent."""
        self._open.remove(reservation)
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


def _kinds(message: Message) -> list[Any]:
    """What the parts of a message are; nothing where it is text alone."""
    content = message.get("content")
    return [_kind(part) for part in content] if isinstance(content, list) else []


def _kind(part: Any) -> Any:
    kind = part.get("type") if isinstance(part, Mapping) else None
    return kind if isinstance(kind, str) else None


def _size(message: Message) -> int:
    """Bytes of a message without its pictures, sounds and files."""
    if not _MEDIA.intersection(_kinds(message)):
        return _bytes(_json(message))
    rest = [part for part in message["content"] if _kind(part) not in _MEDIA]
    return _bytes(_json({**message, "content": rest}))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _bytes(written: str) -> int:
    return len(written.encode(errors="replace"))


_CHEAPER = "Ask for less: a smaller max_tokens, a shorter prompt, a cheaper model; or allow more."
_PRICED = "Choose a model whose prices list_models shows, or leave the ceiling out."
_BOUND = "Give max_tokens."
_BARE = "Leave them or the ceiling out, or choose a model whose context_length is known."
