"""Events -> deltas -> reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import chat_wire, wire
from .clock import Clock, Stamp, elapsed
from .errors import BadAnswer
from .failures import failure
from .models import ChatDelta, ChatReply, ChatRequest, ToolCallPart, Usage
from .upstream import Upstream, read_bounded


class Fold:
    """Joins the deltas of one answer, in the order they came."""

    def __init__(self, model: str, sent: Stamp) -> None:
        self._model = model
        self._sent = sent
        self._first: Stamp | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, ToolCallPart] = {}
        self._finish_reason: str | None = None
        self._usage: Usage | None = None
        self._request_id: str | None = None

    def add(self, delta: ChatDelta, now: Stamp) -> None:
        if self._first is None and (delta.text or delta.reasoning or delta.tool_calls):
            self._first = now
        self._text.append(delta.text)
        self._reasoning.append(delta.reasoning)
        for part in delta.tool_calls:
            self._calls[part.index] = _joined(self._calls.get(part.index), part)
        self._finish_reason = delta.finish_reason or self._finish_reason
        self._usage = delta.usage or self._usage
        self._model = delta.model or self._model
        self._request_id = delta.request_id or self._request_id

    def reply(self, now: Stamp) -> ChatReply:
        """The answer so far."""
        return ChatReply(
            model=self._model,
            text="".join(self._text),
            finish_reason=self._finish_reason or "incomplete",
            seconds=elapsed(self._sent, now),
            first_token_seconds=elapsed(self._sent, self._first or now),
            usage=self._usage,
            reasoning="".join(self._reasoning),
            tool_calls=tuple(_call(part) for _, part in sorted(self._calls.items())),
            request_id=self._request_id,
        )


def _joined(known: ToolCallPart | None, part: ToolCallPart) -> ToolCallPart:
    if known is None:
        return part
    return ToolCallPart(
        part.index, known.id or part.id, known.name or part.name, known.arguments + part.arguments
    )


def _call(part: ToolCallPart) -> Mapping[str, Any]:
    function = {"name": part.name, "arguments": part.arguments}
    return {"id": part.id, "type": "function", "function": function}


async def complete(upstream: Upstream, request: ChatRequest, key: str, clock: Clock) -> ChatReply:
    """Ask once and wait for the whole answer; raises HubError."""
    body = {**request.options, "model": request.model, "messages": list(request.messages)}
    fold = Fold(request.model, clock.stamp())
    async with upstream.open_chat(body, key) as response:
        raw = await read_bounded(response)
    payload = wire.decode_json(raw)
    if wire.error_in(payload) is not None:
        raise failure(response.status_code, response.headers, raw, key=key, now=clock.stamp().wall)
    if not chat_wire.has_answer(payload):
        raise BadAnswer("The hub's answer holds no choices.", hint="Choose another model.")
    fold.add(chat_wire.decode(payload), clock.stamp())
    return fold.reply(clock.stamp())
