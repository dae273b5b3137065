"""A hub's refusal becomes the error that a caller understands."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub_mcp import errors, text
from hub_mcp.errors import (
    AuthFailed,
    BadAnswer,
    BadRequest,
    ContextTooLong,
    Forbidden,
    HubError,
    HubFailed,
    MissingKey,
    ModelNotFound,
    PaymentRequired,
    RateLimited,
    TimedOut,
    WrongEndpoint,
)
from hub_mcp.failures import failure, redact, retry_after

KEY = "sk-ThisIsTheKey123"
NOW = 1_790_000_000.0


def fail(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None, key: str | None = KEY
) -> HubError:
    return failure(status, headers or {}, body, key=key, now=NOW)


def error_body(message: str, **more: Any) -> bytes:
    return json.dumps({"error": {"message": message, "type": "Aihubmix_api_error", **more}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        # the table of what hubs document and do
        (401, error_body("Invalid token (tid: 1234)"), AuthFailed),
        (403, error_body("quota", code="insufficient_user_quota"), PaymentRequired),
        (402, error_body("Insufficient credits"), PaymentRequired),
        (403, error_body("This key may not use gpt-5"), Forbidden),
        (403, error_body("IP not allowed"), Forbidden),
        (403, error_body("account suspended"), Forbidden),
        (503, error_body("Incorrect model ID. Please check (tid: 99)"), ModelNotFound),
        (400, error_body("Incorrect model ID. Please check"), ModelNotFound),
        (404, error_body("The model `gpt-9.9` does not exist"), ModelNotFound),
        (429, error_body("Too many requests"), RateLimited),
        (429, b"", RateLimited),
        (503, error_body("Rate limited by provider"), RateLimited),
        (400, error_body("This model is only supported in v1/responses and not in v1/chat"), WrongEndpoint),
        (400, error_body("This model's maximum context length is 8192 tokens."), ContextTooLong),
        # other hubs and vendors
        (200, error_body("no", code="model_not_found", param="model"), ModelNotFound),
        (200, error_body("slow down", code=429), RateLimited),
        (200, error_body("bad key", code="401"), AuthFailed),
        (200, error_body("broken"), HubFailed),
        (200, error_body("odd", code=7), HubFailed),
        (400, error_body("odd", code=503), BadRequest),
        (200, error_body("odd", code=True), HubFailed),
        (400, error_body("prompt is too long: 210000 tokens > 200000 maximum"), ContextTooLong),
        (400, error_body("the request exceeds the available context size"), ContextTooLong),
        (400, error_body("The input token count (9) exceeds the maximum"), ContextTooLong),
        (503, "当前分组 default 下对于模型 x 无可用渠道".encode(), ModelNotFound),
        (503, error_body("当前分组 default 下对于模型 gpt-5 无可用渠道"), ModelNotFound),
        (403, error_body("用户额度不足, 剩余额度: ＄0.00"), PaymentRequired),
        (429, error_body("You exceeded your current quota", code="insufficient_quota"), PaymentRequired),
        (429, error_body("Rate limit: model x not found in the context window"), RateLimited),
        (401, error_body("model not found"), AuthFailed),
        (404, b'{"object":"error","message":"The model `Qwen2.5-7B` does not exist."}', ModelNotFound),
        (400, b'[{"error": {"code": 400, "message": "input is too long"}}]', ContextTooLong),
        (400, b'{"success": false, "message": "unknown type"}', BadRequest),
        (400, b'{"detail": "unknown field"}', BadRequest),
        (404, error_body("Invalid URL (GET /v1/models/a/b)"), BadAnswer),
        (404, b"<html>nginx</html>", BadAnswer),
        (405, b"", BadAnswer),
        (302, b"", BadAnswer),
        (408, b"", TimedOut),
        (413, b"", BadRequest),
        (422, b"[]", BadRequest),
        (500, b'{"success": false, "message": "boom"}', HubFailed),
        (502, b"<html><h1>Bad gateway</h1>", HubFailed),
        (503, b"", HubFailed),
        (524, b"null", HubFailed),
    ],
)
def test_each_refusal_has_its_error(status: int, body: bytes, kind: type[HubError]):
    error = fail(status, body)
    assert type(error) is kind
    assert error.status == status
    assert error.hint


def test_a_refused_call_without_a_key_is_a_missing_key():
    assert type(fail(401, error_body("Invalid token"), key=None)) is MissingKey
    assert type(fail(401, key="")) is MissingKey
    assert type(fail(403, key=None)) is Forbidden


def test_only_what_may_succeed_later_is_retryable():
    retryable = {status for status in range(300, 600) if fail(status).retryable}
    assert retryable == {408, 429, *range(500, 600)}
    assert not fail(503, error_body("Incorrect model ID")).retryable


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        (429, b"", True),
        (429, error_body("wait"), True),
        (503, error_body("busy"), True),
        (503, b'{"success": false, "message": "busy"}', True),
        (503, b"", False),
        (503, b"upstream connect error", False),
        (503, b'{"message": "Service Unavailable"}', False),
        (503, b"<html></html>", False),
        (500, error_body("broken"), False),
        (200, error_body("late", code=429), False),
    ],
)
def test_only_a_hub_s_own_refusal_lets_a_chat_be_sent_again(status: int, body: bytes, refused: bool):
    """A proxy's 503 says nothing of whether the hub has begun, and billed."""
    assert fail(status, body).refused is refused


# --- what it says


def test_the_hub_s_words_and_what_to_do_make_the_text():
    error = fail(503, error_body("Incorrect model ID (tid: 99)"))
    assert str(error) == (
        "The hub said: Incorrect model ID (tid: 99). Take an id exactly as list_models or search_models gives it."
    )


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b"{", b"[1]", b'{"error": {"message": 5}}']
)
def test_without_words_the_status_is_named(body: bytes):
    assert fail(502, body).message == "The hub answered with HTTP 502 and no message."


def test_plain_text_is_the_hub_s_words_too():
    assert fail(502, b"upstream connect error\n").message == "The hub said: upstream connect error."


def test_the_hub_s_words_are_cleaned_and_bounded():
    message = fail(500, error_body("\x1b[31mred\u202e\u200b\n" + "x" * 100_000)).message
    assert message.startswith("The hub said: red xxx")
    assert len(message) < 700
    assert message.isprintable()


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60),
    st.integers(0, 700),
)
@example("ab-sk-12345678", 10)
@example("sk-12345678!90", 597)
def test_the_key_is_blotted_out_whole_wherever_it_stands(key: str, before: int):
    """Cutting the text at its end must not leave a piece of the key there, either."""
    message = failure(500, {}, error_body(f"{'é' * before} key={key} é"), key=key, now=NOW).message
    bare = failure(500, {}, error_body(f"{'é' * before} key=[key] é"), key=key, now=NOW).message
    assert message == bare


def test_a_key_with_invisible_characters_in_it_is_blotted_out_as_well():
    hidden = f"{KEY[:9]}\u200b{KEY[9:]}"
    assert KEY not in str(fail(401, error_body(f"Invalid key {hidden}")))


def test_what_looks_like_somebody_s_key_is_blotted_out():
    error = fail(401, error_body("Incorrect API key provided: sk-proj-abcd********wxyz. You can find it"))
    assert "abcd" not in str(error)
    assert "wxyz" not in str(error)
    assert "You can find it" in str(error)


def test_redacting_without_a_key_changes_nothing():
    assert redact("all of it", None) == redact("all of it", "") == "all of it"


# --- the request id


@pytest.mark.parametrize(
    ("message", "headers", "request_id"),
    [
        ("bad (tid: 2025010112345)", {}, "2025010112345"),
        ("bad (request id: 20250101abc-DEF_1)", {"x-request-id": "other"}, "20250101abc-DEF_1"),
        ("x" * 5000 + " (tid: 2025)", {}, "2025"),
        ("bad", {"x-oneapi-request-id": "one"}, "one"),
        ("bad", {"x-request-id": "a\x1b[31mb" + "c" * 200}, "ab" + "c" * 77 + "…"),
        ("bad tide: low", {}, None),
        ("bad", {}, None),
    ],
)
def test_the_request_id_is_found(message: str, headers: dict[str, str], request_id: str | None):
    assert fail(500, error_body(message), headers).request_id == request_id


# --- Retry-After


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("20", 20),
        (" 20 ", 20),
        ("1.5", 1.5),
        ("0", 0),
        ("9" * 400, 7 * 86400),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True), 90),
        (format_datetime(datetime.fromtimestamp(NOW - 90, UTC), usegmt=True), 0),
        (datetime.fromtimestamp(NOW + 90, UTC).strftime("%a %b %d %H:%M:%S %Y"), 90),
        (datetime.fromtimestamp(NOW + 90, UTC).strftime("%a, %d %b %Y %H:%M:%S -0000"), 90),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 7 * 86400),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.2.3", None),
        (".", None),
        ("1e3", None),
        ("nan", None),
        ("Mon, 99 Foo 2025 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: float | None):
    assert retry_after({"retry-after": value}, NOW) == seconds
    assert fail(429, headers={"retry-after": value}).retry_after == seconds


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change its time zone")
def test_a_date_without_a_zone_is_in_utc_wherever_the_server_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        date = datetime.fromtimestamp(NOW + 90, UTC).strftime("%a %b %d %H:%M:%S %Y")
        assert retry_after({"retry-after": date}, NOW) == 90
    finally:
        monkeypatch.undo()
        time.tzset()


def test_no_retry_after_is_no_wait_that_was_named():
    assert retry_after({}, NOW) is None


_DATE_PARTS = st.sampled_from(
    [
        "Mon,",
        "31",
        "Feb",
        "Foo",
        "9999",
        "0",
        "99999999999",
        "12:00:00",
        "99:99",
        ":",
        "GMT",
        "-0000",
        "+9999",
        "",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(_DATE_PARTS, max_size=8).map(" ".join)))
def test_any_retry_after_is_a_bounded_wait_or_none(value: str):
    seconds = retry_after({"retry-after": value}, NOW)
    assert seconds is None or 0 <= seconds <= 7 * 86400


# --- anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "type", "success", "detail"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.integers(100, 599), st.one_of(st.binary(max_size=60), JSON.map(lambda v: json.dumps(v).encode())))
def test_any_answer_becomes_one_line_that_can_be_sent(status: int, body: bytes):
    error = fail(status, body)
    assert type(error).__name__ in vars(errors)
    assert text.clean(str(error), 1000) == str(error)
    str(error).encode()


def test_a_deeply_nested_body_is_an_answer_without_words():
    body = b'{"error": {"code": ' + b"[" * 900 + b"]" * 900 + b', "message": "deep"}}'
    assert isinstance(fail(500, body), HubFailed)
    assert isinstance(fail(500, b"[" * 200_000), HubFailed)
