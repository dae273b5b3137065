"""What one sandbox holds: its rows, what was asked of it, and the knobs a test may turn."""

import itertools
import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import Response

Row = dict[str, Any]
Intercept = Callable[[Request], Awaitable[Response | None]]

_HERE = Path(__file__).parent
_KEPT = 1000


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived. `path` is percent-decoded, header names are lower-case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any


@dataclass
class ChatLog:
    """How far one answer got. `sent` counts the pieces written to the connection."""

    model: str
    stream: bool
    sent: int = 0
    finished: bool = False
    disconnected: anyio.Event = field(default_factory=anyio.Event)


def load_rows() -> list[Row]:
    """Read the catalog, and put in the descriptions that its source left out."""
    rows: list[Row] = _read("catalog.json")["data"]
    descriptions: dict[str, str] = _read("descriptions.json")
    return [{**row, "desc": row["desc"] or descriptions.get(row["model_id"], "")} for row in rows]


def _read(name: str) -> Any:
    return json.loads((_HERE / name).read_text(encoding="utf-8"))


def _is_usable(row: Any) -> bool:
    # A test may serve rows that no hub should.
    return isinstance(row, dict) and isinstance(row.get("model_id"), str)


class Sandbox:
    """The state behind one app."""

    def __init__(self, rows: list[Row] | None = None) -> None:
        self.rows = load_rows() if rows is None else rows
        self.requests: deque[Recorded] = deque(maxlen=_KEPT)
        self.chats: deque[ChatLog] = deque(maxlen=_KEPT)
        self.intercept: Intercept | None = None
        self.cache_control = "public, max-age=300, stale-while-revalidate=300"
        self.chunk_delay = 0.02
        self.trickle_delay = 0.5
        self.slow_seconds = 30.0
        self.by_path: Counter[tuple[str, str]] = Counter()
        self._attempts: Counter[str] = Counter()
        self._prompts: set[str] = set()
        self._tids = itertools.count(1)

    @property
    def rows(self) -> list[Row]:
        """Replace the list to change it: what was made of it is kept for as long as it stays."""
        return self._rows

    @rows.setter
    def rows(self, rows: list[Row]) -> None:
        self._rows = rows
        self.by_id = {row["model_id"]: row for row in rows if _is_usable(row)}
        self.catalog_answers: dict[str, tuple[bytes, str]] = {}

    def record(self, request: Recorded) -> None:
        self.requests.append(request)
        self.by_path[request.method, request.path] += 1

    def count(self, method: str | None = None, path: str | None = None) -> int:
        """How many requests there ever were, of all or of one method or path."""
        return sum(
            number
            for (its_method, its_path), number in self.by_path.items()
            if method in (None, its_method) and path in (None, its_path)
        )

    def row(self, model: str) -> Row | None:
        """The row that serves an id; `gpt-4o-mini:surfing` is served by `gpt-4o-mini`."""
        return self.by_id.get(model) or self.by_id.get(model.partition(":")[0])

    def is_first(self, model: str) -> bool:
        """Whether this is the first chat with a model; asking counts it."""
        self._attempts[model] += 1
        return self._attempts[model] == 1

    def seen_before(self, prompt: str) -> bool:
        """Whether the same prompt came before, as a prompt cache would know; asking remembers it."""
        known = prompt in self._prompts
        self._prompts.add(prompt)
        return known

    def next_tid(self) -> int:
        """The number a hub gives to each exchange, to be quoted to its support."""
        return next(self._tids)
