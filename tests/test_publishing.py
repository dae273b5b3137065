"""What is published of the package: server.json for the registry, the README's table of settings."""

from __future__ import annotations

import json
import runpy
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hub_mcp import __version__
from hub_mcp.settings import VARIABLES, Settings

ROOT = Path(__file__).parent.parent
NAME = "io.github.hub-mcp/hub-mcp"


@pytest.fixture(scope="module")
def server() -> dict[str, Any]:
    return json.loads((ROOT / "server.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generate() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "generate.py"))


def variables(server: dict[str, Any]) -> list[dict[str, Any]]:
    return server["packages"][0]["environmentVariables"]


def test_server_json_is_what_the_registry_takes(server):
    schema = json.loads((ROOT / "tests" / "data" / "mcp-server.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(server)
    assert server["$schema"] == schema["$id"]
    assert len(server["description"]) <= 100


def test_server_json_names_this_package_and_its_version(server):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (package,) = server["packages"]
    assert server["name"] == NAME
    assert (server["version"], package["version"]) == (__version__, __version__)
    assert package["identifier"] == project["name"]
    assert (package["registryType"], package["runtimeHint"]) == ("pypi", "uvx")
    assert package["transport"] == {"type": "stdio"}
    assert "registryBaseUrl" not in package


def test_the_registry_finds_its_name_in_the_readme(readme):
    assert readme.count(f"<!-- mcp-name: {NAME} -->") == 1


def test_server_json_lists_every_setting_with_its_default_and_its_secrets(server):
    assert [each["name"] for each in variables(server)] == [variable.name for variable in VARIABLES]
    secrets = {each["name"] for each in variables(server) if each.get("isSecret")}
    assert secrets == {variable.name for variable in VARIABLES if variable.secret}
    assert "HUB_MCP_API_KEY" in secrets


def test_a_host_that_fills_in_every_default_changes_nothing(server):
    defaults = {each["name"]: each["default"] for each in variables(server) if "default" in each}
    assert len(defaults) > 5
    assert Settings.from_env(defaults) == Settings.from_env({})


def test_every_choice_is_one_that_the_settings_take(server):
    chosen = [(each["name"], choice) for each in variables(server) for choice in each.get("choices", ())]
    assert {name for name, _ in chosen} == {"HUB_MCP_PROFILE", "HUB_MCP_LOG_LEVEL"}
    for name, choice in chosen:
        Settings.from_env({"HUB_MCP_BASE_URL": "https://hub.example", name: choice})


def test_what_looks_like_a_number_is_declared_as_one(server):
    formats = {each["name"]: each.get("format", "string") for each in variables(server)}
    for each in variables(server):
        if each.get("default", "").isdigit():
            assert formats[each["name"]] == "number", each["name"]
    assert formats["HUB_MCP_MAX_COST"] == formats["HUB_MCP_BUDGET"] == "number"
    assert formats["HUB_MCP_READ_ONLY"] == "boolean"
    assert formats["HUB_MCP_API_KEY_FILE"] == "filepath"


def test_make_docs_would_change_nothing(generate, readme):
    assert generate["server_json"]() == (ROOT / "server.json").read_text(encoding="utf-8")
    assert generate["readme"](readme) == readme


def test_the_table_is_written_anew_whatever_stood_there(generate, readme):
    start, end = readme.index("<!-- settings -->"), readme.index("<!-- /settings -->")
    assert readme[start:end].count("\n| `HUB_MCP_") == len(VARIABLES)
    assert generate["readme"](f"{readme[:start]}<!-- settings -->\nold\n{readme[end:]}") == readme
