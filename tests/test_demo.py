"""`hub-mcp demo`: a whole session, with nothing but this machine."""

from __future__ import annotations

import re

import pytest
from children import PATIENCE, hub_mcp, read_all

pytestmark = pytest.mark.anyio


async def test_the_demo_shows_every_step_and_ends_well():
    # The user's own settings must not reach the server that the demo starts.
    async with hub_mcp("demo", HUB_MCP_TOOLS="chat", HUB_MCP_PROFILE="openai") as child:
        said = (await read_all(child.process.stdout)).decode()
        assert await child.ended(PATIENCE) == 0, said
        assert await child.stderr() == ""
    steps = re.findall(r"^(\S.*?)  [\d.]+ ms", said, re.MULTILINE)
    assert [step.partition("(")[0] for step in steps[:6]] == [
        "start and handshake",
        "tools/list",
        "list_models",
        "search_models",
        "get_model",
        "chat",
    ]
    assert steps[-1] == "resources/read hub://catalog"
    assert "list_models, get_model, search_models, chat" in said
    assert "claude-sonnet" in said
    assert "Nearest: gpt-4o-mini" in said
    assert "\x1b" not in said
    assert re.search(r"Requests that reached the hub: \d+\.$", said)
