"""What hubs send, read leniently, each shape with its way to the domain.

A field that cannot be read counts as absent; a row without a usable id is skipped and
counted. Shapes: AIHubMix's catalog and the OpenAI-style list (one-api, new-api, LiteLLM,
vLLM, Ollama, OpenRouter); see upstream-api.md for what was seen where.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from . import text
from .developers import developer_of
from .errors import BadAnswer
from .models import Model, Pricing, priced_per_token
from .profiles import CatalogShape
from .vocabulary import FEATURE_ALIASES, FEATURES, MODALITY_ALIASES, TYPE_ALIASES

MAX_ID = 200
MAX_NAME = 120
MAX_DESCRIPTION = 2000
MAX_MESSAGE = 600
_MAX_WORDS = 32
_MAX_WORD = 40
_MOST_READ = 400
_LARGEST_LIMIT = 10**10
_LARGEST_PRICE = 10**9
_LONGEST_INT = 300
_DEEPEST = 20
_COMMAS = re.compile(r"[,，、;；]")


@dataclass(frozen=True, slots=True)
class Catalog:
    """The models of one answer in the hub's order, and how many rows could not be used."""

    models: tuple[Model, ...]
    skipped: int


def decode_catalog(body: bytes, shape: CatalogShape) -> Catalog:
    """Read a list of models; raises BadAnswer where the body holds no list at all."""
    rows = _rows(decode_json(body))
    read = _ROW[shape]
    models: dict[str, Model] = {}
    for row in rows:
        model = read(row)
        if model is not None:
            models.setdefault(model.id, model)
    return Catalog(tuple(models.values()), skipped=len(rows) - len(models))


def decode_json(body: bytes) -> Any:
    """Parse JSON; raises BadAnswer with the reason. Numbers that JSON or floats have not become null."""
    try:
        return _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except (ValueError, RecursionError) as error:
        what = (
            "an empty body"
            if not body.strip()
            else "an HTML page"
            if body.lstrip()[:1] == b"<"
            else "no JSON"
        )
        raise BadAnswer(f"The hub answered with {what}.", hint=_BASE_URL_HINT) from error


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _int(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_INT else None


_DECODER = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_finite, parse_int=_int)


def error_in(payload: Any) -> Mapping[str, Any] | None:
    """The error that an answer carries, whatever its HTTP status; None where it carries none."""
    if not isinstance(payload, Mapping):
        return None
    error = payload.get("error")
    if isinstance(error, Mapping) and error:
        return error
    if isinstance(error, str) and error:
        return {"message": error}
    if payload.get("success") is False:
        return {"message": payload.get("message")}
    return None


def message_in(error: Mapping[str, Any], limit: int = MAX_MESSAGE) -> str:
    """The hub's own words, cleaned; empty where it has none."""
    said = (error.get(name) for name in ("message", "detail", "msg"))
    message = next((words for words in said if isinstance(words, str) and words), "")
    return text.clean(message, limit)


def _rows(payload: Any) -> list[Any]:
    error = error_in(payload)
    if error is not None:
        said = text.sentence(message_in(error) or "no message")
        raise BadAnswer(f"The hub answered with an error: {said}", hint=_TRY_LATER)
    rows = payload.get("data") if isinstance(payload, Mapping) else payload
    if isinstance(rows, list):
        return rows
    what = "an object" if isinstance(rows, Mapping) else "nothing" if rows is None else "something else"
    raise BadAnswer(f"The hub's list of models holds {what} where its rows should be.", hint=_BASE_URL_HINT)


_BASE_URL_HINT = "Check that HUB_MCP_BASE_URL is the address of a hub's API."
_TRY_LATER = "Try again later."


def _number(value: Any) -> float | None:
    """A finite number of 0 or more, as a number or as text; anything else is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    # abs: -0.0 is 0 or more, too.
    return abs(number) if math.isfinite(number) and number >= 0 else None


def _amount(value: Any) -> float | None:
    """A price; what no token can cost is unknown."""
    number = _number(value)
    return number if number is not None and number <= _LARGEST_PRICE else None


def _limit(value: Any) -> int | None:
    """A number of tokens; 0 means unknown."""
    number = _number(value)
    return int(number) if number is not None and 1 <= number <= _LARGEST_LIMIT else None


def _line(limit: int) -> Callable[[Any], str]:
    return lambda value: text.clean(value, limit) if isinstance(value, str) else ""


def _words(aliases: Mapping[str, str]) -> Callable[[Any], tuple[str, ...]]:
    """Comma-separated text or a list -> distinct words, lower case, by their usual names."""

    def named(parts: Iterable[str]) -> tuple[str, ...]:
        cleaned = (text.clean(text.fold(part[:_MOST_READ]), _MAX_WORD) for part in parts)
        return tuple(dict.fromkeys(aliases.get(word, word) for word in cleaned if word))[:_MAX_WORDS]

    @lru_cache(maxsize=1024)
    def split(value: str) -> tuple[str, ...]:
        return named(_COMMAS.split(value))

    def read(value: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            # Most rows say one of a few things; what is longer is not worth keeping.
            return split(value) if len(value) <= _MOST_READ else split.__wrapped__(value)
        return named(part for part in value if isinstance(part, str)) if isinstance(value, list) else ()

    return read


def _extra(fields: Mapping[str, Any] | None, known: frozenset[str] = frozenset()) -> Mapping[str, Any]:
    """The fields that no shape names, less those nested so deep that nobody could show them."""
    return {
        name: value
        for name, value in (fields or {}).items()
        if name not in known and _nests_within(value, _DEEPEST)
    }


def _nests_within(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return levels > 0 and all(_nests_within(each, levels - 1) for each in inner)


def _mapping(value: Any) -> Mapping[str, Any]:
    """An object's fields, less those whose names are no text (half a surrogate pair): they cost no row."""
    fields = value.items() if isinstance(value, Mapping) else ()
    return {name: each for name, each in fields if name.isascii() or name.isprintable()}


def _model_id(value: Any) -> str:
    # Ids are sent back as they are, so one that cannot be shown as it is cannot be used.
    if isinstance(value, str) and value.strip() and len(value) <= MAX_ID and text.is_clean(value):
        return value
    raise ValueError("no usable id")


def _date(value: Any) -> str:
    """Seconds since 1970 -> ISO 8601 UTC; 0, missing and absurd times are unknown."""
    seconds = _number(value)
    if not seconds or seconds > 32503680000:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


ModelId = Annotated[str, BeforeValidator(_model_id)]
Name = Annotated[str, BeforeValidator(_line(MAX_NAME))]
Prose = Annotated[str, BeforeValidator(_line(MAX_DESCRIPTION))]
Limit = Annotated[int | None, BeforeValidator(_limit)]
Amount = Annotated[float | None, BeforeValidator(_amount)]
Types = Annotated[tuple[str, ...], BeforeValidator(_words(TYPE_ALIASES))]
Features = Annotated[tuple[str, ...], BeforeValidator(_words(FEATURE_ALIASES))]
Modalities = Annotated[tuple[str, ...], BeforeValidator(_words(MODALITY_ALIASES))]
Words = Annotated[tuple[str, ...], BeforeValidator(_words({}))]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)


class PricingRow(_Shape):
    """AIHubMix: `input` … per million tokens. OpenRouter: `prompt` … per single token."""

    input: Amount = None
    output: Amount = None
    cache_read: Amount = None
    cache_write: Amount = None
    prompt: Amount = None
    completion: Amount = None
    input_cache_read: Amount = None
    input_cache_write: Amount = None

    def to_domain(self) -> Pricing:
        return Pricing(
            input=_either(self.input, self.prompt),
            output=_either(self.output, self.completion),
            cache_read=_either(self.cache_read, self.input_cache_read),
            cache_write=_either(self.cache_write, self.input_cache_write),
        )


def _either(per_million: float | None, per_token: float | None) -> float | None:
    if per_million is not None or per_token is None:
        return per_million
    # Rounded to 12 digits: 0.00000015 × 1,000,000 is not quite 0.15 in binary. Never to 0: that is free.
    return float(f"{per_token * 1_000_000:.12g}")


LenientPricing = Annotated[PricingRow, BeforeValidator(_mapping)]


class CatalogRow(_Shape):
    """A row of AIHubMix's `GET /api/v1/models`."""

    model_id: ModelId
    model_name: Name = ""
    desc: Prose = ""
    types: Types = ()
    features: Features = ()
    input_modalities: Modalities = ()
    context_length: Limit = None
    max_output: Limit = None
    pricing: LenientPricing = PricingRow()
    endpoints: Words = ()

    def to_domain(self) -> Model:
        return Model(
            id=self.model_id,
            name=self.model_name,
            developer=developer_of(self.model_id),
            description=self.desc,
            types=self.types,
            features=self.features,
            modalities=self.input_modalities,
            context_length=self.context_length,
            max_output=self.max_output,
            pricing=self.pricing.to_domain() if priced_per_token(self.types) else Pricing(),
            endpoints=self.endpoints,
            extra=_extra(self.model_extra),
        )


class _Architecture(_Shape):
    input_modalities: Modalities = ()


class _TopProvider(_Shape):
    max_completion_tokens: Limit = None


class ListRow(_Shape):
    """A row of an OpenAI-style `GET /v1/models`; hubs add fields of their own, the known ones are used."""

    id: ModelId
    name: Name = ""
    description: Prose = ""
    desc: Prose = ""
    created: Annotated[str, BeforeValidator(_date)] = ""
    owned_by: Name = ""
    types: Types = ()
    type: Types = ()
    features: Features = ()
    supported_parameters: Features = ()
    input_modalities: Modalities = ()
    architecture: Annotated[_Architecture, BeforeValidator(_mapping)] = _Architecture()
    context_length: Limit = None
    max_model_len: Limit = None
    context_window: Limit = None
    max_context_length: Limit = None
    max_input_tokens: Limit = None
    max_output: Limit = None
    max_output_tokens: Limit = None
    max_completion_tokens: Limit = None
    top_provider: Annotated[_TopProvider, BeforeValidator(_mapping)] = _TopProvider()
    pricing: LenientPricing = PricingRow()
    endpoints: Words = ()
    supported_endpoint_types: Words = ()

    def to_domain(self) -> Model:
        # Some hubs type every row alike, as in `"type": "model"`.
        types = self.types or tuple(word for word in self.type if word != "model")
        return Model(
            id=self.id,
            name=self.name,
            developer=developer_of(self.id, self.owned_by),
            description=self.description or self.desc,
            types=types,
            features=self.features or tuple(word for word in self.supported_parameters if word in FEATURES),
            modalities=self.input_modalities or self.architecture.input_modalities,
            context_length=self.context_length
            or self.max_model_len
            or self.context_window
            or self.max_context_length
            or self.max_input_tokens,
            max_output=self.max_output
            or self.max_output_tokens
            or self.max_completion_tokens
            or self.top_provider.max_completion_tokens,
            pricing=self.pricing.to_domain() if priced_per_token(types) else Pricing(),
            endpoints=self.endpoints or self.supported_endpoint_types,
            owned_by=self.owned_by,
            created=self.created,
            extra=_extra(self.model_extra, _BOILERPLATE),
        )


_BOILERPLATE = frozenset({"object", "permission", "root", "parent"})
"""Fields that every OpenAI-style row repeats and that tell nothing of a model."""


def _reader(shape: type[CatalogRow] | type[ListRow]) -> Callable[[Any], Model | None]:
    def read(row: Any) -> Model | None:
        try:
            return shape.model_validate(_mapping(row)).to_domain()
        except (ValidationError, RecursionError):
            return None

    return read


_ROW: Mapping[CatalogShape, Callable[[Any], Model | None]] = {
    "aihubmix": _reader(CatalogRow),
    "openai": _reader(ListRow),
}
