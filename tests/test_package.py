"""The package as it is published: built, installed into an empty environment, and run there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from children import CLIENT, environment

from hub_mcp import __version__

ROOT = Path(__file__).parent.parent
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": CLIENT},
}


def run(*command: str | Path, said: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        input=said,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment({"PYTHONPATH": "", **settings}),
        cwd=Path(command[0]).parent,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the source distribution and the wheel that is made of it; needs no network."""
    out = tmp_path_factory.mktemp("dist")
    done = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment that holds the wheel and what it declares, and nothing else."""
    home = tmp_path_factory.mktemp("empty") / "venv"
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        make: tuple[str | Path, ...] = (uv, "venv", "--quiet", "--python", sys.executable, home)
        install: tuple[str | Path, ...] = (uv, "pip", "install", "--quiet", "--python", home, wheel)
    else:
        make = (sys.executable, "-m", "venv", home)
        install = (home / SCRIPTS / "python", "-m", "pip", "install", "--quiet", wheel)
    done = run(*make)
    assert done.returncode == 0, done.stderr
    done = run(*install)
    if done.returncode:
        pytest.skip(f"the dependencies cannot be fetched here: {done.stderr.strip()[-300:]}")
    return home / SCRIPTS


def test_the_wheel_holds_what_it_needs_and_no_more(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "hub_mcp").rglob("*.py")}
    assert names >= modules
    assert names >= {"hub_mcp/py.typed", "hub_mcp/sandbox/catalog.json", "hub_mcp/sandbox/descriptions.json"}
    assert f"hub_mcp-{__version__}.dist-info/licenses/LICENSE" in names
    assert {name.partition("/")[0] for name in names} == {"hub_mcp", f"hub_mcp-{__version__}.dist-info"}


def test_the_wheel_says_who_it_is(wheel):
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"hub_mcp-{__version__}.dist-info/METADATA").decode()
    metadata = Parser().parsestr(text)
    assert (metadata["Name"], metadata["Version"]) == ("hub-mcp", __version__)
    assert metadata["License-Expression"] == "MIT"
    assert "mcp-name: io.github.hub-mcp/hub-mcp" in text
    bounded = metadata.get_all("Requires-Dist")
    assert bounded
    assert all("<" in requirement for requirement in bounded)


def test_the_source_distribution_can_be_tested(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {
        "pyproject.toml",
        "LICENSE",
        "Makefile",
        "README.md",
        "server.json",
        "scripts/generate.py",
        "tests/conftest.py",
        "tests/data/mcp-server.schema.json",
        "tests/surface/tool_chat.json",
        "hub_mcp/sandbox/catalog.json",
    }


def test_the_installed_command_knows_its_version(installed):
    done = run(installed / "hub-mcp", "--version")
    assert done.stdout == f"hub-mcp, version {__version__}\n", done.stderr


def test_the_installed_command_shakes_hands(installed):
    done = run(installed / "hub-mcp", said=json.dumps(HELLO) + "\n", HUB_MCP_PROFILE="sandbox")
    assert done.returncode == 0, done.stderr
    (answer,) = map(json.loads, done.stdout.splitlines())
    assert answer["result"]["serverInfo"]["version"] == __version__
    assert answer["result"]["protocolVersion"] == "2025-06-18"
