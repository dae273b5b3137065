"""The command line. Exit codes: 0 done, 1 the hub or the network failed, 2 used wrongly, 130 interrupted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import anyio
import click

from . import __version__, stdio
from .errors import SettingsError
from .settings import VARIABLES, Settings

F = TypeVar("F", bound=Callable[..., Any])

FAILED, USED_WRONGLY, INTERRUPTED = 1, 2, 130


def main() -> None:
    """Run the command line and exit."""
    try:
        command_line(prog_name="hub-mcp", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def settings_options(command: F) -> F:
    """A flag for each setting but the key: what stands on a command line, every user of the machine can read."""
    for variable in reversed([variable for variable in VARIABLES if not variable.secret]):
        flag = "--" + variable.name.removeprefix("HUB_MCP_").lower().replace("_", "-")
        default = f" [default: {variable.default}]" if variable.default else ""
        command = click.option(
            flag, variable.name.lower(), metavar="VALUE", help=f"{variable.meaning}{default}"
        )(command)
    return command


def read_settings(flags: dict[str, Any]) -> Settings:
    """The environment with the flags over it; a bad value is used wrongly."""
    given = {name.upper(): value for name, value in flags.items() if value is not None}
    try:
        return Settings.from_env({**os.environ, **given})
    except SettingsError as error:
        raise _UsedWrongly(str(error)) from error


class _UsedWrongly(click.ClickException):
    exit_code = USED_WRONGLY

    def show(self, file: Any = None) -> None:
        click.echo(f"hub-mcp: {self.format_message()}", file=file, err=True)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hub-mcp")
@click.pass_context
def command_line(context: click.Context) -> None:
    """Puts a model hub into any MCP host. Without a command: the MCP server on stdio.

    \b
    Settings are environment variables; `hub-mcp serve --help` lists them as flags.
    The key: HUB_MCP_API_KEY, or a file named by HUB_MCP_API_KEY_FILE.
    """
    if context.invoked_subcommand is None:
        context.invoke(serve)


@command_line.command()
@settings_options
def serve(**flags: Any) -> None:
    """Serve MCP on stdin and stdout, until the host closes them."""
    settings = read_settings(flags)
    stdio.log_to_stderr(settings.log_level)
    sys.exit(anyio.run(stdio.serve, settings))


@command_line.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0 takes a free one."
)
def sandbox(port: int) -> None:
    """Run the embedded hub alone on a loopback port, to try hosts and faults against."""
    from .sandbox.cli import run

    try:
        anyio.run(run, port)
    except OSError as error:
        raise click.ClickException(str(error)) from error


@command_line.command()
def demo() -> None:
    """Show one whole session: the embedded hub, this server as a child process, and an MCP client."""
    from .demo import run

    anyio.run(run)
