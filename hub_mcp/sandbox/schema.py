"""The smallest instance of a JSON Schema: what a model that obeys `response_format` would say."""

from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Any]

_DEEPEST = 30  # a schema may require itself; no instance of it is finite


def instance_of(schema: Any, root: Schema | None = None, depth: int = 0) -> Any:
    """Covers what structured outputs use: types, enum, const, required, local $ref, anyOf, minima."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None
    root = schema if root is None else root
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    inner = _inner(schema, root)
    if inner is not None:
        return instance_of(inner, root, depth + 1)
    return _MAKERS.get(_type(schema), _nothing)(schema, root, depth)


def _inner(schema: Schema, root: Schema) -> Any:
    if "$ref" in schema:
        return _resolve(schema["$ref"], root)
    return next((schema[word][0] for word in ("anyOf", "oneOf", "allOf") if schema.get(word)), None)


def _resolve(reference: str, root: Schema) -> Any:
    target: Any = root
    for name in reference.removeprefix("#").split("/")[1:]:
        target = target.get(name) if isinstance(target, Mapping) else None
    return target


def _type(schema: Schema) -> str:
    declared = schema.get("type") or ("object" if "properties" in schema else "null")
    return str(declared[0] if isinstance(declared, list) else declared)


def _object(schema: Schema, root: Schema, depth: int) -> Any:
    properties = schema.get("properties", {})
    return {name: instance_of(properties.get(name), root, depth + 1) for name in schema.get("required", ())}


def _array(schema: Schema, root: Schema, depth: int) -> Any:
    return [instance_of(schema.get("items"), root, depth + 1) for _ in range(schema.get("minItems", 0))]


def _string(schema: Schema, _: Schema, __: int) -> Any:
    return "sandbox".ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]


def _number(schema: Schema, _: Schema, __: int) -> Any:
    if "exclusiveMinimum" in schema:
        return schema["exclusiveMinimum"] + 1
    return schema.get("minimum", min(0, schema.get("maximum", 0)))


def _boolean(_: Schema, __: Schema, ___: int) -> Any:
    return True


def _nothing(_: Schema, __: Schema, ___: int) -> Any:
    return None


_MAKERS: dict[str, Callable[[Schema, Schema, int], Any]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "number": _number,
    "integer": _number,
    "boolean": _boolean,
}
