"""A server as a child process, spoken to in raw JSON lines: an SDK client's own cost would blur the ratios."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from types import TracebackType
from typing import Any, Self

_LIFETIME = 120.0
"""Seconds after which a child is killed, so that one that hangs cannot hang the benchmark."""

_HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}


class ServerFailed(RuntimeError):
    """A server that ended, or answered with an error: its times would mean nothing."""


class Child:
    """One MCP server on stdio. `start_time` is from the spawn to the reply to `initialize`, in seconds."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._last_id = 0
        self.spawned = perf_counter()
        self._process = subprocess.Popen(  # noqa: S603 - our own commands
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._killer = threading.Timer(_LIFETIME, self._process.kill)
        self._killer.start()
        try:
            self.ask("initialize", _HELLO)
            self.start_time = perf_counter() - self.spawned
            self._send({"method": "notifications/initialized"})
        except BaseException:
            self._stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._killer.cancel()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, method: str, params: Mapping[str, Any]) -> float:
        """One request; the seconds until its answer was read. Raises ServerFailed for an error."""
        self._last_id += 1
        line = _line({"id": self._last_id, "method": method, "params": params})
        assert self._process.stdout is not None
        asked = perf_counter()
        self._write(line)
        answer = self._process.stdout.readline()
        took = perf_counter() - asked
        self._check(method, answer)
        return took

    def call(self, tool: str, arguments: Mapping[str, Any]) -> float:
        """One `tools/call`, as `ask`."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def call_together(
        self, tool: str, each: Sequence[Mapping[str, Any]], on_first: Callable[[], None]
    ) -> list[Any]:
        """Many `tools/call` at once, with progress as hosts ask for it; their results in the order they came.

        `on_first` is called with the first of them. Raises ServerFailed for an error.
        """
        waiting = set()
        for arguments in each:
            self._last_id += 1
            waiting.add(self._last_id)
            params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": self._last_id}}
            self._send({"id": self._last_id, "method": "tools/call", "params": params})
        results: list[Any] = []
        while waiting:
            message = self._next_answer(waiting)
            if not results:
                on_first()
            results.append(message["result"])
        return results

    def _next_answer(self, waiting: set[int]) -> Any:
        """The next answer to one of these, passing over notifications."""
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            message = json.loads(line)
            if "id" in message:
                waiting.remove(message["id"])
                _check_answer("tools/call", message, line)
                return message
        raise ServerFailed("the server ended during tools/call")

    def _send(self, message: Mapping[str, Any]) -> None:
        self._write(_line(message))

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def _check(self, method: str, answer: bytes) -> None:
        if not answer:
            raise ServerFailed(f"the server ended during {method}")
        message = json.loads(answer)
        if message.get("id") != self._last_id:
            raise ServerFailed(f"{method} gave {_shown(answer)}")
        _check_answer(method, message, answer)


def _check_answer(method: str, message: Any, line: bytes) -> None:
    if "error" in message or message["result"].get("isError"):
        raise ServerFailed(f"{method} gave {_shown(line)}")


def _shown(line: bytes) -> str:
    return line[:500].decode(errors="replace")


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
