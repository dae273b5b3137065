"""`python -m bench`: hub-mcp beside a bare SDK server, a plain client and a plain scan.

A section is a module with `rows(setup) -> list[Row]`, named in `SECTIONS`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from time import perf_counter

from . import memory, round_trips, scale, start, streaming
from .report import Row, table
from .setup import Setup, running_hub

SECTIONS: Mapping[str, Callable[[Setup], list[Row]]] = {
    "start": start.rows,
    "memory": memory.rows,
    "round-trips": round_trips.rows,
    "streaming": streaming.rows,
    "scale": scale.rows,
}


def main() -> int:
    options = _options()
    started = perf_counter()
    with running_hub() as url:
        setup = Setup(url, options.quick)
        rows = [row for name in options.only or SECTIONS for row in SECTIONS[name](setup)]
    took = perf_counter() - started
    sys.stdout.write(
        f"{table(rows)}\n\nAlternating runs: lower quartiles of starts, else medians. {took:.0f} s.\n"
    )
    return 1 if options.check and any(row.over for row in rows) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="a quarter of the repetitions, without the largest catalog"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 where a goal is missed")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="one section; may be repeated")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
