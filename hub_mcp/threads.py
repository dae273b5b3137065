"""What was said before: threads in memory, each of the key that began it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .clock import Clock, Stamp, elapsed
from .errors import BadRequest
from .models import Message

MAX_THREADS = 64
MAX_TURNS = 50
MAX_BYTES = 1_000_000
IDLE_SECONDS = 3600.0

R = TypeVar("R")


@dataclass(slots=True)
class Thread(Generic[R]):
    """One conversation. `answer` is the last one: `running`, or over and `owed` until somebody has had all of it."""

    id: str
    owner: str = field(repr=False)
    used: Stamp
    model: str = ""
    messages: list[Message] = field(default_factory=list)
    turns: int = 0
    size: int = 0
    answer: R | None = None
    running: bool = False
    owed: bool = False

    def remember(self, conversation: Iterable[Message]) -> None:
        """Take one turn more; a conversation that has grown too large is forgotten, and the thread is full."""
        self.messages = list(conversation)
        self.turns += 1
        self.size = len(json.dumps(self.messages, ensure_ascii=False, default=str).encode(errors="replace"))
        if self.size > MAX_BYTES:
            self.messages = []

    def check_open(self) -> None:
        """Raises BadRequest where the thread cannot be continued."""
        if self.turns >= MAX_TURNS or self.size > MAX_BYTES:
            raise BadRequest(
                f"The thread is full: {MAX_TURNS} turns and {MAX_BYTES // 1_000_000} MB are the most.",
                hint="Begin a new one: call without thread, and put what matters into the prompt.",
            )


class Threads(Generic[R]):
    """The newest 64 threads; one that is idle for an hour ends. Nothing that somebody may still want is dropped."""

    def __init__(self, clock: Clock, limit: int = MAX_THREADS) -> None:
        self._clock = clock
        self._limit = limit
        self._threads: dict[str, Thread[R]] = {}

    def begin(self, owner: str) -> Thread[R]:
        self._end_idle()
        self._make_room()
        thread: Thread[R] = Thread(secrets.token_urlsafe(9), owner, self._clock.stamp())
        self._threads[thread.id] = thread
        return thread

    def find(self, name: str, owner: str) -> Thread[R]:
        """The caller's own thread of that name; raises BadRequest. Another's is as good as none."""
        self._end_idle()
        thread = self._threads.get(name)
        if thread is None or not secrets.compare_digest(thread.owner, owner):
            raise BadRequest(
                "There is no such thread (any more); nothing was sent and nothing spent.",
                hint="Threads live in memory, for an hour after their last use. Begin a new one.",
            )
        self.touch(thread)
        return thread

    def touch(self, thread: Thread[R]) -> None:
        """Mark a thread as used just now: it becomes the last to go."""
        thread.used = self._clock.stamp()
        if self._threads.pop(thread.id, None) is not None:
            self._threads[thread.id] = thread

    def drop(self, thread: Thread[R]) -> None:
        self._threads.pop(thread.id, None)

    def all(self) -> tuple[Thread[R], ...]:
        return tuple(self._threads.values())

    def _end_idle(self) -> None:
        now = self._clock.stamp()
        for thread in self.all():
            if not thread.running and elapsed(thread.used, now) > IDLE_SECONDS:
                self.drop(thread)

    def _make_room(self) -> None:
        settled = [thread for thread in self.all() if not (thread.running or thread.owed)]
        for thread in settled[: max(len(self._threads) - self._limit + 1, 0)]:
            self.drop(thread)
