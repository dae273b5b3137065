"""Events -> deltas -> reply; asking one model once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

from . import chat_wire, wire
from .clock import Clock, Stamp, elapsed
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
        self._calls: list[_Call] = []
        self.finish_reason: str | None = None
        self._usage: Usage | None = None
        self._request_id: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing of an answer has come yet; reasoning is not the answer."""
        return not self.length and not self._calls

    @property
    def untouched(self) -> bool:
        """Whether the model has not even begun to think."""
        return self._first is None

    def add(self, delta: ChatDelta, now: Stamp) -> None:
        if delta.text:
            self._text.append(delta.text)
            self.length += len(delta.text)
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
            self.thinking += len(delta.reasoning)
        for part in delta.tool_calls:
            self._add_call(part)
        if self._first is None and (delta.text or delta.reasoning or delta.tool_calls):
            self._first = now
        self.finish_reason = delta.finish_reason or self.finish_reason
        self._usage = delta.usage or self._usage
        self._model = delta.model or self._model
        self._request_id = self._request_id or delta.request_id

    def add_text(self, piece: str, clock: Clock) -> None:
        """As `add`, for a delta that holds nothing else; the clock is asked for the first token only."""
        if not piece:
            return
        self._text.append(piece)
        self.length += len(piece)
        if self._first is None:
            self._first = clock.stamp()

    def _add_call(self, part: ToolCallPart) -> None:
        """A fragment belongs to the last call of its index, unless it names another: some hubs number all of them 0."""
        last = next((call for call in reversed(self._calls) if call.index == part.index), None)
        if last is None or (part.name and part.id not in ("", last.id)):
            last = _Call(part.index)
            self._calls.append(last)
        last.add(part)

    def reply(self, now: Stamp, finish_reason: str) -> ChatReply:
        """The answer so far."""
        return ChatReply(
            model=self._model,
            text=chat_wire.mend("".join(self._text)),
            finish_reason=finish_reason,
            seconds=elapsed(self.sent, now),
            first_token_seconds=elapsed(self.sent, self._first or now),
            usage=self._usage,
            reasoning=chat_wire.mend("".join(self._reasoning)),
            tool_calls=tuple(call.whole() for call in self._calls),
            request_id=self._request_id,
        )


class _Call:
    """One tool call, put together from its fragments."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.id = ""
        self._name = ""
        self._arguments: list[str] = []

    def add(self, part: ToolCallPart) -> None:
        self.id = self.id or part.id
        self._name = self._name or part.name
        self._arguments.append(part.arguments)

    def whole(self) -> Mapping[str, Any]:
        function = {"name": chat_wire.mend(self._name), "arguments": chat_wire.mend("".join(self._arguments))}
        return {"id": chat_wire.mend(self.id), "type": "function", "function": function}


async def ask(
    upstream: Upstream,
    body: Mapping[str, Any],
    key: str,
    add: Callable[[ChatDelta], None],
    add_text: Callable[[str], None] | None = None,
) -> None:
    """Send one chat and hand on its deltas as they come; raises HubError, also in the middle of an answer.

    Pieces of mere text go to `add_text` where there is one: they are nearly all of a stream.
    """
    async with upstream.open_chat(body, key) as answer:
        if answer.streamed:
            await _stream(answer, add, add_text or (lambda piece: add(ChatDelta(text=piece))))
        else:
            _whole(answer, await answer.read(), add)


async def _stream(
    answer: ChatAnswer, add: Callable[[ChatDelta], None], add_text: Callable[[str], None]
) -> None:
    size = 0
    begun = False
    async with aclosing(answer.events()) as events:
        async for event in events:
            said = event.data
            size += len(said)
            if size > MAX_BYTES:
                raise BadAnswer(
                    f"The answer is larger than {MAX_BYTES // 1024**2} MB.", hint="Set max_tokens."
                )
            # The first event also tells the model and the request.
            piece = chat_wire.mere_text(said) if begun else None
            if piece is not None:
                add_text(piece)
                continue
            data = said.strip().encode(errors="replace")
            if data == b"[DONE]":
                return
            if data:
                add(chat_wire.decode(_payload(answer, data)))
                begun = True


def _whole(answer: ChatAnswer, body: bytes, add: Callable[[ChatDelta], None]) -> None:
    payload = _payload(answer, body)
    if not chat_wire.has_answer(payload):
        raise BadAnswer("The hub's answer holds no choices.", hint="Choose another model.")
    add(chat_wire.decode(payload))


def _payload(answer: ChatAnswer, data: bytes) -> Any:
    payload = wire.decode_json(data)
    if wire.error_in(payload) is not None:
        raise answer.refusal(data)
    return payload
