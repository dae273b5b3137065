"""The server as a host runs it: a child process, one JSON message a line."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from children import MODERN, PATIENCE, Child, hub_mcp, sandboxed
from starlette.requests import Request
from starlette.responses import Response

from hub_mcp import __version__

pytestmark = pytest.mark.anyio

HANDSHAKES = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
TOOLS = ["list_models", "get_model", "search_models", "chat"]
KEY = "sk-never-to-be-seen"


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A loopback port that refuses connections for as long as the test lasts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def names(answer: dict[str, Any]) -> list[str]:
    return [tool["name"] for tool in answer["result"]["tools"]]


# -- protocol revisions ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", HANDSHAKES)
async def test_a_handshake_is_answered_in_its_own_revision_and_the_session_works(embedded, version):
    async with hub_mcp(**sandboxed(embedded.url)) as child:
        greeting = (await child.shake_hands(version))["result"]
        listed = await child.ask("tools/list")
        called = await child.ask("tools/call", name="get_model", arguments={"model": "gpt-4o-mini"})
    assert greeting["protocolVersion"] == version
    assert greeting["serverInfo"]["name"] == "hub-mcp"
    assert greeting["serverInfo"]["version"] == __version__
    assert greeting["capabilities"].keys() >= {"tools", "resources"}
    assert names(listed) == TOOLS
    assert called["result"]["content"][0]["text"].startswith("gpt-4o-mini\n")
    assert not called["result"].get("isError")


async def test_a_revision_from_the_future_is_answered_with_one_that_we_know(embedded):
    async with hub_mcp(**sandboxed(embedded.url)) as child:
        greeting = await child.shake_hands("2099-01-01")
    assert greeting["result"]["protocolVersion"] == HANDSHAKES[-1]


async def test_the_stateless_revision_needs_no_handshake(embedded):
    async with hub_mcp(**sandboxed(embedded.url)) as child:
        listed = await child.ask_modern("tools/list")
        called = await child.ask_modern("tools/call", name="list_models", arguments={"limit": 3})
        discovered = await child.ask_modern("server/discover")
    assert names(listed) == TOOLS
    assert (listed["result"]["ttlMs"], listed["result"]["cacheScope"]) == (3_600_000, "public")
    assert len(called["result"]["structuredContent"]["models"]) == 3
    assert MODERN in discovered["result"]["supportedVersions"]
    assert discovered["result"]["instructions"]


# -- standard output ---------------------------------------------------------------------------------


async def test_standard_output_holds_nothing_but_json_rpc_however_much_is_logged(embedded):
    settings = sandboxed(embedded.url, HUB_MCP_LOG_LEVEL="debug", HUB_MCP_API_KEY=KEY)
    async with hub_mcp(**settings) as child:
        await child.shake_hands()
        await child.ask("tools/call", name="get_model", arguments={"model": "gpt-4o-mini"})
        await child.ask("tools/call", name="list_models", arguments={"nonsense": 1})
        await child.ask("tools/call", name="chat", arguments={"model": "gpt-4o-mini", "prompt": "Hello"})
        await child.ask("resources/read", uri="hub://catalog")
        assert await child.leave() == 0
        rest, logged = await child.rest(), await child.stderr()
    assert rest == []
    assert len(child.said) >= 5
    assert all(message["jsonrpc"] == "2.0" for message in child.said)
    assert "nonsense" in logged
    assert KEY not in logged
    assert KEY not in str(child.said)


async def test_lines_that_are_no_messages_do_not_end_the_session(embedded):
    async with hub_mcp(**sandboxed(embedded.url)) as child:
        for garbage in (b"not json", b"", b"{}", b"[]", b"null", b"\xff\xfe\x00", b'{"jsonrpc":"2.0","id":'):
            await child.write(garbage)
        await child.shake_hands()
        await child.write(b'{"jsonrpc":"2.0","id":"x","method":"no/such/method"}')
        await child.write(b'{"jsonrpc":"2.0","id":"y","method":"tools/call","params":{"name":7}}')
        listed = await child.ask("tools/list")
        assert await child.leave() == 0
    assert names(listed) == TOOLS
    codes = {message.get("id"): message["error"]["code"] for message in child.said if "error" in message}
    assert codes["x"] == -32601
    assert codes["y"] == -32602


# -- the end -----------------------------------------------------------------------------------------


class Gate:
    """Holds the catalog's answer back: a hub that takes its time."""

    def __init__(self) -> None:
        self.arrived = anyio.Event()

    async def __call__(self, _: Request) -> Response | None:
        self.arrived.set()
        await anyio.sleep_forever()
        return None

    async def wait(self) -> None:
        with anyio.fail_after(PATIENCE):
            await self.arrived.wait()


async def _one_call_under_way(child: Child, gate: Gate) -> None:
    await child.shake_hands()
    await child.send(id="slow", method="tools/call", params={"name": "list_models", "arguments": {}})
    await gate.wait()


async def test_it_ends_with_0_as_soon_as_the_host_closes_its_end(embedded):
    async with hub_mcp(**sandboxed(embedded.url)) as child:
        await child.shake_hands()
        with anyio.fail_after(2):
            assert await child.leave() == 0
        assert await child.rest() == []
        assert await child.stderr() == ""


async def test_it_ends_with_0_though_the_host_said_nothing(embedded):
    async with hub_mcp(**sandboxed(embedded.url)) as child:
        assert await child.leave() == 0
        assert await child.rest() == []


async def test_a_host_that_leaves_does_not_wait_for_a_slow_hub(embedded):
    embedded.sandbox.intercept = gate = Gate()
    async with hub_mcp(**sandboxed(embedded.url)) as child:
        await _one_call_under_way(child, gate)
        with anyio.fail_after(2):
            assert await child.leave() == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_ends_it_at_once_also_while_the_hub_is_slow(embedded, number, code):
    embedded.sandbox.intercept = gate = Gate()
    async with hub_mcp(**sandboxed(embedded.url)) as child:
        await _one_call_under_way(child, gate)
        with anyio.fail_after(2):
            assert await child.signalled(number) == code
        assert "Traceback" not in await child.stderr()


async def test_ctrl_c_ends_it_while_it_is_idle(embedded):
    async with hub_mcp(**sandboxed(embedded.url)) as child:
        await child.shake_hands()
        await child.ask("tools/list")
        assert await child.signalled(signal.SIGINT) == 130
        assert await child.stderr() == ""
        assert await child.rest() == []


async def test_a_signal_just_after_a_message_ends_it_in_order_too(embedded):
    async with hub_mcp(**sandboxed(embedded.url)) as child:
        await child.shake_hands()
        for _ in range(5):
            await child.send(method="notifications/initialized")
        assert await child.signalled(signal.SIGTERM) == 143
        assert await child.stderr() == ""


# -- the start ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HUB_MCP_TIMEOUT", f"{KEY} seconds"),
        ("HUB_MCP_BASE_URL", f"http://{KEY}.example"),
        ("HUB_MCP_API_KEY", f"{KEY} {KEY}"),
    ],
)
async def test_a_bad_setting_stops_the_start_with_one_line_that_names_it(name, value):
    async with hub_mcp(**{"HUB_MCP_API_KEY": KEY, name: value}) as child:
        assert await child.ended(PATIENCE) == 2
        rest, complaint = await child.rest(), await child.stderr()
    assert rest == []
    assert complaint.count("\n") == 1
    assert complaint.startswith(f"hub-mcp: {name} takes ")
    assert KEY not in complaint


async def test_it_starts_without_a_key_and_without_a_network(closed_port):
    async with hub_mcp(HUB_MCP_BASE_URL=f"https://127.0.0.1:{closed_port}") as child:
        assert "result" in await child.shake_hands()
        assert names(await child.ask("tools/list")) == TOOLS
        asked = {"model": "gpt-4o-mini", "prompt": "Hello"}
        listed = (await child.ask("tools/call", name="list_models", arguments={}))["result"]
        chat = (await child.ask("tools/call", name="chat", arguments=asked))["result"]
        assert await child.leave() == 0
    assert listed["isError"]
    assert listed["_meta"]["hub_mcp/error"]["code"] == "unreachable"
    assert chat["isError"]
    assert chat["_meta"]["hub_mcp/error"]["code"] == "missing_key"
    assert "HUB_MCP_API_KEY" in chat["content"][0]["text"]
