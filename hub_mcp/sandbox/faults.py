"""What can go wrong, by model id. These ids answer chat although the catalog does not list them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import HTMLResponse, RedirectResponse, Response

from .answers import Answer, Ask, chunks, whole
from .errors import error_body, hub_error
from .replies import DONE, Piece, Reply, event, stream_reply, whole_reply
from .state import Sandbox

Refuse = Callable[[Sandbox, Ask], Response | None]
Speak = Callable[[Sandbox, Ask, Answer], Reply]

_PING = b": PING\n\n"
_PAGE = "<!DOCTYPE html><html><head><title>Gateway</title></head><body><h1>Gateway</h1></body></html>"
_LIMITED = "Rate limit reached, please try again later"
_PROVIDER = "Rate limited by provider"
_ENDPOINT = "This model is only supported in v1/responses and not in v1/chat/completions."
_CONTEXT = (
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. "
    "Please reduce the length of the messages."
)


def speak(sandbox: Sandbox, ask: Ask, answer: Answer) -> Reply:
    """The reply of a model that works."""
    return _at_pace(ask, answer, sandbox.chunk_delay)


def _at_pace(ask: Ask, answer: Answer, pause: float) -> Reply:
    if ask.stream:
        return stream_reply(chunks(answer, include_usage=ask.include_usage), pause)
    return whole_reply(whole(answer))


def _never(_: Sandbox, __: Ask) -> Response | None:
    return None


@dataclass(frozen=True)
class Fault:
    """`refuse` answers instead of the model when it returns a response; `speak` is how the model answers."""

    description: str
    refuse: Refuse = _never
    speak: Speak = speak


# -- refusals: an HTTP answer in place of the model's ------------------------------------------------


def _error(status: int, message: str, headers: dict[str, str] | None = None, **more: Any) -> Refuse:
    return lambda sandbox, _: hub_error(sandbox, status, message, headers, **more)


def _once(refuse: Refuse) -> Refuse:
    return lambda sandbox, ask: refuse(sandbox, ask) if sandbox.is_first(ask.model) else None


def _given(field: str) -> Refuse:
    refuse = _error(400, f"{field} is not supported", code="unsupported_parameter", param=field)
    return lambda sandbox, ask: refuse(sandbox, ask) if ask.body.get(field) else None


def _html(status: int) -> Refuse:
    return lambda _, __: HTMLResponse(_PAGE, status)


def _empty(status: int) -> Refuse:
    return lambda _, __: Response(status_code=status)


def _redirect(_: Sandbox, __: Ask) -> Response | None:
    return RedirectResponse("/elsewhere/v1/chat/completions", 307)


# -- distorted replies: the model answers, but not as it should --------------------------------------


def _slow(sandbox: Sandbox, ask: Ask, answer: Answer) -> Reply:
    reply, seconds = speak(sandbox, ask, answer), sandbox.slow_seconds
    if not ask.stream:
        return replace(reply, wait=seconds)
    pings = (Piece(_PING), *(Piece(_PING, 1) for _ in range(int(seconds))))
    first, *rest = reply.pieces
    return replace(reply, pieces=(*pings, Piece(first.data, seconds % 1), *rest))


def _trickle(sandbox: Sandbox, ask: Ask, answer: Answer) -> Reply:
    reply = _at_pace(ask, answer, sandbox.trickle_delay)
    return reply if ask.stream else replace(reply, wait=len(answer.content) * sandbox.trickle_delay)


def _burst(_: Sandbox, ask: Ask, answer: Answer) -> Reply:
    return _at_pace(ask, answer, 0)


def _half(reply: Reply) -> tuple[Piece, ...]:
    """The role, some text, and neither the finish reason nor what follows it."""
    return reply.pieces[: len(reply.pieces) // 2]


def _cut(sandbox: Sandbox, ask: Ask, answer: Answer) -> Reply:
    reply = speak(sandbox, ask, answer)
    if ask.stream:
        return replace(reply, pieces=_half(reply), broken=True)
    body = reply.pieces[0].data
    return replace(reply, pieces=(Piece(body[: len(body) // 2]),), broken=True)


def _cut_then(ending: Callable[[Sandbox], bytes]) -> Speak:
    def cut(sandbox: Sandbox, ask: Ask, answer: Answer) -> Reply:
        reply = speak(sandbox, ask, answer)
        return replace(reply, pieces=(*_half(reply), Piece(ending(sandbox)))) if ask.stream else reply

    return cut


def _quirks(sandbox: Sandbox, ask: Ask, answer: Answer) -> Reply:
    """Everything that the event-stream format allows and hubs are known to send."""
    if not ask.stream:
        return speak(sandbox, ask, answer)
    *said, ended = chunks(answer, include_usage=False)
    said[-1]["usage"] = answer.usage
    said[-1]["choices"][0]["finish_reason"] = ended["choices"][0]["finish_reason"]
    plain = stream_reply(said, sandbox.chunk_delay)
    return replace(plain, pieces=tuple(odd for piece in plain.pieces for odd in _odd(piece)))


def _odd(piece: Piece) -> list[Piece]:
    """CRLF, `reasoning` for `reasoning_content`, a comment, an empty event, characters torn apart."""
    data = piece.data.replace(b'"reasoning_content":', b'"reasoning":')
    data = (_PING + b"data:\n\n" + data).replace(b"\n", b"\r\n")
    torn = re.findall(rb"[\x00-\xbf]*[\xc0-\xff]|[\x00-\xbf]+", data)  # a lead byte ends a write
    return [Piece(write, piece.pause) for write in torn]


_TABLE: dict[str, Fault] = {
    "sandbox-429": Fault("429 with Retry-After: 1, always", _error(429, _LIMITED, {"Retry-After": "1"})),
    "sandbox-429-once": Fault(
        "429 with Retry-After: 0 the first time, then it answers",
        _once(_error(429, _LIMITED, {"Retry-After": "0"})),
    ),
    "sandbox-429-empty": Fault("429 with an empty body and no Retry-After", _empty(429)),
    "sandbox-503": Fault("503, rate limited by the provider, no Retry-After", _error(503, _PROVIDER)),
    "sandbox-503-once": Fault(
        "503 with Retry-After: 0 the first time, then it answers",
        _once(_error(503, _PROVIDER, {"Retry-After": "0"})),
    ),
    "sandbox-slow": Fault("30 s before the answer begins, with pings when streaming", speak=_slow),
    "sandbox-trickle": Fault("20 words, one every half second", speak=_trickle),
    "sandbox-burst": Fault("2,000 words as fast as they can be sent", speak=_burst),
    "sandbox-cut": Fault("some text, then the connection breaks", speak=_cut),
    "sandbox-cut-done": Fault(
        "streams some text, then [DONE] without a finish reason", speak=_cut_then(lambda _: DONE)
    ),
    "sandbox-midstream-error": Fault(
        "streams some text, then an error object, then ends",
        speak=_cut_then(
            lambda sandbox: event(error_body(sandbox, "The provider failed", code="upstream_error"))
        ),
    ),
    "sandbox-html": Fault("200 with an HTML page", _html(200)),
    "sandbox-html-502": Fault("502 with an HTML page", _html(502)),
    "sandbox-error-200": Fault("200 with an error object", _error(200, "The provider failed")),
    "sandbox-empty": Fault("200 with an empty body", _empty(200)),
    "sandbox-no-stream": Fault("400 when asked to stream, else it answers", _given("stream")),
    "sandbox-no-stream-options": Fault(
        "400 when given stream_options, else it answers", _given("stream_options")
    ),
    "sandbox-wrong-endpoint": Fault("400: the model speaks v1/responses only", _error(400, _ENDPOINT)),
    "sandbox-context": Fault(
        "400: the prompt is longer than the context",
        _error(400, _CONTEXT, type="invalid_request_error", param="messages", code="context_length_exceeded"),
    ),
    "sandbox-quirks": Fault(
        "an odd but legal stream: comments, CRLF, torn characters, merged usage", speak=_quirks
    ),
    "sandbox-redirect": Fault("307 to another path", _redirect),
}

_WORKING = Fault("")

FAULTS: dict[str, str] = {model: fault.description for model, fault in _TABLE.items()}


def fault_of(model: str) -> Fault:
    return _TABLE.get(model, _WORKING)
