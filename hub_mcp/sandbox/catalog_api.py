"""`GET /api/v1/models`: the catalog, with the filters, orders and known faults of the real one."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .state import Row, Sandbox

_ALIASES = {"t2t": "llm", "t2i": "image_generation", "t2v": "video", "reranking": "rerank"}


class BadQuery(ValueError):
    """A parameter value that the hub refuses."""


async def list_catalog(sandbox: Sandbox, request: Request) -> Response:
    try:
        body, etag = _answer(sandbox, request)
    except BadQuery as error:
        return JSONResponse({"success": False, "message": str(error)}, 400)
    headers = {"ETag": etag, "Cache-Control": sandbox.cache_control}
    if _matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def _matches(if_none_match: str, etag: str) -> bool:
    candidates = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return "*" in candidates or etag in candidates


def _answer(sandbox: Sandbox, request: Request) -> tuple[bytes, str]:
    """Each distinct answer is serialised once, for as long as the sandbox keeps the same rows."""
    answers, query = sandbox.catalog_answers, request.url.query
    if query not in answers:
        answers[query] = _serialise(select(sandbox.rows, request.query_params))
    return answers[query]


def _serialise(rows: list[Row]) -> tuple[bytes, str]:
    answer = {"data": rows, "message": "", "success": True}
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def select(rows: list[Row], query: Mapping[str, str]) -> list[Row]:
    """Filter and sort. Unknown parameters are ignored, as the hub does."""
    given = [(passes, query[name]) for name, passes in _FILTERS.items() if query.get(name)]
    kept = [row for row in rows if all(passes(row, value) for passes, value in given)]
    order, direction = query.get("sort_by") or "order", query.get("sort_order") or "asc"
    if order not in _ORDERS:
        raise BadQuery(f"invalid sort_by: {order}")
    if direction not in ("asc", "desc"):
        raise BadQuery(f"invalid sort_order: {direction}")
    if order == "order":
        return kept[:: -1 if direction == "desc" else 1]
    return sorted(kept, key=_ORDERS[order], reverse=direction == "desc")


def _has_all(column: str) -> Callable[[Row, str], bool]:
    return lambda row, values: _wanted(values) <= set(_words(row.get(column) or ""))


def _wanted(values: str) -> set[str]:
    return {_ALIASES.get(word, word) for word in _words(values)}


def _words(values: str) -> Iterable[str]:
    # Only ASCII commas part words: a row that says `thinking，tools` is found by neither, as on the hub.
    return (word for word in (value.strip() for value in values.split(",")) if word)


def _id_contains(row: Row, part: str) -> bool:
    return part.strip().lower() in row["model_id"].lower()


def _has_tag(row: Row, tag: str) -> bool:
    return tag == "coding" and _is_for_coding(row)


def _is_for_coding(row: Row) -> bool:
    """By the id: `code` covers coder and codex, `coding` is the hub's own prefix for such plans."""
    return any(word in row["model_id"].lower() for word in ("code", "coding", "codestral"))


def _cost(row: Row) -> tuple[bool, float]:
    """Cheapest first by input plus output price; unpriced and free rows last."""
    pricing = row.get("pricing") or {}
    price = pricing.get("input", 0) + pricing.get("output", 0)
    return price == 0, price


_ORDERS: dict[str, Callable[[Row], Any]] = {
    "order": lambda _: 0,
    "context_length": lambda row: str(row.get("context_length", 0)),  # the hub compares them as text
    "coding": lambda row: not _is_for_coding(row),
    "model_ratio": _cost,
}

_FILTERS: dict[str, Callable[[Row, str], bool]] = {
    "type": _has_all("types"),
    "modalities": _has_all("input_modalities"),
    "features": _has_all("features"),
    "model": _id_contains,
    "tag": _has_tag,
}
