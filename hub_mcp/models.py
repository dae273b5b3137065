"""The domain: what a model is to us, whatever its hub calls things.

Prices are USD per 1,000,000 tokens, lengths are tokens; None means unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOT_PER_TOKEN = frozenset({"image_generation", "video", "tts", "stt"})
"""Types whose catalog prices are placeholders, not token prices."""


@dataclass(frozen=True, slots=True)
class Pricing:
    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None


NO_PRICE = Pricing()


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalog. `id` is exact and case-sensitive.

    `pricing` is empty where the hub's numbers are not token prices.
    `extra` holds the hub's own fields that we do not know, unharmed.
    """

    id: str
    name: str = ""
    developer: str = ""
    description: str = ""
    types: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    context_length: int | None = None
    max_output: int | None = None
    pricing: Pricing = NO_PRICE
    endpoints: tuple[str, ...] = ()
    owned_by: str = ""
    created: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a model has an id")
        for limit in (self.context_length, self.max_output):
            if limit is not None and limit <= 0:
                raise ValueError("a limit is positive, or None where it is unknown")

    def __hash__(self) -> int:
        # `extra` cannot be hashed, and ids all but tell models apart.
        return hash(self.id)

    @property
    def free(self) -> bool:
        return self.pricing.input == 0 and self.pricing.output == 0


def priced_per_token(types: tuple[str, ...]) -> bool:
    """False for a model that has types and makes nothing but pictures, films or sound, or reads sound."""
    return not types or not NOT_PER_TOKEN.issuperset(types)


Message = Mapping[str, Any]
"""One message in OpenAI's shape; it goes to the hub as it is."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What one caller asks of chat.

    `model` is empty where the thread's own is meant. `options` are all other fields of the
    request. `schema` is what the answer must fit, `wants_json` that it must be JSON at all.
    `wait` is in seconds, `max_cost` in US dollars. Without messages the call collects what
    is still missing of `thread`.
    """

    model: str = ""
    messages: tuple[Message, ...] = ()
    system: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    schema: Mapping[str, Any] | None = None
    wants_json: bool = False
    fallback_models: tuple[str, ...] = ()
    max_cost: float | None = None
    wait: float | None = None
    thread: str = ""

    @property
    def max_tokens(self) -> int | None:
        """The longest answer that was asked for, by either of the protocol's names."""
        limits = [self.options.get(name) for name in ("max_tokens", "max_completion_tokens")]
        known = [limit for limit in limits if isinstance(limit, int)]
        return max(known) if known else None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the hub counted them; `reasoning_tokens` are part of `output_tokens`."""

    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A fragment of one tool call; `index` tells which, and the fragments' texts are joined."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class ChatDelta:
    """What one event of a stream adds to the answer; a whole answer is one big delta."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCallPart, ...] = ()
    finish_reason: str | None = None
    usage: Usage | None = None
    model: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChatReply:
    """A model's answer. `seconds` are counted from sending, `tool_calls` in OpenAI's shape."""

    model: str
    text: str
    finish_reason: str
    seconds: float
    first_token_seconds: float
    usage: Usage | None = None
    reasoning: str = ""
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    request_id: str | None = None
