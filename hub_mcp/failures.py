"""A hub's refusal -> the error that a caller understands: the one place that tells them apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from . import text, wire
from .errors import (
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

SET_A_KEY = "Set HUB_MCP_API_KEY to the hub's key and start the server again."

_HINTS: Mapping[type[HubError], str] = {
    MissingKey: SET_A_KEY,
    AuthFailed: "Check HUB_MCP_API_KEY: the hub does not accept this key.",
    Forbidden: "The key may not do this: check its permissions, its address list and the account at the hub.",
    PaymentRequired: "Top up the account at the hub, or ask for less: a smaller max_tokens, a cheaper model.",
    ModelNotFound: "Take an id exactly as list_models or search_models gives it.",
    WrongEndpoint: "This model does not speak chat completions; choose another.",
    ContextTooLong: "Shorten the prompt, or choose a model with a larger context_length.",
    RateLimited: "Wait, then try again, or choose another model.",
    TimedOut: "Try again later.",
    HubFailed: "Try again later, or choose another model.",
    BadRequest: "Change the request as the hub says.",
    BadAnswer: "Check HUB_MCP_BASE_URL.",
}

# What hubs write, whatever status they send it with; the first that fits decides.
_BY_WORDS: tuple[tuple[type[HubError], re.Pattern[str]], ...] = (
    (
        PaymentRequired,
        re.compile(
            r"budget_exceeded|insufficient.{0,12}(quota|balance|credit)|quota is not enough|balance is|(额度|余额)不足"
        ),
    ),
    (
        ContextTooLong,
        re.compile(
            r"context.{0,3}(length|size|window)|maximum context|(prompt|input) is too long"
            r"|maximum prompt length|input token count|range of input length"
        ),
    ),
    (WrongEndpoint, re.compile(r"only supported in v1/|not a chat model|not supported in the v1/chat")),
    (
        ModelNotFound,
        re.compile(
            # A full stop within an id, as in gpt-5.1, does not end the sentence.
            r"model_not_found|incorrect model id|model(?:[^.]|\.(?=\S)){0,120}(does not exist|not found|not exist)"
            r"|no available channel|invalid model name|unknown model|无可用渠道"
        ),
    ),
    (RateLimited, re.compile(r"rate.?limit|too many requests")),
)

_BY_STATUS: Mapping[int, type[HubError]] = {
    401: AuthFailed,
    402: PaymentRequired,
    403: Forbidden,
    408: TimedOut,
    429: RateLimited,
}

# Statuses whose meaning words cannot change; a 429 may mean that the balance is used up, but nothing else.
_SETTLED = frozenset({401, 402, 408})
_WORDS_OF_429 = tuple(entry for entry in _BY_WORDS if entry[0] is PaymentRequired)

_LONGEST_WAIT = 7 * 86400.0
_MOST_READ = 20_000

_STATUSES = frozenset(str(status) for status in range(400, 600))

_KEY_LIKE = re.compile(r"""\bsk-[^\s'"`,;)]{8,}""")
_TID = re.compile(r"\b(?:tid|request id)[:\s]+([\w-]{3,80})", re.IGNORECASE | re.ASCII)


def failure(status: int, headers: Mapping[str, str], body: bytes, *, key: str | None, now: float) -> HubError:
    """The error for an answer that is none.

    `key` is blotted out of the hub's words; `now` is wall-clock time, for dates in `Retry-After`.
    """
    payload = _payload(body)
    refusal = wire.error_in(payload)
    error = refusal or (payload if isinstance(payload, Mapping) else _plain_text(body))
    # The key goes before the text is cut, so that no piece of it is left at the end.
    words = redact(wire.message_in(error, _MOST_READ), key)
    message = text.clean(words, wire.MAX_MESSAGE)
    kind = _kind(_meant(status, error), error, message, key)
    said = f"The hub said: {message}" if message else f"The hub answered with HTTP {status} and no message"
    return kind(
        text.sentence(said),
        hint=_HINTS[kind],
        status=status,
        retry_after=retry_after(headers, now),
        request_id=_request_id(headers, words),
        refused=status == 429 or (status == 503 and refusal is not None),
    )


def redact(message: str, key: str | None) -> str:
    """`message` without the key, and without what looks like one: some hubs repeat it, whole or in part."""
    return _KEY_LIKE.sub("[key]", message.replace(key, "[key]") if key else message)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that `Retry-After` names, as a number or as a date; None where it names none."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.replace(".", "", 1).isdecimal():
        return min(float(value), _LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # HTTP dates are in UTC, said or not.
    until = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    return min(max(until - now, 0.0), _LONGEST_WAIT)


def _payload(body: bytes) -> Any:
    """The body's JSON, None where it is none; of a list, as Google sends it, the first item."""
    try:
        payload = wire.decode_json(body)
    except BadAnswer:
        return None
    return payload[0] if isinstance(payload, list) and payload else payload


def _plain_text(body: bytes) -> Mapping[str, Any]:
    """What a proxy says without JSON, unless it is a page or the remains of JSON."""
    if body.lstrip()[:1] in (b"<", b"{", b"["):
        return {}
    return {"message": body[:_MOST_READ].decode("utf-8", "ignore")}


def _meant(status: int, error: Mapping[str, Any]) -> int:
    """The status that an error under HTTP 200 names itself, as in `"code": 429`."""
    code = str(error["code"]) if isinstance(error.get("code"), str | int) else ""
    return int(code) if status < 300 and code in _STATUSES else status


def _kind(status: int, error: Mapping[str, Any], message: str, key: str | None) -> type[HubError]:
    if status == 401 and not key:
        return MissingKey
    if status == 400 and error.get("type") == "no_db_connection":
        # LiteLLM without a database says so of a key that it does not know.
        return AuthFailed
    known = () if status in _SETTLED else _WORDS_OF_429 if status == 429 else _BY_WORDS
    named = (value for value in (error.get("code"), error.get("type")) if isinstance(value, str))
    words = " ".join((*named, message)).lower()
    said = next((kind for kind, pattern in known if pattern.search(words)), None)
    return said or _BY_STATUS.get(status) or _by_class(status)


def _by_class(status: int) -> type[HubError]:
    if 300 <= status < 400 or status in (404, 405):
        return BadAnswer
    return BadRequest if 400 <= status < 500 else HubFailed


def _request_id(headers: Mapping[str, str], message: str) -> str | None:
    found = _TID.search(message)
    header = headers.get("x-oneapi-request-id") or headers.get("x-request-id") or headers.get("request-id")
    header = header or headers.get("x-litellm-call-id")
    return found[1] if found else text.clean(header, 80) if header else None
