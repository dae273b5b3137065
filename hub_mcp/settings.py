"""The settings, read once from the environment; nothing else reads it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from pydantic import SecretStr

from .errors import SettingsError
from .profiles import AIHUBMIX, PROFILES, Profile

TOOLS = ("list_models", "get_model", "search_models", "chat")
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: what help, README and server.json say of it."""

    name: str
    meaning: str
    default: str = ""
    fallback: str = ""
    secret: bool = False


VARIABLES = (
    Variable(
        "HUB_MCP_API_KEY", "the hub's key; only chat needs it", fallback="AIHUBMIX_API_KEY", secret=True
    ),
    Variable("HUB_MCP_API_KEY_FILE", "a file that holds the key"),
    Variable(
        "HUB_MCP_PROFILE", "the kind of hub: aihubmix, openai (any compatible one) or sandbox", "aihubmix"
    ),
    Variable(
        "HUB_MCP_BASE_URL",
        "the hub's address, or several, comma-separated, the first preferred",
        fallback="AIHUBMIX_API_BASE",
    ),
    Variable("HUB_MCP_APP_CODE", "sent with chats as APP-Code", fallback="AIHUBMIX_APP_CODE"),
    Variable("HUB_MCP_TOOLS", "which tools exist, comma-separated", ",".join(TOOLS)),
    Variable("HUB_MCP_READ_ONLY", "1 leaves chat out", "0"),
    Variable("HUB_MCP_TIMEOUT", "seconds for one catalog request", "30"),
    Variable("HUB_MCP_CHAT_TIMEOUT", "seconds for one chat", "600"),
    Variable("HUB_MCP_CHAT_WAIT", "seconds that one chat call keeps its caller waiting", "45"),
    Variable("HUB_MCP_MAX_COST", "US dollars that one chat may cost at most"),
    Variable("HUB_MCP_BUDGET", "US dollars that all chats of this process may cost together"),
    Variable(
        "HUB_MCP_CATALOG_MAX_STALE", "seconds that an old catalog may be served while the hub fails", "86400"
    ),
    Variable("HUB_MCP_LOG_LEVEL", "debug, info, warning, error or critical", "warning"),
)

_BY_NAME = {variable.name: variable for variable in VARIABLES}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a user can set; times in seconds, money in US dollars."""

    profile: Profile = AIHUBMIX
    base_urls: tuple[str, ...] = AIHUBMIX.base_urls
    api_key: SecretStr | None = None
    app_code: str | None = None
    tools: tuple[str, ...] = TOOLS
    timeout: float = 30.0
    chat_timeout: float = 600.0
    chat_wait: float = 45.0
    max_cost: float | None = None
    budget: float | None = None
    catalog_max_stale: float = 86400.0
    log_level: str = "warning"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check every variable; raises SettingsError with one line for the first bad one."""
        env = _Reader(environ)
        profile = PROFILES[env.choice("HUB_MCP_PROFILE", tuple(PROFILES))]
        return cls(
            profile=profile,
            base_urls=_base_urls(env, profile),
            api_key=_api_key(env),
            app_code=env.header("HUB_MCP_APP_CODE"),
            tools=_tools(env),
            timeout=env.positive("HUB_MCP_TIMEOUT"),
            chat_timeout=env.positive("HUB_MCP_CHAT_TIMEOUT"),
            chat_wait=env.positive("HUB_MCP_CHAT_WAIT"),
            max_cost=env.amount("HUB_MCP_MAX_COST"),
            budget=env.amount("HUB_MCP_BUDGET"),
            catalog_max_stale=env.number("HUB_MCP_CATALOG_MAX_STALE", "a number of seconds, 0 or more"),
            log_level=env.choice("HUB_MCP_LOG_LEVEL", LOG_LEVELS),
        )


class _Reader:
    """Reads variables by name; an empty value counts as not set, as hosts pass empty user settings on."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def source(self, name: str) -> str:
        """The variable that says it: this one, or its fallback where only that is set."""
        fallback = _BY_NAME[name].fallback
        return fallback if fallback and not self._own(name) and self._own(fallback) else name

    def text(self, name: str) -> str:
        return self._own(self.source(name)) or _BY_NAME[name].default

    def _own(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def refuse(self, name: str, takes: str) -> NoReturn:
        _refuse(self.source(name), takes)

    def choice(self, name: str, known: tuple[str, ...]) -> str:
        value = self.text(name).lower()
        return value if value in known else self.refuse(name, f"one of {', '.join(known)}")

    def flag(self, name: str) -> bool:
        value = self.text(name).lower()
        return value in _YES if value in _YES | _NO else self.refuse(name, "1 or 0")

    def header(self, name: str) -> str | None:
        value = self.text(name)
        return value if _fits_a_header(value) else self.refuse(name, _ONE_WORD) if value else None

    def number(self, name: str, takes: str) -> float:
        value = _float(self.text(name))
        return value if math.isfinite(value) and value >= 0 else self.refuse(name, takes)

    def positive(self, name: str) -> float:
        takes = "a number of seconds greater than 0"
        return self.number(name, takes) or self.refuse(name, takes)

    def amount(self, name: str) -> float | None:
        return self.number(name, "an amount in US dollars, 0 or more") if self.text(name) else None

    def words(self, name: str) -> tuple[str, ...]:
        parts = (part.strip() for part in self.text(name).split(","))
        return tuple(dict.fromkeys(part for part in parts if part))


def _refuse(name: str, takes: str) -> NoReturn:
    # The value itself stays out: it may be a key that was pasted into the wrong place.
    raise SettingsError(f"{name} takes {takes}.")


def _float(text: str) -> float:
    """Not a number where `text` is none: raised later, an error's traceback does not quote it."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _base_urls(env: _Reader, profile: Profile) -> tuple[str, ...]:
    name = "HUB_MCP_BASE_URL"
    if profile.embedded and env.source(name) != name:
        return ()  # who asks for the embedded hub means no real one
    urls = tuple(part.rstrip("/").removesuffix("/v1").rstrip("/") for part in env.words(name))
    if not all(_is_base_url(url) for url in urls):
        env.refuse(
            name, "https URLs, comma-separated (http only for this machine), without user, query or fragment"
        )
    if not urls and not profile.base_urls and not profile.embedded:
        env.refuse(name, f"the hub's address; the profile '{profile.name}' has no other")
    return tuple(dict.fromkeys(urls)) or profile.base_urls


def _is_base_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError:
        return False
    safe = url.scheme == "https" or (url.scheme == "http" and is_loopback(host))
    plain = text.isprintable() and not set(text) & set(" \\@?#")
    return safe and plain and host != "" and port != 0


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _api_key(env: _Reader) -> SecretStr | None:
    key = env.header("HUB_MCP_API_KEY")
    path = env.text("HUB_MCP_API_KEY_FILE")
    if key is None and path:
        key = _read(path)
        if not _fits_a_header(key):
            env.refuse("HUB_MCP_API_KEY_FILE", "the path of a readable text file that holds the key alone")
    return SecretStr(key) if key else None


def _read(path: str) -> str:
    """What a file holds, empty where it cannot be read; not more than any key has."""
    try:
        with Path(path).expanduser().open(encoding="utf-8-sig") as file:
            return file.read(4096).strip()
    except (OSError, ValueError, RuntimeError):
        return ""


_ONE_WORD = "one word of plain ASCII characters"


def _fits_a_header(value: str) -> bool:
    return value != "" and value.isascii() and value.isprintable() and " " not in value


def _tools(env: _Reader) -> tuple[str, ...]:
    asked = env.words("HUB_MCP_TOOLS")
    if not set(asked) <= set(TOOLS):
        _refuse("HUB_MCP_TOOLS", f"some of {', '.join(TOOLS)}, comma-separated")
    hidden = {"chat"} if env.flag("HUB_MCP_READ_ONLY") else set()
    tools = tuple(tool for tool in TOOLS if tool in asked and tool not in hidden)
    return tools or _refuse("HUB_MCP_TOOLS", "at least one tool that HUB_MCP_READ_ONLY leaves")
