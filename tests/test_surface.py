"""Every definition that hosts see, against its snapshot: a change here is a change of a promise.

`UPDATE_SNAPSHOTS=1 pytest tests/test_surface.py` writes the snapshots anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from surfaces import connected, settings

pytestmark = pytest.mark.anyio

SNAPSHOTS = Path(__file__).parent / "surface"


async def definitions(client: Any) -> dict[str, Any]:
    """File name -> definition, for everything that the server declares."""
    found = {
        "server.json": {"capabilities": client.server_capabilities, "instructions": client.instructions},
        **{f"tool_{tool.name}.json": tool for tool in (await client.list_tools()).tools},
        **{f"resource_{each.name}.json": each for each in (await client.list_resources()).resources},
        **{
            f"template_{each.name}.json": each
            for each in (await client.list_resource_templates()).resource_templates
        },
    }
    if client.server_capabilities.prompts:
        found |= {f"prompt_{each.name}.json": each for each in (await client.list_prompts()).prompts}
    return found


def rendered(definition: Any) -> str:
    return json.dumps(definition, indent=2, ensure_ascii=False, default=_as_sent) + "\n"


def _as_sent(model: Any) -> Any:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def test_every_definition_is_as_its_snapshot_says(embedded):
    async with connected(settings(embedded.url)) as client:
        declared = {name: rendered(each) for name, each in (await definitions(client)).items()}
    if os.environ.get("UPDATE_SNAPSHOTS"):
        for old in SNAPSHOTS.glob("*.json"):
            old.unlink()
        for name, definition in declared.items():
            (SNAPSHOTS / name).write_text(definition, encoding="utf-8")
    kept = {path.name: path.read_text(encoding="utf-8") for path in SNAPSHOTS.glob("*.json")}
    assert declared.keys() == kept.keys()
    for name, definition in declared.items():
        assert definition == kept[name], name
