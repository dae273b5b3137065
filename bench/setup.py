"""The servers under comparison, and the embedded hub in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .child import Child

_ECHO = Path(__file__).with_name("echo_server.py")
_STREAM = Path(__file__).with_name("stream_server.py")
_OURS = ("HUB_MCP_", "AIHUBMIX_")
_KEY = "sk-sandbox"


@dataclass(frozen=True, slots=True)
class Setup:
    """What a section gets: where the hub is, and whether to be quick."""

    hub_url: str
    quick: bool = False

    def times(self, count: int) -> int:
        """How often to repeat what is usually repeated `count` times."""
        return max(2, count // 4) if self.quick else count

    def ours(self) -> Child:
        """`hub-mcp`, started as a host would."""
        settings = {
            "HUB_MCP_PROFILE": "aihubmix",
            "HUB_MCP_BASE_URL": self.hub_url,
            "HUB_MCP_API_KEY": _KEY,
        }
        return Child((sys.executable, "-m", "hub_mcp"), _environ() | settings)

    def bare(self) -> Child:
        """The yardstick."""
        return Child((sys.executable, str(_ECHO)), _environ())


def _environ() -> dict[str, str]:
    """This process's environment without what would configure hub-mcp."""
    environ: Mapping[str, str] = os.environ
    return {name: value for name, value in environ.items() if not name.startswith(_OURS)}


def running_hub() -> AbstractContextManager[str]:
    """The embedded hub on a free port, outside of every process that is measured."""
    return _running("-m", "hub_mcp", "sandbox", "--port", "0")


def running_stream() -> AbstractContextManager[str]:
    """A hub that streams as fast as can be: the embedded one would be what limits both sides."""
    return _running(str(_STREAM))


@contextmanager
def _running(*command: str) -> Iterator[str]:
    with subprocess.Popen(  # noqa: S603 - our own command
        (sys.executable, *command), env=_environ(), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield _url(process.stdout.readline())
        finally:
            process.kill()


def _url(line: str) -> str:
    found = re.search(r"http://[\d.:]*\d", line)
    if not found:
        raise RuntimeError(f"the hub did not start: {line!r}")
    return found[0]
