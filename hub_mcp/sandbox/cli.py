"""The embedded hub by itself, until Ctrl-C."""

import anyio
import click

from .faults import FAULTS
from .serve import running
from .state import Sandbox


async def run(port: int) -> None:
    """Serve, and say how to use it; raises OSError where the port is taken."""
    async with running(Sandbox(), port) as url:
        click.echo(f"The embedded hub listens on {url}. Ctrl-C stops it.\n")
        click.echo(f"  HUB_MCP_PROFILE=sandbox HUB_MCP_BASE_URL={url} HUB_MCP_API_KEY=sk-sandbox hub-mcp\n")
        click.echo("Models that fail on purpose, to see how a host copes:")
        width = max(map(len, FAULTS))
        for model, behaviour in FAULTS.items():
            click.echo(f"  {model:<{width}}  {behaviour}")
        await anyio.sleep_forever()
