"""How an answer is sent: a plan of writes and pauses, made first, and the response that carries it out."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .state import ChatLog

DONE = b"data: [DONE]\n\n"


class Piece(NamedTuple):
    """One write to the connection, and the seconds to wait before it."""

    data: bytes
    pause: float = 0


@dataclass(frozen=True)
class Reply:
    """`wait` comes before the headers; a `broken` reply ends without ending its body."""

    headers: dict[str, str]
    pieces: tuple[Piece, ...]
    wait: float = 0
    broken: bool = False


def whole_reply(answer: Any, wait: float = 0) -> Reply:
    body = _json(answer)
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return Reply(headers, (Piece(body),), wait)


def stream_reply(chunks: Iterable[Any], pause: float) -> Reply:
    first, *rest = (event(chunk) for chunk in chunks)
    pieces = (Piece(first), *(Piece(data, pause) for data in rest), Piece(DONE))
    return Reply({"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}, pieces)


def event(chunk: Any) -> bytes:
    return b"data: " + _json(chunk) + b"\n\n"


def _json(value: Any) -> bytes:
    # A prompt may hold half a surrogate pair, which has no UTF-8 form; it is echoed as `?`.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


class ChatResponse(Response):
    """Sends a reply, and stops at once when the client hangs up, be it in the middle of a pause."""

    def __init__(self, reply: Reply, log: ChatLog, headers: dict[str, str]) -> None:
        self.reply = reply
        self.log = log
        self.status_code = 200
        self.background = None
        self.init_headers({**reply.headers, **headers})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch, receive, tasks.cancel_scope)
            await self._speak(send)
            tasks.cancel_scope.cancel()

    async def _watch(self, receive: Receive, speaking: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        # The server reports the regular end of a response in the same way.
        if not self.log.finished:
            self.log.disconnected.set()
        speaking.cancel()

    async def _speak(self, send: Send) -> None:
        await anyio.sleep(self.reply.wait)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        for piece in self.reply.pieces:
            await anyio.sleep(piece.pause)
            await send({"type": "http.response.body", "body": piece.data, "more_body": True})
            self.log.sent += 1
        if not self.reply.broken:  # else the server, finding the response incomplete, drops the connection
            self.log.finished = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})
