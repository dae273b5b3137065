"""The routes. Every request is recorded, then offered to the test's hook, then answered."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from .catalog_api import list_catalog
from .chat_api import chat
from .errors import invalid_url
from .models_api import get_model, list_models
from .state import Recorded, Sandbox

Handler = Callable[[Sandbox, Request], Awaitable[Response]]

_ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(sandbox: Sandbox) -> Starlette:
    def route(path: str, handler: Handler, *methods: str) -> Route:
        async def endpoint(request: Request) -> Response:
            return await _serve(sandbox, handler, request)

        return Route(path, endpoint, methods=methods)

    async def requests(_: Request) -> Response:
        return _summary(sandbox)

    return Starlette(
        routes=[
            Route("/sandbox/requests", requests),
            route("/", _about, "GET"),
            route("/api/v1/models", list_catalog, "GET"),
            route("/v1/models", list_models, "GET"),
            route("/v1/models/{model}", get_model, "GET"),
            route("/v1/chat/completions", chat, "POST"),
            route("/{path:path}", invalid_url, *_ALL_METHODS),
        ]
    )


async def _serve(sandbox: Sandbox, handler: Handler, request: Request) -> Response:
    try:
        recorded = _recorded(request, await request.body())
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    sandbox.record(recorded)
    request.state.recorded = recorded
    intercepted = await sandbox.intercept(request) if sandbox.intercept else None
    return await handler(sandbox, request) if intercepted is None else intercepted


def _recorded(request: Request, body: bytes) -> Recorded:
    return Recorded(
        method=request.method,
        path=request.scope["path"],
        query=request.url.query,
        headers=dict(request.headers),
        body=_json_or_none(body),
    )


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


async def _about(_: Sandbox, __: Request) -> Response:
    return PlainTextResponse("The hub-mcp sandbox: an embedded model hub. Try GET /api/v1/models\n")


def _summary(sandbox: Sandbox) -> Response:
    """For tests in another process. Without headers: they hold keys."""
    by_path = {f"{method} {path}": number for (method, path), number in sandbox.by_path.items()}
    return JSONResponse({"total": sandbox.count(), "by_path": by_path})
