"""Errors in the shape of one-api, the gateway that these hubs derive from."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from .state import Sandbox


def error_body(sandbox: Sandbox, message: str, **more: Any) -> dict[str, Any]:
    details = {"message": f"{message} (tid: {sandbox.next_tid()})", "type": "Aihubmix_api_error", **more}
    return {"error": details}


def hub_error(
    sandbox: Sandbox, status: int, message: str, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    return JSONResponse(error_body(sandbox, message, **more), status, headers)


def invalid_request(message: str, *, status: int, param: str = "", code: str = "") -> JSONResponse:
    """What the router itself says; it gives no tid."""
    details = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return JSONResponse({"error": details}, status)


async def invalid_url(_: Sandbox, request: Request) -> JSONResponse:
    return invalid_request(f"Invalid URL ({request.method} {request.scope['path']})", status=404)
