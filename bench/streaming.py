"""Chat beside a plain client that reads the same stream: at full speed, at a pace, and many at once."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import httpx2
from pydantic import SecretStr

from hub_mcp.chat import Fold, ask
from hub_mcp.clock import SystemClock
from hub_mcp.hub import Hub
from hub_mcp.models import ChatRequest
from hub_mcp.settings import Settings
from hub_mcp.upstream import CHAT_PATH, Upstream

from .child import Child
from .memory import reading
from .report import Row
from .setup import Setup, running_stream
from .stream_server import text

FULL_SPEED, FULL_SPEED_RUNS = "2000@0", 25
PACED, PACED_RUNS = "50@100", 10
GOAL = 1 / 0.90
"""Of the plain client's time, for 0.90 of its throughput."""
ADDED_LIMIT = 5.0

CHATS, WARM_UP = 100, 20
QUICK, SLOW = "20@40", "120@40"
MEMORY_LIMIT = 64.0

_KEY = "sk-bench"
_MESSAGES = [{"role": "user", "content": "hello"}]

Client = Callable[[str], Awaitable[str]]
"""Asks a model and returns all that it said."""


def rows(setup: Setup) -> list[Row]:
    with running_stream() as url:
        return [*asyncio.run(_beside_plain(setup, url)), _memory(setup, url)]


# --- one chat, beside a plain client --------------------------------------------------------


async def _beside_plain(setup: Setup, url: str) -> list[Row]:
    async with _clients(url) as clients:
        full = await _timed(clients, FULL_SPEED, setup.times(FULL_SPEED_RUNS))
        whole = {name: clients[name] for name in ("plain", "chat")}
        paced = await _timed(whole, PACED, setup.times(PACED_RUNS))
    plain = full["plain"]
    return [
        Row("2,000 chunks at full speed, asked", full["asked"], plain, GOAL),
        Row("2,000 chunks at full speed, whole chat", full["chat"], plain, GOAL),
        Row("100 chunks a second, later last token", paced["chat"] - paced["plain"], limit=ADDED_LIMIT),
    ]


async def _timed(clients: Mapping[str, Client], model: str, rounds: int) -> dict[str, float]:
    """Each client's median time in milliseconds, from asking to the last token."""
    said = text(_count(model))
    times: dict[str, list[float]] = {name: [] for name in clients}
    names = list(clients)
    for number in range(rounds + 1):
        names.append(names.pop(0))  # so that none always follows the same other
        for name in names:
            began = perf_counter()
            heard = await clients[name](model)
            took = perf_counter() - began
            if heard != said:
                raise RuntimeError(f"{name} heard something else than was said: {heard[:100]!r}")
            if number:  # the first round warms up
                times[name].append(took * 1000)
    return {name: median(each) for name, each in times.items()}


@asynccontextmanager
async def _clients(url: str) -> AsyncIterator[Mapping[str, Client]]:
    """A plain client, ours that asks, and the whole chat as the tool calls it."""
    settings = Settings(base_urls=(url,), api_key=SecretStr(_KEY))
    async with (
        httpx2.AsyncClient() as client,
        Upstream((url,), clock=SystemClock(), timeout=30) as upstream,
        Hub(settings) as hub,
    ):
        yield {
            "plain": lambda model: _plain(client, url + CHAT_PATH, model),
            "asked": lambda model: _asked(upstream, model),
            "chat": lambda model: _chat(hub, model),
        }


def _count(model: str) -> int:
    """How many chunks the stream server says under this name."""
    return int(model.partition("@")[0])


def _body(model: str) -> dict[str, Any]:
    return {
        "model": model,
        "messages": _MESSAGES,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def _plain(client: httpx2.AsyncClient, url: str, model: str) -> str:
    said: list[str] = []
    headers = {"Authorization": f"Bearer {_KEY}"}
    async with client.sse(url, method="POST", json=_body(model), headers=headers) as events:
        async for event in events:
            if event.data == "[DONE]":
                break
            choices = json.loads(event.data)["choices"]
            if choices:
                said.append(choices[0]["delta"].get("content") or "")
    return "".join(said)


async def _asked(upstream: Upstream, model: str) -> str:
    clock = SystemClock()
    fold = Fold(model, clock.stamp())
    await ask(
        upstream,
        _body(model),
        _KEY,
        lambda delta: fold.add(delta, clock.stamp()),
        lambda piece: fold.add_text(piece, clock),
    )
    return fold.reply(clock.stamp(), "stop").text


async def _chat(hub: Hub, model: str) -> str:
    result = await hub.chat(ChatRequest(model, tuple(_MESSAGES)), _unheard)
    return result.text


async def _unheard(_step: float, _message: str) -> None:
    """Progress that nobody looks at."""


# --- many at once ---------------------------------------------------------------------------


def _memory(setup: Setup, url: str) -> Row:
    what = f"memory per chat, {CHATS} at once, beside its text"
    if not Path("/proc/self/status").exists():
        return Row(what, limit=MEMORY_LIMIT, unit="KB", note="Linux only")
    with replace(setup, hub_url=url).ours() as child:
        _together(child, 1, QUICK)
        _together(child, WARM_UP, SLOW)
        before = _resident(child)
        grown, characters = _together(child, CHATS, SLOW)
    return Row(what, (grown - before - characters / 1024) / CHATS, limit=MEMORY_LIMIT, unit="KB")


def _together(child: Child, count: int, model: str) -> tuple[float, int]:
    """So many chats at once: the most memory while none was over yet, and how much they said in all."""
    arguments = {"model": model, "prompt": "hello"}
    watch = _Watch(child)
    answers = child.call_together("chat", [arguments] * count, on_first=watch.stop)
    said = [answer["content"][0]["text"] for answer in answers]
    if any(each != text(_count(model)) for each in said):
        raise RuntimeError(f"an answer is not whole: {said[0][:100]!r}")
    return watch.most, sum(map(len, said))


def _resident(child: Child) -> float:
    """Kilobytes."""
    return reading(child)["VmRSS"] * 1024


class _Watch:
    """Looks at a child's memory every now and then, until it is stopped."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._over = threading.Event()
        self.most = _resident(child)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.05):
            self.most = max(self.most, _resident(self._child))
