"""What hubs send is read leniently: a bad field is unknown, a bad row is skipped, a bad body is a BadAnswer."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hub_mcp.sandbox
from hub_mcp.errors import BadAnswer
from hub_mcp.models import Model, Pricing
from hub_mcp.profiles import CatalogShape
from hub_mcp.wire import (
    MAX_DESCRIPTION,
    MAX_ID,
    CatalogRow,
    ListRow,
    decode_catalog,
    decode_json,
    error_in,
    message_in,
)

BODY = (Path(hub_mcp.sandbox.__file__).parent / "catalog.json").read_bytes()
ROWS = json.loads(BODY)["data"]
SHAPES: tuple[CatalogShape, ...] = ("aihubmix", "openai")
ID_OF = {"aihubmix": "model_id", "openai": "id"}

both_shapes = pytest.mark.parametrize("shape", SHAPES)


def body(*rows: Any) -> bytes:
    return json.dumps({"data": list(rows), "message": "", "success": True}).encode()


def read(shape: CatalogShape = "aihubmix", **fields: Any) -> Model:
    catalog = decode_catalog(body({ID_OF[shape]: "m", **fields}), shape)
    assert (len(catalog.models), catalog.skipped) == (1, 0)
    return catalog.models[0]


def listed(**fields: Any) -> Model:
    return read("openai", **fields)


def texts(model: Model) -> Iterator[str]:
    yield from (model.id, model.name, model.developer, model.description, model.owned_by, model.created)
    yield from (*model.types, *model.features, *model.modalities, *model.endpoints)


# --- anything at all

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**310)
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=12)
    | st.sampled_from(["llm,，tools", "128000", "-1", "NaN", "1e999", "", " ", "gpt-4o", "\ud800", "a\nb"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    [*CatalogRow.model_fields, *ListRow.model_fields, "to_domain", "model_extra", "__class__", "\ud800"]
)
PRICES = st.dictionaries(
    st.sampled_from(["input", "output", "cache_read", "prompt", "completion", "input_cache_read"]), SCALARS
)
STRANGE = JSON | st.dictionaries(FIELDS, JSON | PRICES, max_size=8)


@both_shapes
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(STRANGE, max_size=5))
def test_no_row_is_too_strange_and_the_good_ones_beside_it_are_kept(shape: CatalogShape, rows: list[Any]):
    good = [{ID_OF[shape]: "good-1", "context_length": 5}, {ID_OF[shape]: "good-2"}]
    catalog = decode_catalog(body(good[0], *rows, good[1]), shape)
    assert {"good-1", "good-2"} <= {model.id for model in catalog.models}
    assert len(catalog.models) + catalog.skipped == len(rows) + 2
    assert catalog.models[0].context_length == 5


@both_shapes
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(STRANGE, max_size=5))
def test_whatever_is_read_can_be_sent_and_computed_with(shape: CatalogShape, rows: list[Any]):
    for model in decode_catalog(body(*rows), shape).models:
        for each in texts(model):
            each.encode()
        pricing = model.pricing
        for price in (pricing.input, pricing.output, pricing.cache_read, pricing.cache_write):
            assert price is None or (0 <= price < 1e16 and not math.copysign(1, price) < 0)
        json.dumps(model.extra, allow_nan=False)


@both_shapes
@settings(max_examples=200, deadline=None)
@given(raw=st.one_of(st.binary(max_size=80), JSON.map(lambda value: json.dumps(value).encode())))
def test_a_body_is_a_catalog_or_a_bad_answer(shape: CatalogShape, raw: bytes):
    try:
        catalog = decode_catalog(raw, shape)
    except BadAnswer:
        return
    assert catalog.models == () or catalog.models[0].id


def test_the_whole_real_catalog_is_read_in_its_order():
    catalog = decode_catalog(BODY, "aihubmix")
    assert [model.id for model in catalog.models] == [row["model_id"] for row in ROWS]
    assert catalog.skipped == 0


def test_the_real_catalog_keeps_what_its_rows_say():
    for model, row in zip(decode_catalog(BODY, "aihubmix").models, ROWS, strict=True):
        assert model.name == row.get("model_name", "")
        assert (model.context_length or 0) == row.get("context_length", 0)
        assert (model.max_output or 0) == row.get("max_output", 0)
        if model.pricing != Pricing():
            assert model.pricing.input == row["pricing"]["input"]
            assert model.pricing.cache_read == row["pricing"].get("cache_read")


# --- bodies


@both_shapes
@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b"<!doctype html><html>", "an HTML page"),
        (b"\n <html>", "an HTML page"),
        (b"{", "no JSON"),
        (b"\xff\xfe\xfd", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"null", "holds nothing"),
        (b"5", "holds something else"),
        (b'"text"', "holds something else"),
        (b"{}", "holds nothing"),
        (b'{"data": null}', "holds nothing"),
        (b'{"data": {"code": 0, "work_name": "x"}, "success": true}', "holds an object"),
        (b'{"data": "gpt-4o"}', "holds something else"),
        (b'{"success": false, "message": "No channel.", "data": []}', "with an error: No channel. "),
        (b'{"success": false}', "with an error: no message. "),
        (b'{"success": false, "message": null}', "with an error: no message. "),
        (b'{"error": {"message": "bad key"}}', "with an error: bad key. "),
        (b'{"error": "bad key", "data": []}', "with an error: bad key. "),
    ],
)
def test_a_body_without_rows_says_what_it_holds_and_what_to_do(shape: CatalogShape, raw: bytes, says: str):
    with pytest.raises(BadAnswer) as refused:
        decode_catalog(raw, shape)
    assert says in str(refused.value)
    assert refused.value.hint
    assert "\n" not in str(refused.value)


@both_shapes
@pytest.mark.parametrize("raw", [b"[]", b'{"data": []}', b'{"data": [], "error": null, "success": true}'])
def test_an_empty_list_is_a_catalog(shape: CatalogShape, raw: bytes):
    assert decode_catalog(raw, shape).models == ()


def test_a_bare_list_is_a_catalog_too():
    assert [m.id for m in decode_catalog(b'[{"id": "a"}, {"id": "b"}]', "openai").models] == ["a", "b"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_does_no_harm(encoding: str):
    raw = '{"data": [{"model_id": "通义"}]}'.encode(encoding)
    assert decode_catalog(raw, "aihubmix").models[0].id == "通义"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000])
def test_a_number_that_is_none_costs_its_field_not_the_catalog(number: str):
    raw = (
        f'{{"data": [{{"model_id": "m", "context_length": {number}, "odd": {number}}}, {{"model_id": "n"}}]}}'
    )
    first, second = decode_catalog(raw.encode(), "aihubmix").models
    assert first.context_length is None
    assert first.extra == {"odd": None}
    assert second.id == "n"


def test_ordinary_numbers_are_read_exactly():
    assert decode_json(b"[0.1, 1e3, -5, 12345678901234567890]") == [0.1, 1000.0, -5, 12345678901234567890]


# --- rows


@both_shapes
@pytest.mark.parametrize("row", [None, 5, "gpt-4o", [], ["id"], {}, {"name": "no id"}, True])
def test_what_is_no_row_is_skipped_and_counted(shape: CatalogShape, row: Any):
    catalog = decode_catalog(body(row, {ID_OF[shape]: "m"}), shape)
    assert [model.id for model in catalog.models] == ["m"]
    assert catalog.skipped == 1


@both_shapes
@pytest.mark.parametrize(
    "model_id",
    [None, 5, "", "  ", ["m"], "a\nb", "a\x1b[31mb", "a\u200bb", "a\u202eb", "a\ud800b", "x" * (MAX_ID + 1)],
)
def test_a_row_without_a_usable_id_is_skipped_and_counted(shape: CatalogShape, model_id: Any):
    catalog = decode_catalog(body({ID_OF[shape]: model_id}, {ID_OF[shape]: "m"}), shape)
    assert [model.id for model in catalog.models] == ["m"]
    assert catalog.skipped == 1


@both_shapes
@pytest.mark.parametrize(
    "model_id",
    [
        "Qwen/Qwen3-32B",
        "google/gemma-2-9b-it:free",
        "llama3-70b-8192(33)",
        "glm-4.5",
        "claude@20240307",
        "通义",
    ],
)
def test_an_id_is_kept_exactly(shape: CatalogShape, model_id: str):
    assert decode_catalog(body({ID_OF[shape]: model_id}), shape).models[0].id == model_id


@both_shapes
def test_twins_by_case_are_different_models(shape: CatalogShape):
    twins = ["DeepSeek-V3", "DeepSeek-v3", "deepseek-v3"]
    catalog = decode_catalog(body(*({ID_OF[shape]: twin} for twin in twins)), shape)
    assert [model.id for model in catalog.models] == twins
    assert catalog.skipped == 0


@both_shapes
def test_of_rows_with_the_same_id_the_first_counts(shape: CatalogShape):
    rows = ({ID_OF[shape]: "m", "context_length": length} for length in (1, 2, 3))
    catalog = decode_catalog(body(*rows), shape)
    assert [model.context_length for model in catalog.models] == [1]
    assert catalog.skipped == 2


def test_a_row_of_nothing_but_an_id_is_a_model_of_which_nothing_is_known():
    assert read() == Model("m") == listed()


@both_shapes
def test_unknown_fields_pass_unharmed(shape: CatalogShape):
    odd = {
        "playground_checked": True,
        "nested": {"a": [1, {"b": None}]},
        "to_domain": 1,
        "model_extra": 2,
        "model_fields_set": 3,
        "__class__": 4,
    }
    assert read(shape, **odd).extra == odd


@both_shapes
def test_what_is_nested_too_deep_to_be_shown_is_left_out_and_the_row_stays(shape: CatalogShape):
    deep: Any = "bottom"
    for _ in range(400):
        deep = [deep]
    model = read(shape, deep=deep, shallow=[[["ok"]]], pricing={"input": 1, "odd": deep})
    assert model.extra == {"shallow": [[["ok"]]]}
    assert model.pricing.input == 1


@both_shapes
@pytest.mark.parametrize("null", [None, [], {}, 5, True])
def test_a_field_of_the_wrong_kind_is_unknown(shape: CatalogShape, null: Any):
    fields = (
        "name",
        "model_name",
        "desc",
        "description",
        "types",
        "features",
        "input_modalities",
        "endpoints",
    )
    model = read(shape, **dict.fromkeys(fields, null), pricing=null)
    assert (model.name, model.description, model.types, model.features) == ("", "", (), ())
    assert (model.modalities, model.endpoints, model.pricing) == ((), (), Pricing())


@both_shapes
def test_a_field_name_that_is_no_text_costs_the_field_not_the_row(shape: CatalogShape):
    model = read(shape, **{"\ud800": 1, "поле": 2}, pricing={"input": 3, "\udfff": 4})
    assert model.extra == {"поле": 2}
    assert model.pricing.input == 3


# --- words


@pytest.mark.parametrize(
    ("raw", "features"),
    [
        ("thinking,tools", ("thinking", "tools")),
        ("thinking，tools", ("thinking", "tools")),
        (" thinking , tools ,", ("thinking", "tools")),
        ("thinking、web；tools;thinking", ("thinking", "web", "tools")),
        ("tool", ("tools",)),
        ("function_calling", ("tools",)),
        ("tools,function_calling,tool", ("tools",)),
        ("THINKING,Ｔools", ("thinking", "tools")),
        (["thinking", "tools", 5, None], ("thinking", "tools")),
        ("unheard_of", ("unheard_of",)),
        ("to\u200bols\x1b[0m", ("tools",)),
        ("", ()),
        (",，,", ()),
    ],
)
def test_features_are_split_cleaned_and_named_as_usual(raw: Any, features: tuple[str, ...]):
    assert read(features=raw).features == features
    assert listed(features=raw).features == features


def test_types_and_modalities_have_their_usual_names_too():
    model = read(types="t2t, t2i，reranking", input_modalities="Text,images，pdf")
    assert model.types == ("llm", "image_generation", "rerank")
    assert model.modalities == ("text", "image", "pdf")


def test_words_are_bounded_in_number_and_length():
    model = read(features=",".join(f"f{number}" for number in range(1000)), types="x" * 1000)
    assert len(model.features) == 32
    assert len(model.types[0]) == 40


def test_a_description_is_one_clean_bounded_line():
    model = read(desc="\x1b[1mFirst\nsecond\u202e line" + " more" * 2000)
    assert model.description.startswith("First second line more")
    assert len(model.description) <= MAX_DESCRIPTION
    assert listed(desc="old", description="").description == "old"


# --- numbers


@pytest.mark.parametrize(
    ("raw", "limit"),
    [
        (128_000, 128_000),
        ("128000", 128_000),
        (" 128000 ", 128_000),
        (128_000.0, 128_000),
        ("128000.0", 128_000),
        (1, 1),
        (0, None),
        ("0", None),
        (0.5, None),
        (-1, None),
        ("-1", None),
        (True, None),
        ("128k", None),
        ("", None),
        (None, None),
        ([128_000], None),
        (10**12, None),
        (10**400, None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_a_limit_is_a_positive_number_or_unknown(raw: Any, limit: int | None):
    assert read(context_length=raw, max_output=raw) == Model("m", context_length=limit, max_output=limit)
    model = listed(context_length=raw, max_output=raw)
    assert (model.context_length, model.max_output) == (limit, limit)
    assert limit is None or type(model.context_length) is int


@pytest.mark.parametrize(
    ("raw", "price"),
    [
        (0.15, 0.15),
        ("0.15", 0.15),
        (0, 0),
        ("0", 0),
        (2, 2),
        (-1, None),
        ("-1", None),
        ("", None),
        (None, None),
        (False, None),
        ("free", None),
        ("inf", None),
        (1e300, None),
        ({"usd": 1}, None),
    ],
)
def test_a_price_is_a_number_of_zero_or_more_or_unknown(raw: Any, price: float | None):
    for shape in SHAPES:
        pricing = read(shape, pricing={"input": raw, "output": raw, "cache_read": raw}).pricing
        assert pricing == Pricing(price, price, price)


def test_minus_nothing_is_nothing():
    assert str(read(pricing={"input": -0.0}).pricing.input) == "0.0"


def test_a_missing_price_is_no_price_and_not_zero():
    model = read(pricing={"input": 0})
    assert model.pricing == Pricing(input=0)
    assert not model.free
    assert read(pricing={"input": 0, "output": "0.0"}).free


@both_shapes
@pytest.mark.parametrize(
    ("types", "priced"),
    [
        ("video", False),
        ("image_generation", False),
        ("tts", False),
        ("stt", False),
        ("tts,stt", False),
        ("t2i", False),
        ("image_generation,llm", True),
        ("llm", True),
        ("embedding", True),
        ("unheard_of,video", True),
        ("", True),
    ],
)
def test_placeholder_prices_are_no_token_prices(shape: CatalogShape, types: str, priced: bool):
    """`whisper-1` is 100 / 100 in the catalog, which is not 100 dollars for a million tokens."""
    pricing = {"input": 100, "output": 100, "prompt": "0.1", "cache_read": 1}
    assert (read(shape, types=types, pricing=pricing).pricing != Pricing()) is priced


# --- the OpenAI shape


def test_an_openrouter_row_is_understood():
    model = listed(
        id="openai/gpt-4o-mini",
        name="OpenAI: GPT-4o-mini",
        created=1721260800,
        description="Small.",
        context_length=128000,
        architecture={"modality": "text+image->text", "input_modalities": ["text", "image", "file"]},
        pricing={
            "prompt": "0.00000015",
            "completion": "0.0000006",
            "input_cache_read": "0.000000075",
            "request": "0",
        },
        top_provider={"context_length": 128000, "max_completion_tokens": 16384, "is_moderated": True},
        supported_parameters=["temperature", "tools", "tool_choice", "reasoning", "structured_outputs"],
    )
    assert model == Model(
        id="openai/gpt-4o-mini",
        name="OpenAI: GPT-4o-mini",
        developer="openai",
        description="Small.",
        features=("tools", "thinking", "structured_outputs"),
        modalities=("text", "image", "file"),
        context_length=128000,
        max_output=16384,
        pricing=Pricing(0.15, 0.6, 0.075),
        created="2024-07-18T00:00:00Z",
    )


def test_prices_per_token_keep_their_digits_and_a_tiny_one_is_not_free():
    assert listed(pricing={"prompt": "0.0000000000001", "completion": 1e-13}).pricing == Pricing(1e-7, 1e-7)
    assert not listed(pricing={"prompt": "1e-20", "completion": "1e-20"}).free
    assert listed(pricing={"prompt": "0", "completion": "0"}).free
    assert listed(pricing={"prompt": "-1", "completion": "-1"}).pricing == Pricing()
    assert listed(pricing={"input": 3, "prompt": "0.1"}).pricing.input == 3


def test_a_vllm_row_is_understood():
    model = listed(
        id="meta-llama/Llama-3.1-8B-Instruct",
        object="model",
        created=1721260800,
        owned_by="vllm",
        root="meta-llama/Llama-3.1-8B-Instruct",
        parent=None,
        max_model_len=8192,
        permission=[{"id": "modelperm-1", "object": "model_permission"}],
    )
    assert (model.developer, model.context_length, model.extra) == ("meta", 8192, {})


def test_a_new_api_row_is_understood():
    model = listed(
        id="claude-sonnet-4-5",
        object="model",
        created=1626777600,
        owned_by="custom",
        permission=None,
        supported_endpoint_types=["anthropic", "openai"],
    )
    assert model.endpoints == ("anthropic", "openai")
    assert (model.developer, model.owned_by, model.created) == ("anthropic", "custom", "2021-07-20T10:40:00Z")
    assert model.extra == {}


def test_a_minimal_litellm_row_is_understood():
    model = listed(id="my-alias", object="model", created=1677610602, owned_by="openai")
    assert model == Model("my-alias", developer="openai", owned_by="openai", created="2023-02-28T18:56:42Z")


@pytest.mark.parametrize(
    "fields",
    [
        {"context_length": 9},
        {"max_model_len": 9},
        {"context_window": 9},
        {"max_context_length": "9"},
        {"context_length": None, "max_model_len": 9},
        {"context_length": 0, "context_window": 9},
        {"context_length": 9, "max_model_len": 8},
    ],
)
def test_the_context_is_the_first_that_is_known(fields: dict[str, Any]):
    assert listed(**fields).context_length == 9


@pytest.mark.parametrize(
    "fields",
    [
        {"max_output": 9},
        {"max_output_tokens": 9},
        {"max_completion_tokens": 9},
        {"max_output": None, "top_provider": {"max_completion_tokens": 9}},
    ],
)
def test_the_longest_output_is_the_first_that_is_known(fields: dict[str, Any]):
    assert listed(**fields).max_output == 9


def test_that_every_row_is_a_model_is_no_type():
    assert listed(type="model").types == ()
    assert listed(type="llm").types == ("llm",)
    assert listed(types=None, type="t2i").types == ("image_generation",)
    assert listed(types="llm", type="chat").types == ("llm",)


@pytest.mark.parametrize("created", [0, None, -5, "yesterday", 10**15, 1e300, True])
def test_an_absurd_date_is_unknown(created: Any):
    assert listed(created=created).created == ""


# --- errors in answers


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"error": {"message": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"success": False, "message": "no"}, "no"),
        ({"error": {"detail": "no"}}, "no"),
        ({"error": {"message": "", "msg": "no"}}, "no"),
        ({"error": {"message": ["no"]}}, ""),
        ({"success": False}, ""),
        ({"error": {"message": "\x1b[31mn\u200bo\n"}}, "no"),
    ],
)
def test_an_error_is_found_in_an_answer_with_its_words(payload: Any, message: str):
    error = error_in(payload)
    assert error is not None
    assert message_in(error) == message


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"error": None},
        {"error": {}},
        {"error": ""},
        {"success": True},
        {"success": None},
        [],
        None,
        "error",
    ],
)
def test_an_answer_without_an_error_has_none(payload: Any):
    assert error_in(payload) is None


def test_a_body_with_half_a_character_in_raw_bytes_is_read_all_the_same():
    body = b'{"data": [{"model_id": "a", "desc": "x\xed\xa0\x80y"}]}'
    (model,) = decode_catalog(body, "aihubmix").models
    assert model.description == "xy"
