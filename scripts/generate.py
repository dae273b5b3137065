"""Write what the settings say into server.json and README.md: `make docs`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hub_mcp import __version__
from hub_mcp.profiles import PROFILES
from hub_mcp.settings import LOG_LEVELS, VARIABLES, Variable

ROOT = Path(__file__).parent.parent
NAME = "io.github.hub-mcp/hub-mcp"
SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"

_CHOICES = {"HUB_MCP_PROFILE": tuple(PROFILES), "HUB_MCP_LOG_LEVEL": LOG_LEVELS}
_FORMATS = {
    "HUB_MCP_API_KEY_FILE": "filepath",
    "HUB_MCP_READ_ONLY": "boolean",
    "HUB_MCP_TIMEOUT": "number",
    "HUB_MCP_CHAT_TIMEOUT": "number",
    "HUB_MCP_CHAT_WAIT": "number",
    "HUB_MCP_MAX_COST": "number",
    "HUB_MCP_BUDGET": "number",
    "HUB_MCP_CATALOG_MAX_STALE": "number",
}
_BOOLEANS = {"0": "false", "1": "true"}
_START, _END = "<!-- settings -->", "<!-- /settings -->"


def server_json() -> str:
    """What the MCP registry and the hosts that install from it read."""
    package = {
        "registryType": "pypi",
        "identifier": "hub-mcp",
        "version": __version__,
        "runtimeHint": "uvx",
        "transport": {"type": "stdio"},
        "environmentVariables": [_environment_variable(variable) for variable in VARIABLES],
    }
    server = {
        "$schema": SCHEMA,
        "name": NAME,
        "title": "Model hub",
        "description": "A model hub (AIHubMix or any OpenAI-compatible one): find models, compare prices, ask them.",
        "version": __version__,
        "packages": [package],
    }
    return json.dumps(server, indent=2, ensure_ascii=False) + "\n"


def readme(before: str) -> str:
    """The README with its settings table written anew."""
    head, rest = before.split(_START)
    _, tail = rest.split(_END)
    # Header and rows together: a comment between them would end the table.
    table = ["| variable | default | meaning |", "|---|---|---|", *map(_table_row, VARIABLES)]
    return "\n".join([f"{head}{_START}", *table, f"{_END}{tail}"])


def _environment_variable(variable: Variable) -> dict[str, Any]:
    kind = _FORMATS.get(variable.name)
    default = _BOOLEANS[variable.default] if kind == "boolean" else variable.default
    described = {
        "name": variable.name,
        "description": variable.meaning[0].upper() + variable.meaning[1:],
        "format": kind,
        "default": default,
        "choices": list(_CHOICES.get(variable.name, ())),
        "isSecret": variable.secret,
    }
    return {field: value for field, value in described.items() if value}


def _table_row(variable: Variable) -> str:
    names = f"`{variable.name}`" + (f", else `{variable.fallback}`" if variable.fallback else "")
    default = f"`{variable.default.replace(',', ', ')}`" if variable.default else "–"
    return f"| {names} | {default} | {variable.meaning} |"


if __name__ == "__main__":
    page = ROOT / "README.md"
    page.write_text(readme(page.read_text(encoding="utf-8")), encoding="utf-8")
    (ROOT / "server.json").write_text(server_json(), encoding="utf-8")
