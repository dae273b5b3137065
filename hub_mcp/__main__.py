"""`hub-mcp`: with no arguments the MCP server on stdio, at once; else the command line."""

from __future__ import annotations

import sys


def main() -> None:
    # The command line's library costs 40 ms that a host need not wait for.
    if sys.argv[1:] in ([], ["serve"]):
        from .stdio import main as serve

        sys.exit(serve())
    from .cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
