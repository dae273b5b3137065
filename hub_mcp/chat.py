"""Events -> deltas -> reply; asking one model once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import chat_wire, wire
from .clock import Stamp, elapsed
from .errors import BadAnswer
from .models import ChatDelta, ChatReply, ToolCallPart, Usage
from .upstream import MAX_BYTES, ChatAnswer, Upstream

INCOMPLETE = "incomplete"
RUNNING = "running"


class Fold:
    """Joins the deltas of one answer, in the order they came."""

    def __init__(self, model: str, sent: Stamp) -> None:
        self.sent = sent
        self.length = 0
        self.thinking = 0
        self._model = model
        self._first: Stamp | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, ToolCallPart] = {}
        self.finish_reason: str | None = None
        self._usage: Usage | None = None
        self._request_id: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing of an answer has come yet; reasoning is not the answer."""
        return not self.length and not self._calls

    def add(self, delta: ChatDelta, now: Stamp) -> None:
        if delta.text:
            self._text.append(delta.text)
            self.length += len(delta.text)
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
            self.thinking += len(delta.reasoning)
        for part in delta.tool_calls:
            self._calls[part.index] = _joined(self._calls.get(part.index), part)
        if self._first is None and (delta.text or delta.reasoning or delta.tool_calls):
            self._first = now
        self.finish_reason = delta.finish_reason or self.finish_reason
        self._usage = delta.usage or self._usage
        self._model = delta.model or self._model
        self._request_id = self._request_id or delta.request_id

    def reply(self, now: Stamp, finish_reason: str) -> ChatReply:
        """The answer so far."""
        return ChatReply(
            model=self._model,
            text="".join(self._text),
            finish_reason=finish_reason,
            seconds=elapsed(self.sent, now),
            first_token_seconds=elapsed(self.sent, self._first or now),
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


async def ask(
    upstream: Upstream, body: Mapping[str, Any], key: str, add: Callable[[ChatDelta], None]
) -> None:
    """Send one chat and hand on its deltas as they come; raises HubError, also in the middle of an answer."""
    async with upstream.open_chat(body, key) as answer:
        if answer.streamed:
            await _stream(answer, add)
        else:
            _whole(answer, await answer.read(), add)


async def _stream(answer: ChatAnswer, add: Callable[[ChatDelta], None]) -> None:
    size = 0
    async for event in answer.events():
        data = event.data
        size += len(data)
        if size > MAX_BYTES:
            raise BadAnswer(f"The answer is larger than {MAX_BYTES // 1024**2} MB.", hint="Set max_tokens.")
        if data == "[DONE]":
            return
        if data:
            add(_delta(answer, data.encode(errors="replace")))


def _whole(answer: ChatAnswer, body: bytes, add: Callable[[ChatDelta], None]) -> None:
    delta = _delta(answer, body)
    if delta == ChatDelta(model=delta.model, request_id=delta.request_id, usage=delta.usage):
        raise BadAnswer("The hub's answer holds no choices.", hint="Choose another model.")
    add(delta)


def _delta(answer: ChatAnswer, data: bytes) -> ChatDelta:
    payload = wire.decode_json(data)
    if wire.error_in(payload) is not None:
        raise answer.refusal(data)
    return chat_wire.decode(payload)
