"""`hub-mcp`: with no arguments the MCP server on stdio, at once; else the command line."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    # The command line's library costs 40 ms that a host need not wait for.
    if sys.argv[1:] in ([], ["serve"]):
        sys.exit(_serve_at_once())
    from .cli import main as command_line

    command_line()


def _serve_at_once() -> int:
    # What is imported stays: a collector that walks it all again and again costs a tenth of the start.
    gc.disable()
    from .stdio import main as serve

    gc.freeze()
    gc.enable()
    return serve()


if __name__ == "__main__":
    main()
