"""A hub that does nothing but stream, in a process of its own: what it says is made before anybody asks.

`POST` with the model `2000@0` answers with 2,000 chunks as fast as they can be sent, `50@100` with 50 chunks
at 100 a second. One chunk is one write, as hubs send them. `GET` answers with an empty catalog.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from functools import lru_cache

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
_EMPTY = json.dumps({"data": []}).encode()
_END = b"0\r\n\r\n"


def text(count: int) -> str:
    """What an answer of so many chunks says."""
    return "".join(_word(number) for number in range(count))


def _word(number: int) -> str:
    return f"word-{number} "


@lru_cache
def _pieces(count: int) -> list[bytes]:
    said = (_choices({"content": _word(number)}) for number in range(count))
    usage = {"prompt_tokens": 1, "completion_tokens": count, "total_tokens": count + 1}
    events: tuple[Mapping[str, object], ...] = (
        *said,
        _choices({}, "stop"),
        {"choices": [], "usage": usage},
    )
    return [
        *(_piece(b"data: %s\n\n" % _json({**_COMMON, **event})) for event in events),
        _piece(b"data: [DONE]\n\n"),
    ]


_COMMON = {
    "id": "chatcmpl-bench",
    "object": "chat.completion.chunk",
    "created": 1626777600,
    "model": "bench",
    "system_fingerprint": "fp_0123456789",
}


def _choices(delta: dict[str, str], finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _piece(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            asked = await reader.readexactly(int(length[1]) if length else 0)
            await _answer(writer, asked)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _answer(writer: asyncio.StreamWriter, asked: bytes) -> None:
    if not asked:
        writer.write(_HEAD % b"application/json" + _piece(_EMPTY) + _END)
        return
    count, rate = map(int, json.loads(asked)["model"].split("@"))
    writer.write(_HEAD % b"text/event-stream")
    await _stream(writer, _pieces(count), rate)
    writer.write(_END)


async def _stream(writer: asyncio.StreamWriter, pieces: list[bytes], rate: int) -> None:
    now = asyncio.get_running_loop().time
    began = now()
    for number, piece in enumerate(pieces, 1):
        if rate:
            # By the clock, not by pauses: these would add up to more.
            await asyncio.sleep(max(0.0, began + number / rate - now()))
        writer.write(piece)
        await writer.drain()


async def main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
