"""JSON Schemas made small: hosts pay for each byte of a tool's definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NULL = {"type": "null"}
_DROPPED = frozenset({"title", "maxLength"})
_VALUES = frozenset({"const", "default", "enum", "examples"})


def small(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same schema without titles, null alternatives and empty defaults; docstrings stay in the code."""
    reduced: dict[str, Any] = _small(schema)
    if "$defs" in reduced:
        reduced["$defs"] = {name: _without_docstring(each) for name, each in reduced["$defs"].items()}
    return _without_docstring(reduced)


def _small(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_small(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: _small_member(key, value) for key, value in schema.items() if not _needless(key, value)}
    return _unwrapped(kept)


def _small_member(key: str, value: Any) -> Any:
    """Below `properties` and `$defs` the keys are names, not keywords; a value is no schema."""
    if key in _VALUES:
        return value
    if key in ("properties", "$defs"):
        return {name: _small(each) for name, each in value.items()}
    return _small(value)


def _needless(key: str, value: Any) -> bool:
    return key in _DROPPED or (key == "default" and not value) or (key == "format" and value == "binary")


def _unwrapped(schema: dict[str, Any]) -> dict[str, Any]:
    """`anyOf: [X, null]` becomes X: null means not given, in arguments and in answers."""
    options = schema.get("anyOf")
    if not isinstance(options, list) or _NULL not in options:
        return schema
    others = [option for option in options if option != _NULL] or options
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**others[0], **rest} if len(others) == 1 else {**rest, "anyOf": others}


def _without_docstring(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "description" or "properties" not in schema}
