"""Rows, and the table they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_HEADINGS = ("what", "hub-mcp", "bare", "ratio", "goal", "")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of ours beside the bare server's, or beside another yardstick that `what` names.

    `goal` is the largest ratio, `limit` the largest figure of ours; without either it only
    informs. A row that could not be measured says why in `note`.
    """

    what: str
    ours: float | None = None
    bare: float | None = None
    goal: float | None = None
    unit: str = "ms"
    note: str = ""
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.bare if self.ours is not None and self.bare else None

    @property
    def over(self) -> bool:
        return _exceeds(self.ratio, self.goal) or _exceeds(self.ours, self.limit)

    @property
    def verdict(self) -> str:
        judged = (self.ratio is not None and self.goal is not None) or (
            self.ours is not None and self.limit is not None
        )
        if not judged:
            return self.note
        return "over" if self.over else "ok"

    def cells(self) -> tuple[str, ...]:
        return (
            self.what,
            _amount(self.ours, self.unit),
            _amount(self.bare, self.unit),
            _times(self.ratio),
            _times(self.goal) if self.limit is None else _amount(self.limit, self.unit),
            self.verdict,
        )


def _exceeds(value: float | None, most: float | None) -> bool:
    return value is not None and most is not None and value > most


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.2f} {unit}"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def table(rows: Sequence[Row]) -> str:
    lines = [_HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(cells, widths) for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    what, *amounts, verdict = cells
    aligned = [amount.rjust(width) for amount, width in zip(amounts, widths[1:-1], strict=True)]
    return "  ".join([what.ljust(widths[0]), *aligned, verdict]).rstrip()
