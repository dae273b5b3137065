"""The settings: each variable, what it takes, and that no secret comes out."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pydantic import SecretStr

from hub_mcp.errors import SettingsError
from hub_mcp.profiles import AIHUBMIX, OPENAI, SANDBOX
from hub_mcp.settings import TOOLS, VARIABLES, Settings, is_loopback

KEYS = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60)


def read(**environ: str) -> Settings:
    return Settings.from_env(environ)


def refusal(**environ: str) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(environ)
    message = str(refused.value)
    assert "\n" not in message
    return message


def key_of(settings: Settings) -> str | None:
    return settings.api_key.get_secret_value() if settings.api_key else None


def test_nothing_set_is_the_documented_default():
    assert read() == Settings(
        profile=AIHUBMIX,
        base_urls=("https://aihubmix.com", "https://api.inferera.com"),
        api_key=None,
        app_code=None,
        tools=TOOLS,
        timeout=30,
        chat_timeout=600,
        chat_wait=45,
        max_cost=None,
        budget=None,
        catalog_max_stale=86400,
        log_level="warning",
    )


def test_the_defaults_in_the_table_are_the_ones_in_the_code():
    """Help and README are written from the table."""
    assert Settings.from_env({v.name: v.default for v in VARIABLES if v.default}) == Settings() == read()


def test_every_variable_is_read():
    assert read(
        HUB_MCP_API_KEY="sk-key",
        HUB_MCP_PROFILE="openai",
        HUB_MCP_BASE_URL="https://hub.example/v1",
        HUB_MCP_APP_CODE="CODE1",
        HUB_MCP_TOOLS="chat,get_model",
        HUB_MCP_TIMEOUT="5",
        HUB_MCP_CHAT_TIMEOUT="60.5",
        HUB_MCP_CHAT_WAIT="10",
        HUB_MCP_MAX_COST="0.25",
        HUB_MCP_BUDGET="0",
        HUB_MCP_CATALOG_MAX_STALE="0",
        HUB_MCP_LOG_LEVEL="DEBUG",
    ) == Settings(
        profile=OPENAI,
        base_urls=("https://hub.example",),
        api_key=SecretStr("sk-key"),
        app_code="CODE1",
        tools=("get_model", "chat"),
        timeout=5,
        chat_timeout=60.5,
        chat_wait=10,
        max_cost=0.25,
        budget=0,
        catalog_max_stale=0,
        log_level="debug",
    )


@pytest.mark.parametrize("name", [variable.name for variable in VARIABLES])
@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_variable_is_not_set(name: str, empty: str):
    assert Settings.from_env({name: empty}) == Settings()


def test_values_may_have_spaces_around_them():
    assert read(HUB_MCP_TIMEOUT=" 5 ", HUB_MCP_API_KEY=" sk-key\n").timeout == 5
    assert key_of(read(HUB_MCP_API_KEY=" sk-key\n")) == "sk-key"


# --- fallbacks


def test_the_fallbacks_count_where_the_own_variable_is_missing_or_empty():
    theirs = {
        "AIHUBMIX_API_KEY": "sk-theirs",
        "AIHUBMIX_API_BASE": "https://theirs.example",
        "AIHUBMIX_APP_CODE": "THEIRS",
    }
    for empty in ({}, {"HUB_MCP_API_KEY": "", "HUB_MCP_BASE_URL": " ", "HUB_MCP_APP_CODE": ""}):
        settings = Settings.from_env(theirs | empty)
        assert key_of(settings) == "sk-theirs"
        assert settings.base_urls == ("https://theirs.example",)
        assert settings.app_code == "THEIRS"


def test_the_own_variables_win_over_the_fallbacks():
    settings = read(
        HUB_MCP_API_KEY="sk-ours",
        AIHUBMIX_API_KEY="not even valid",
        HUB_MCP_BASE_URL="https://ours.example",
        AIHUBMIX_API_BASE="nonsense",
        HUB_MCP_APP_CODE="OURS",
        AIHUBMIX_APP_CODE="not valid",
    )
    assert key_of(settings) == "sk-ours"
    assert settings.base_urls == ("https://ours.example",)
    assert settings.app_code == "OURS"


def test_a_bad_fallback_is_called_by_its_own_name():
    assert refusal(AIHUBMIX_API_BASE="http://hub.example").startswith("AIHUBMIX_API_BASE takes")
    assert refusal(AIHUBMIX_API_KEY="two words").startswith("AIHUBMIX_API_KEY takes")
    assert refusal(AIHUBMIX_APP_CODE="two words").startswith("AIHUBMIX_APP_CODE takes")


# --- the key


def test_a_key_file_is_read_without_its_line_end(tmp_path: Path):
    file = tmp_path / "key"
    file.write_text("sk-from-file\r\n")
    assert key_of(read(HUB_MCP_API_KEY_FILE=str(file))) == "sk-from-file"


def test_a_byte_order_mark_is_no_part_of_a_key(tmp_path: Path):
    file = tmp_path / "key"
    file.write_bytes(b"\xef\xbb\xbfsk-from-notepad\r\n")
    assert key_of(read(HUB_MCP_API_KEY_FILE=str(file))) == "sk-from-notepad"


def test_a_key_wins_over_a_key_file_which_is_then_not_read():
    assert key_of(read(HUB_MCP_API_KEY="sk-key", HUB_MCP_API_KEY_FILE="/does/not/exist")) == "sk-key"


@pytest.mark.parametrize(
    "content",
    [b"", b" \n", b"two words", b"sk-one\nsk-two", "sk-schlüssel".encode(), b"\xff\xfe\x00", b"a" * 5000],
)
def test_a_file_without_one_key_is_refused(tmp_path: Path, content: bytes):
    file = tmp_path / "key"
    file.write_bytes(content)
    if content == b"a" * 5000:
        # Only so much is read; the hub will say that it is no key.
        assert len(key_of(read(HUB_MCP_API_KEY_FILE=str(file))) or "") == 4096
    else:
        assert refusal(HUB_MCP_API_KEY_FILE=str(file)).startswith("HUB_MCP_API_KEY_FILE takes")


@pytest.mark.parametrize("path", ["/does/not/exist", "/", "nul\0", "~nobody-of-this-name/key"])
def test_a_path_that_is_no_readable_file_is_refused(path: str):
    assert refusal(HUB_MCP_API_KEY_FILE=path).startswith("HUB_MCP_API_KEY_FILE takes")


@pytest.mark.parametrize("name", ["HUB_MCP_API_KEY", "HUB_MCP_APP_CODE"])
@pytest.mark.parametrize("value", ["Bearer sk-key", "sk-\r\nX-Evil: 1", "schlüssel", "sk-\x7f", "sk-\u200b1"])
def test_what_cannot_be_a_header_is_refused(name: str, value: str):
    assert refusal(**{name: value}) == f"{name} takes one word of plain ASCII characters."


# --- secrets


@profile(max_examples=100, deadline=None)
@given(KEYS)
def test_a_key_is_in_no_repr(key: str):
    assume(key not in repr(Settings()))
    settings = read(HUB_MCP_API_KEY=key)
    assert key_of(settings) == key
    assert key not in repr(settings)
    assert key not in str(settings)


@profile(max_examples=100, deadline=None)
@given(KEYS, st.sampled_from([variable.name for variable in VARIABLES] + ["AIHUBMIX_API_BASE"]))
@example("https://[secret", "HUB_MCP_BASE_URL")
@example("https://host:secret/", "HUB_MCP_BASE_URL")
@example("https://user:secret@host", "HUB_MCP_BASE_URL")
def test_a_key_in_the_wrong_variable_is_in_no_error_and_no_traceback(key: str, name: str):
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({name: key, "HUB_MCP_API_KEY": "with a space " + key})
    assert key not in str(refused.value)
    assert key not in "".join(traceback.format_exception_only(refused.value))
    # A cause would be shown with its own message, which quotes the value.
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


# --- base URLs


@pytest.mark.parametrize(
    ("given_url", "base"),
    [
        ("https://hub.example", "https://hub.example"),
        ("https://hub.example/", "https://hub.example"),
        ("https://hub.example/v1", "https://hub.example"),
        ("https://hub.example/v1/", "https://hub.example"),
        ("https://hub.example//v1//", "https://hub.example"),
        ("https://hub.example/api/v1", "https://hub.example/api"),
        ("https://hub.example/v10", "https://hub.example/v10"),
        ("HTTPS://hub.example:8443", "HTTPS://hub.example:8443"),
        ("http://localhost:8000/v1", "http://localhost:8000"),
        ("http://LOCALHOST:8000", "http://LOCALHOST:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_base_url_loses_its_end(given_url: str, base: str):
    assert read(HUB_MCP_BASE_URL=given_url).base_urls == (base,)


@pytest.mark.parametrize(
    "url",
    [
        "http://hub.example",
        "http://192.168.0.1",
        "http://0.0.0.0:8000",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "https://user:password@hub.example",
        "https://@hub.example",
        "https://evil.example\\@hub.example",
        "ftp://hub.example",
        "file:///etc/passwd",
        "hub.example",
        "//hub.example",
        "https://",
        "https:///path",
        "https://hub.example?key=1",
        "https://hub.example?",
        "https://hub.example/#top",
        "https://hub.example#",
        "https://hub.example:0",
        "https://hub.example:99999",
        "https://hub.example:port",
        "https://hub .example",
        "https://hub.example/\nX: 1",
        "https://[::1",
        "https://hub.example,http://hub.example",
        "sk-pasted-here",
    ],
)
def test_a_url_that_is_not_safe_or_not_plain_is_refused(url: str):
    assert refusal(HUB_MCP_BASE_URL=url).startswith("HUB_MCP_BASE_URL takes https URLs")


def test_several_base_urls_keep_their_order_and_lose_their_twins():
    urls = " https://b.example/v1 , https://a.example,, https://b.example/ "
    assert read(HUB_MCP_BASE_URL=urls).base_urls == ("https://b.example", "https://a.example")


def test_the_openai_profile_needs_a_base_url():
    assert refusal(HUB_MCP_PROFILE="openai").startswith("HUB_MCP_BASE_URL takes")
    assert read(HUB_MCP_PROFILE="openai", HUB_MCP_BASE_URL="https://x.example").profile is OPENAI


def test_the_embedded_hub_needs_no_base_url_and_takes_none_that_was_meant_for_aihubmix():
    assert read(HUB_MCP_PROFILE="sandbox") == Settings(profile=SANDBOX, base_urls=())
    assert read(HUB_MCP_PROFILE="sandbox", AIHUBMIX_API_BASE="https://aihubmix.com").base_urls == ()
    own = read(HUB_MCP_PROFILE="sandbox", HUB_MCP_BASE_URL="http://127.0.0.1:9")
    assert own.base_urls == ("http://127.0.0.1:9",)


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "127.0.0.1", "127.1.2.3", "::1"])
def test_these_hosts_are_this_machine(host: str):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "localhost.example", "10.0.0.1", "127.0.0.1.example"])
def test_these_hosts_are_not_this_machine(host: str):
    assert not is_loopback(host)


# --- tools


@pytest.mark.parametrize(
    ("environ", "tools"),
    [
        ({"HUB_MCP_TOOLS": "chat"}, ("chat",)),
        ({"HUB_MCP_TOOLS": " chat , list_models,chat"}, ("list_models", "chat")),
        ({"HUB_MCP_READ_ONLY": "1"}, TOOLS[:3]),
        ({"HUB_MCP_READ_ONLY": "Yes"}, TOOLS[:3]),
        ({"HUB_MCP_READ_ONLY": "0"}, TOOLS),
        ({"HUB_MCP_READ_ONLY": "false"}, TOOLS),
        ({"HUB_MCP_READ_ONLY": "1", "HUB_MCP_TOOLS": "get_model,chat"}, ("get_model",)),
    ],
)
def test_the_tools_are_those_that_were_named_less_chat_when_read_only(
    environ: dict[str, str], tools: tuple[str, ...]
):
    assert Settings.from_env(environ).tools == tools


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"HUB_MCP_TOOLS": "list_models,delete_models"}, "HUB_MCP_TOOLS"),
        ({"HUB_MCP_TOOLS": ","}, "HUB_MCP_TOOLS"),
        ({"HUB_MCP_TOOLS": "chat", "HUB_MCP_READ_ONLY": "1"}, "HUB_MCP_TOOLS"),
        ({"HUB_MCP_READ_ONLY": "maybe"}, "HUB_MCP_READ_ONLY"),
    ],
)
def test_tools_that_do_not_exist_or_none_at_all_are_refused(environ: dict[str, str], name: str):
    assert refusal(**environ).startswith(f"{name} takes")


# --- numbers and choices


@pytest.mark.parametrize("name", ["HUB_MCP_TIMEOUT", "HUB_MCP_CHAT_TIMEOUT", "HUB_MCP_CHAT_WAIT"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "-inf", "soon", "1e999", "5s", "1,5"])
def test_a_time_that_is_none_is_refused(name: str, value: str):
    assert refusal(**{name: value}) == f"{name} takes a number of seconds greater than 0."


@pytest.mark.parametrize("name", ["HUB_MCP_MAX_COST", "HUB_MCP_BUDGET", "HUB_MCP_CATALOG_MAX_STALE"])
@pytest.mark.parametrize("value", ["-0.01", "nan", "inf", "$5", "five"])
def test_an_amount_that_is_none_is_refused(name: str, value: str):
    assert refusal(**{name: value}).startswith(f"{name} takes a")


@pytest.mark.parametrize("name", ["HUB_MCP_PROFILE", "HUB_MCP_LOG_LEVEL"])
def test_an_unknown_choice_is_refused_with_the_known_ones(name: str):
    assert refusal(**{name: "loud"}).startswith(f"{name} takes one of ")


@profile(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([v.name for v in VARIABLES] + [v.fallback for v in VARIABLES if v.fallback]),
        st.text(max_size=30),
        max_size=5,
    )
)
def test_any_environment_gives_settings_or_one_line_that_names_a_variable(environ: dict[str, str]):
    refused = ""
    try:
        Settings.from_env(environ)
    except SettingsError as error:
        refused = str(error)
    assert not refused or refused.split(" takes ")[0] in {*environ, "HUB_MCP_BASE_URL"}
    assert "\n" not in refused
