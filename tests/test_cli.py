"""The command line, as a user and as a host runs it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys

import anyio
import click
import httpx2
import pytest
from children import PATIENCE, environment, hub_mcp, read_all, sandboxed
from click.testing import CliRunner

from hub_mcp import __version__
from hub_mcp.cli import command_line
from hub_mcp.settings import VARIABLES

pytestmark = pytest.mark.anyio


# -- help and version --------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", *command_line.commands])
def test_every_command_explains_itself(command):
    said = CliRunner().invoke(command_line, [*command.split(), "--help"])
    assert said.exit_code == 0
    assert said.output.startswith("Usage: ")
    assert "Options:" in said.output


def test_the_commands_that_were_promised_are_there():
    listed = CliRunner().invoke(command_line, ["--help"]).output
    for command in ("serve", "sandbox", "demo"):
        assert re.search(rf"^  {command} ", listed, re.MULTILINE)


def test_serve_has_a_flag_for_each_setting_but_the_key():
    flags = {flag for option in command_line.commands["serve"].params for flag in option.opts}
    expected = {
        "--" + variable.name.removeprefix("HUB_MCP_").lower().replace("_", "-")
        for variable in VARIABLES
        if not variable.secret
    }
    assert flags == expected
    assert "--api-key" not in flags


async def test_the_version_is_the_packages():
    async with hub_mcp("--version") as child:
        assert (await read_all(child.process.stdout)).decode() == f"hub-mcp, version {__version__}\n"
        assert await child.ended() == 0


# -- used wrongly ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["--nonsense"], ["nonsense"], ["serve", "--nonsense"], ["sandbox", "--port", "x"]]
)
def test_what_does_not_exist_is_used_wrongly(arguments):
    with pytest.raises(click.UsageError) as caught:
        command_line(arguments, prog_name="hub-mcp", standalone_mode=False)
    assert caught.value.exit_code == 2


async def test_a_bad_flag_ends_with_2_and_says_so_on_stderr():
    async with hub_mcp("serve", "--nonsense", "1") as child:
        assert await child.ended(PATIENCE) == 2
        assert await child.rest() == []
        assert "--nonsense" in await child.stderr()


async def test_a_bad_value_of_a_flag_is_one_line_that_names_the_setting():
    async with hub_mcp("serve", "--profile", "nonsense", HUB_MCP_PROFILE="aihubmix") as child:
        assert await child.ended(PATIENCE) == 2
        assert await child.rest() == []
        assert await child.stderr() == "hub-mcp: HUB_MCP_PROFILE takes one of aihubmix, openai, sandbox.\n"


# -- serve -------------------------------------------------------------------------------------------


async def test_a_flag_wins_over_the_environment(embedded):
    settings = sandboxed("https://hub.invalid", HUB_MCP_TOOLS="chat", HUB_MCP_TIMEOUT="0.1")
    flags = ("--base-url", embedded.url, "--tools", "get_model", "--timeout", "20")
    async with hub_mcp("serve", *flags, **settings) as child:
        await child.shake_hands()
        listed = await child.ask("tools/list")
        called = await child.ask("tools/call", name="get_model", arguments={"model": "gpt-4o-mini"})
        assert await child.leave() == 0
    assert [tool["name"] for tool in listed["result"]["tools"]] == ["get_model"]
    assert called["result"]["structuredContent"]["model"]["id"] == "gpt-4o-mini"


async def test_a_signal_ends_a_server_with_flags_as_one_without():
    async with hub_mcp("serve", "--log-level", "error", HUB_MCP_BASE_URL="https://127.0.0.1:9") as child:
        await child.shake_hands()
        assert await child.signalled(signal.SIGINT) == 130
        assert await child.stderr() == ""


def imported(code: str) -> set[str]:
    """The modules that are there after a piece of code."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=True, env=environment({})
    )
    return set(done.stdout.split())


def test_the_server_imports_nothing_that_is_for_the_command_line_only():
    """click and uvicorn come with the SDK, whoever uses it; beyond them the server adds its own rooms only."""
    start = "import sys; sys.argv = ['hub-mcp']; sys.stdin.close()\n"
    bare = imported(
        f"{start}from mcp.server.lowlevel import Server; from mcp.server.stdio import stdio_server"
    )
    ours = imported(f"{start}import hub_mcp.__main__, hub_mcp.stdio")
    assert "hub_mcp.server" in ours
    assert packages(ours) - packages(bare) - sys.stdlib_module_names == {"hub_mcp"}
    assert not {name for name in ours if name.startswith(("hub_mcp.cli", "hub_mcp.demo", "hub_mcp.sandbox"))}
    assert "rich" not in ours


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


# -- sandbox -----------------------------------------------------------------------------------------


async def test_the_sandbox_says_where_it_listens_and_stops_at_ctrl_c():
    async with hub_mcp("sandbox", "--port", "0", PYTHONUNBUFFERED="1") as child:
        with anyio.fail_after(PATIENCE):
            said = ""
            while "Models that fail on purpose" not in said:
                said += (await child.process.stdout.receive()).decode()
            url = re.search(r"http://127\.0\.0\.1:\d+", said)[0]
            async with httpx2.AsyncClient(base_url=url, verify=False) as client:
                assert len((await client.get("/api/v1/models")).json()["data"]) > 700
        assert f"HUB_MCP_BASE_URL={url}" in said
        assert await child.signalled(signal.SIGINT) == 130
        assert (await child.stderr()).strip() == ""


async def test_a_port_that_is_taken_is_a_clear_error():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with hub_mcp("sandbox", "--port", str(port)) as child:
            assert await child.ended(PATIENCE) == 1
            assert await child.rest() == []
            complaint = await child.stderr()
    assert f"cannot listen on 127.0.0.1:{port}" in complaint
    assert "Traceback" not in complaint
    assert complaint.count("\n") == 1
