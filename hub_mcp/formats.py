"""Answers in JSON: is a schema one, and does an answer fit it? Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import text
from .chat_wire import mend
from .errors import BadRequest

_MAX_VIOLATIONS = 5
_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL | re.IGNORECASE)

# An object without any of these would accept everything: not what somebody who sends a schema means.
_TELLING = frozenset(
    {
        "type",
        "properties",
        "items",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
        "required",
        "patternProperties",
    }
)


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer read as JSON. `value` counts only where `is_json`; `notes` name what does not fit."""

    is_json: bool
    value: Any = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """How an answer is wanted: the request's field for it, and what to hold the answer against."""

    field: Mapping[str, Any]
    is_json: bool = False
    schema: Mapping[str, Any] | None = None


def read_format(wanted: str | Mapping[str, Any] | None) -> Format:
    """`text`, `json`, a JSON Schema, or the OpenAI protocol's own object; raises BadRequest for anything else."""
    if isinstance(wanted, str):
        return _named_format(wanted)
    if wanted is None or wanted == {"type": "text"}:
        return Format({})
    if wanted == {"type": "json_object"}:
        return Format({"response_format": wanted}, is_json=True)
    wrapped = wanted.get("json_schema") if wanted.get("type") == "json_schema" else None
    schema = wrapped.get("schema") if isinstance(wrapped, Mapping) else wanted
    if not isinstance(schema, Mapping):
        raise BadRequest("response_format holds no schema.", hint=_HOW)
    check_schema(schema)
    field = (
        wanted if wrapped else {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    )
    return Format({"response_format": field}, is_json=True, schema=schema)


def _named_format(name: str) -> Format:
    folded = name.strip().lower()
    if folded == "text":
        return Format({})
    if folded in ("json", "json_object"):
        return Format({"response_format": {"type": "json_object"}}, is_json=True)
    try:
        schema = json.loads(name)
    except (ValueError, RecursionError):
        schema = None
    if not isinstance(schema, dict):
        raise BadRequest(f"response_format cannot be '{text.clean(name, 60)}'.", hint=_HOW)
    return read_format(schema)


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raises BadRequest where `schema` is not a JSON Schema."""
    from jsonschema import SchemaError  # 60 ms that only such chats need

    if not _TELLING & schema.keys():
        raise BadRequest("response_format is not a JSON Schema: it says nothing of the answer.", hint=_HOW)
    try:
        # Formats are left alone: patterns are JavaScript's, which Python's need not understand.
        _dialect(schema).check_schema(schema, format_checker=None)
    except (SchemaError, RecursionError) as error:
        said = text.clean(getattr(error, "message", "it is nested too deeply"), 200)
        raise BadRequest(f"response_format is not a JSON Schema: {said}.", hint=_HOW) from error


def check_answer(answer: str, schema: Mapping[str, Any] | None) -> Checked:
    """Read `answer` as JSON, alone or in a code fence, and hold it against `schema` where there is one."""
    fenced = _FENCE.match(answer)
    try:
        value = _read(fenced[1] if fenced else answer)
    except (ValueError, RecursionError) as error:
        return Checked(False, notes=(f"The answer is not JSON: {text.clean(str(error), 120)}.",))
    return Checked(True, value, _violations(value, schema) if schema is not None else ())


def _read(written: str) -> Any:
    value = json.loads(written, parse_constant=_refuse_constant, parse_float=_finite)
    again = json.dumps(value, ensure_ascii=False)
    mended = mend(again)
    return value if mended == again else json.loads(mended)


def _violations(value: Any, schema: Mapping[str, Any]) -> tuple[str, ...]:
    from referencing import Registry

    # An empty registry: a schema's `$ref` must not make this server fetch an address.
    validator = _dialect(schema)(schema, registry=Registry())
    try:
        errors = sorted(validator.iter_errors(value), key=lambda error: error.json_path)[:_MAX_VIOLATIONS]
    except Exception as error:
        # A reference to nowhere or to itself, a pattern that is not Python's: the answer is paid all the same.
        return (f"The answer could not be held against the schema: {text.clean(str(error), 120)}.",)
    return tuple(
        f"The answer breaks the schema at {e.json_path}: {text.clean(e.message, 160)}." for e in errors
    )


def _dialect(schema: Mapping[str, Any]) -> Any:
    """The validator for the draft that a schema names, else for the newest."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    return validator_for(schema, default=Draft202012Validator)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse_constant(digits[:20])


_HOW = "Give 'text', 'json', or a JSON Schema object."
