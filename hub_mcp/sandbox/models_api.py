"""`GET /v1/models` and `GET /v1/models/{model}`: the legacy lists, in new-api's shape."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .errors import invalid_request
from .state import Sandbox

SMALL_GROUP = ("gpt-4o-mini", "claude-sonnet-4-5", "deepseek-v3.2")

_CREATED = 1626777600
_DEFAULT_SIZE = 256
_KEYED_SIZE = 300
_OWNERS = {"gpt-": "openai", "claude-": "anthropic", "gemini-": "google", "grok-": "xai", "qwen": "alibaba"}
_PERMISSION = {
    "id": "modelperm-LwHkVFn8AcMItP432fKKDIKJ",
    "object": "model_permission",
    "created": _CREATED,
    "allow_create_engine": True,
    "allow_sampling": True,
    "allow_logprobs": True,
    "allow_search_indices": False,
    "allow_view": True,
    "allow_fine_tuning": False,
    "organization": "*",
    "group": None,
    "is_blocking": False,
}


def bearer(request: Request) -> str:
    """The key of a request, empty without one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


async def list_models(sandbox: Sandbox, request: Request) -> Response:
    models = [_model(model) for model in _group(sandbox, bearer(request))]
    return JSONResponse({"data": models, "success": True})


async def get_model(sandbox: Sandbox, request: Request) -> Response:
    model = request.path_params["model"]
    if model in sandbox.by_id:
        return JSONResponse(_model(model))
    message = f"The model '{model}' does not exist"
    return invalid_request(message, status=200, param="model", code="model_not_found")


def _group(sandbox: Sandbox, key: str) -> tuple[str, ...]:
    """What a key may use. An unknown key gets the default group: a 200 proves nothing."""
    if key == "sk-sandbox-small":
        return SMALL_GROUP
    usable = (model for model in SMALL_GROUP if model in sandbox.by_id)
    chatting = (model for model, row in sandbox.by_id.items() if "llm" in row.get("types", ""))
    group = dict.fromkeys((*usable, *chatting))
    return tuple(group)[: _KEYED_SIZE if key == "sk-sandbox" else _DEFAULT_SIZE]


def _model(model: str) -> dict[str, Any]:
    owner = next((owner for prefix, owner in _OWNERS.items() if model.lower().startswith(prefix)), "custom")
    return {
        "id": model,
        "object": "model",
        "created": _CREATED,
        "owned_by": owner,
        "permission": [_PERMISSION],
        "root": model,
        "parent": None,
    }
