"""`POST /v1/chat/completions`: the key, the model, the faults, and then an answer."""

from starlette.requests import Request
from starlette.responses import Response

from .answers import Ask, compose, parse
from .errors import hub_error
from .faults import FAULTS, fault_of
from .models_api import SMALL_GROUP, bearer
from .replies import ChatResponse
from .state import ChatLog, Recorded, Sandbox

_POOR = "User quota is not enough"
_BANNED = "This account has been suspended"


async def chat(sandbox: Sandbox, request: Request) -> Response:
    refusal = _check_key(sandbox, bearer(request))
    if refusal is not None:
        return refusal
    recorded: Recorded = request.state.recorded
    ask = parse(recorded.body)
    if isinstance(ask, str):
        return hub_error(sandbox, 400, ask, type="invalid_request_error")
    refusal = _check_model(sandbox, ask, bearer(request)) or fault_of(ask.model).refuse(sandbox, ask)
    return refusal or _answer(sandbox, ask)


def _check_key(sandbox: Sandbox, key: str) -> Response | None:
    if not key:
        return hub_error(sandbox, 401, "No API key was given")
    if key == "sk-bad" or not key.startswith("sk-"):
        return hub_error(sandbox, 401, "Invalid API key")
    if key == "sk-poor":
        return hub_error(sandbox, 403, _POOR, code="insufficient_user_quota")
    return hub_error(sandbox, 403, _BANNED, code="forbidden") if key == "sk-banned" else None


def _check_model(sandbox: Sandbox, ask: Ask, key: str) -> Response | None:
    if ask.model in FAULTS:
        return None
    if sandbox.row(ask.model) is None:
        message = f"Incorrect model ID, or no channel serves it: {ask.model}"
        return hub_error(sandbox, 503, message)
    if key == "sk-sandbox-small" and ask.model not in SMALL_GROUP:
        return hub_error(sandbox, 403, f"This key may not use {ask.model}", code="forbidden")
    return None


def _answer(sandbox: Sandbox, ask: Ask) -> Response:
    tid = sandbox.next_tid()
    log = ChatLog(ask.model, ask.stream)
    sandbox.chats.append(log)
    reply = fault_of(ask.model).speak(sandbox, ask, compose(sandbox, ask, tid))
    return ChatResponse(reply, log, {"X-Request-Id": f"sandbox-{tid}"})
