"""Selecting, sorting and paging the catalog."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_filters import FILTERS, passes

import hub_mcp.sandbox
from hub_mcp import wire
from hub_mcp.errors import BadRequest
from hub_mcp.filters import Filters
from hub_mcp.listing import SORTS, ListQuery, digest, fingerprint, page, select
from hub_mcp.models import Model, Pricing
from hub_mcp.table import Table

BODY = (Path(hub_mcp.sandbox.__file__).parent / "catalog.json").read_bytes()
MODELS = wire.decode_catalog(BODY, "aihubmix").models
TABLE = Table(MODELS)
PLACE = {model.id: number for number, model in enumerate(MODELS)}
LOCAL_SORTS = [sort for sort in SORTS if sort not in ("coding", "model_ratio")]

QUERIES = st.builds(
    ListQuery,
    filters=FILTERS | st.just(Filters()),
    part=st.sampled_from(["", "gpt", "QWEN", " claude ", "／", ":free", "no such thing"]),
    sort_by=st.sampled_from(LOCAL_SORTS),
    descending=st.sampled_from([None, False, True]),
)


def sort_value(model: Model, sort_by: str) -> float | str | None:
    return {
        "order": PLACE.get(model.id),
        "context_length": model.context_length,
        "input_price": model.pricing.input,
        "output_price": model.pricing.output,
        "name": (model.name or model.id).casefold(),
    }[sort_by]


# --- select


@settings(max_examples=200, deadline=None)
@given(QUERIES)
def test_the_result_is_exactly_what_passes(query: ListQuery):
    part = query.part.strip().lower().replace("／", "/")
    expected = {m.id for m in MODELS if passes(m, query.filters) and (part in f"{m.id}\n{m.name}".lower())}
    found = [m.id for m in select(TABLE, query)]
    assert len(found) == len(expected)
    assert set(found) == expected


@settings(max_examples=200, deadline=None)
@given(QUERIES)
def test_values_are_in_order_unknown_ones_last_and_equals_as_in_the_catalog(query: ListQuery):
    found = select(TABLE, query)
    values = [sort_value(model, query.sort_by) for model in found]
    known = [value for value in values if value is not None]
    assert values == known + [None] * (len(values) - len(known))
    descending = query.sort_by == "context_length" if query.descending is None else query.descending
    assert known == sorted(known, reverse=descending)
    for (left, value), (right, next_value) in zip(
        zip(found, values, strict=True), zip(found[1:], values[1:], strict=True), strict=False
    ):
        assert value != next_value or PLACE[left.id] < PLACE[right.id]


def test_prices_and_limits_sort_as_numbers():
    models = [Model("a", context_length=50_500), Model("b", context_length=400_000), Model("c")]
    assert [m.id for m in select(Table(models), ListQuery(sort_by="context_length"))] == ["b", "a", "c"]
    assert [m.id for m in select(Table(models), ListQuery(sort_by="context_length", descending=False))] == [
        "a",
        "b",
        "c",
    ]


def test_a_price_of_zero_is_known_and_the_lowest():
    models = [Model("dear", pricing=Pricing(9, 9)), Model("unknown"), Model("free", pricing=Pricing(0, 0))]
    assert [m.id for m in select(Table(models), ListQuery(sort_by="input_price"))] == [
        "free",
        "dear",
        "unknown",
    ]
    descending = ListQuery(sort_by="input_price", descending=True)
    assert [m.id for m in select(Table(models), descending)] == ["dear", "free", "unknown"]


def test_the_catalog_s_order_can_be_turned_round():
    assert select(TABLE, ListQuery()) == list(MODELS)
    assert select(TABLE, ListQuery(descending=True)) == list(MODELS)[::-1]


def test_a_part_is_found_in_ids_and_names_without_case_and_width():
    models = [Model("gpt-4o"), Model("x", name="My GPT-4o clone"), Model("y", description="gpt-4o")]
    assert [m.id for m in select(Table(models), ListQuery(part="ＧＰＴ-4O "))] == ["gpt-4o", "x"]


def test_a_part_is_no_pattern():
    assert [m.id for m in select(TABLE, ListQuery(part="(33)"))] == [
        m.id for m in MODELS if m.id.endswith("(33)")
    ]
    assert select(TABLE, ListQuery(part=".*")) == []


def test_the_hub_s_own_order_is_taken_as_it_is_and_what_it_leaves_out_comes_last():
    models = [Model("a"), Model("b"), Model("c"), Model("d")]
    positions = {"c": 0, "gone": 1, "a": 2}
    for descending in (None, False, True):
        query = ListQuery(sort_by="coding", descending=descending)
        assert [m.id for m in select(Table(models), query, positions)] == ["c", "a", "b", "d"]


def test_the_hub_s_order_and_the_filters_go_together():
    positions = {model.id: -number for number, model in enumerate(MODELS)}
    query = ListQuery(Filters(developer="xai"), sort_by="model_ratio")
    found = select(TABLE, query, {m: p + len(MODELS) for m, p in positions.items()})
    assert found == [m for m in MODELS[::-1] if m.developer == "xai"]


def test_an_order_is_told_only_where_it_was_said():
    assert ListQuery().order is None
    assert ListQuery(descending=True).order == "desc"
    assert ListQuery(descending=False).order == "asc"


def test_an_empty_catalog_is_an_empty_page():
    found = page(select(Table([]), ListQuery(sort_by="name")), 20, None, "f" * 16)
    assert (found.models, found.total, found.next_cursor) == ((), 0, None)


# --- pages


@settings(max_examples=150, deadline=None)
@given(QUERIES, st.lists(st.integers(1, 100), min_size=1, max_size=5))
def test_pages_of_any_size_hold_every_model_once_and_in_order(query: ListQuery, limits: list[int]):
    found = select(TABLE, query)
    mark = fingerprint("v", query)
    seen: list[Model] = []
    cursor, turn = None, 0
    while True:
        part = page(found, limits[turn % len(limits)], cursor, mark)
        assert part.total == len(found)
        assert len(part.models) <= limits[turn % len(limits)]
        assert part.models or not found
        seen += part.models
        cursor, turn = part.next_cursor, turn + 1
        if cursor is None:
            break
    assert seen == found


def test_the_last_page_has_no_cursor_even_when_it_is_full():
    models = MODELS[:40]
    first = page(models, 20, None, "f" * 16)
    assert first.next_cursor is not None
    assert page(models, 20, first.next_cursor, "f" * 16).next_cursor is None


def test_a_cursor_is_short_and_needs_no_quoting():
    cursor = page(MODELS, 20, None, fingerprint("v", ListQuery())).next_cursor
    assert cursor is not None
    assert len(cursor) <= 32
    assert cursor.replace("-", "").replace("_", "").isalnum()


def cursor_of(version: str, query: ListQuery) -> str:
    cursor = page(MODELS, 20, None, fingerprint(version, query)).next_cursor
    assert cursor is not None
    return cursor


def test_a_cursor_of_another_version_says_that_the_catalog_has_changed():
    with pytest.raises(BadRequest, match="catalog has changed") as refused:
        page(MODELS, 20, cursor_of("old", ListQuery()), fingerprint("new", ListQuery()))
    assert "without cursor" in refused.value.hint


@pytest.mark.parametrize(
    "other",
    [
        ListQuery(part="gpt"),
        ListQuery(sort_by="name"),
        ListQuery(descending=True),
        ListQuery(Filters(types=("llm",))),
        ListQuery(Filters(features=("llm",))),
        ListQuery(Filters(free=True)),
        ListQuery(Filters(max_input_price=1.0)),
        ListQuery(Filters(max_output_price=1.0)),
    ],
)
def test_a_cursor_of_another_query_says_so(other: ListQuery):
    with pytest.raises(BadRequest, match="another query"):
        page(MODELS, 20, cursor_of("v", other), fingerprint("v", ListQuery()))


def forged(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


MARK = fingerprint("v", ListQuery())


@pytest.mark.parametrize(
    "cursor",
    [
        "garbage",
        "!!!",
        "2",
        "游标",
        "\ud800",
        "=" * 50,
        "A" * 2000,
        forged(MARK),
        forged(f"{MARK}twenty"),
        forged(f"{MARK}-20"),
        forged(f"{MARK}1_0"),
        forged(f"{MARK} 20"),
        forged(f"{MARK}٢"),
        forged(f"{MARK}" + "9" * 5000),
    ],
)
def test_a_cursor_that_nobody_gave_is_refused(cursor: str):
    with pytest.raises(BadRequest) as refused:
        page(MODELS, 20, cursor, MARK)
    assert "without cursor" in refused.value.hint


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_any_text_as_a_cursor_is_a_bad_request(cursor: str):
    with pytest.raises(BadRequest):
        page(MODELS, 20, cursor, MARK)


def test_an_empty_cursor_is_none():
    assert page(MODELS, 20, "", MARK).models == MODELS[:20]


def test_a_digest_depends_on_the_content_alone():
    assert digest(b"a") == digest(b"a") != digest(b"b")
    assert len(digest(b"")) == 8
