"""Memory after a short session: handshake, tools/list, calls; ours with the catalog loaded."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median

from .child import Child
from .report import Row
from .setup import Setup

RUNS = 5
GOAL = 1.15
_FIELDS = {"memory, peak": "VmHWM", "memory, at rest": "VmRSS"}


def rows(setup: Setup) -> list[Row]:
    if not Path("/proc/self/status").exists():
        return [Row(what, goal=GOAL, unit="MB", note="Linux only") for what in _FIELDS]
    ours: list[dict[str, float]] = []
    bare: list[dict[str, float]] = []
    for _ in range(setup.times(RUNS)):
        ours.append(_ours(setup))
        bare.append(_bare(setup))
    return [
        Row(what, _middle(ours, field), _middle(bare, field), GOAL, "MB") for what, field in _FIELDS.items()
    ]


def _middle(readings: list[dict[str, float]], field: str) -> float:
    return median(reading[field] for reading in readings)


def _ours(setup: Setup) -> dict[str, float]:
    with setup.ours() as child:
        child.ask("tools/list", {})
        child.call("list_models", {})
        # With a slip: correcting it brings in one more library.
        child.call("search_models", {"query": "cluade sonet"})
        return reading(child)


def _bare(setup: Setup) -> dict[str, float]:
    with setup.bare() as child:
        child.ask("tools/list", {})
        child.call("echo", {"text": "hello"})
        return reading(child)


def reading(child: Child) -> dict[str, float]:
    """Megabytes by the names that Linux gives them."""
    status = Path(f"/proc/{child.pid}/status").read_text()
    return {
        name: int(kilobytes) / 1024 for name, kilobytes in re.findall(r"(?m)^(Vm\w+):\s+(\d+) kB", status)
    }
