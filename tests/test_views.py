"""What a host reads: compact lines and typed answers, from models made by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub_mcp import compact, views
from hub_mcp.models import Model, Pricing
from hub_mcp.results import CatalogState, ModelInfo, ModelList

CATALOG = CatalogState("https://hub.example", 1_790_000_000.4, 12.4, 287.6, stale=False)
FULL = Model(
    "maker/model-1",
    name="The First",
    developer="maker",
    description="Reads and writes.",
    types=("llm",),
    features=("tools", "structured_outputs"),
    modalities=("text", "image"),
    context_length=1_048_576,
    max_output=8192,
    pricing=Pricing(2.0, 0.15, 0.5),
    endpoints=("chat",),
    created="2026-01-01T00:00:00Z",
    extra={"retire": "", "colour": "red\x1b[31m", "long": "x" * 3000},
)
BARE = Model("bare")


def models(*given: Model, **more: Any) -> ModelList:
    return ModelList(given, more.pop("total", len(given)), CATALOG, **more)


def line(model: Model, **more: Any) -> str:
    return compact.list_text(models(model, **more)).splitlines()[1]


def test_a_model_is_one_line_of_what_is_known():
    assert line(FULL) == "maker/model-1 1.049M/8192 $2/$0.15 +image tools,json"
    assert line(BARE) == "bare"


def test_a_type_is_said_where_it_is_not_the_usual_one():
    assert line(Model("m", types=("video", "llm"))) == "m video,llm"
    assert line(Model("m", types=("llm",))) == "m"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Model("m", context_length=128_000), "m 128K/?"),
        (Model("m", max_output=4096), "m ?/4096"),
        (Model("m", pricing=Pricing(1.5)), "m $1.5/$?"),
        (Model("m", pricing=Pricing(None, 0.25)), "m $?/$0.25"),
        (Model("m", pricing=Pricing(0, 0)), "m free"),
        (Model("m", pricing=Pricing(0, 1)), "m $0/$1"),
    ],
)
def test_an_unknown_limit_or_price_is_never_a_zero(model, said):
    assert line(model) == said


def test_a_search_says_of_each_model_why_it_was_found():
    assert line(BARE, why={"bare": "name, ~slip"}) == "bare (name, ~slip)"
    assert views.list_view(models(BARE, why={"bare": "id"}))["models"][0]["why"] == "id"


def test_the_first_line_says_how_many_are_shown_and_how_old_they_are():
    heading = compact.list_text(models(FULL, total=7)).splitlines()[0]
    assert heading.startswith("1 of 7 (catalog 12 s old): ")
    stale = CatalogState("https://hub.example", 1_790_000_000, 700, 0, stale=True)
    assert "700 s old, stale" in compact.list_text(ModelList((FULL,), 1, stale))


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (models(FULL, total=7, next_cursor="abc"), "More: the same call with cursor=abc"),
        (models(FULL), "That is all."),
        (models(FULL, total=7), "That is all."),
        (models(FULL, total=7, why={}), "More: a larger limit"),
        (models(FULL, why={}), "That is all."),
        (models(), "Nothing fits all of it"),
    ],
)
def test_the_last_line_says_how_to_go_on(result, said):
    assert compact.list_text(result).splitlines()[-1].startswith(said)


def test_notes_stand_before_the_last_line_and_in_the_structured_answer():
    result = models(FULL, notes=("One row was left out.",))
    assert compact.list_text(result).splitlines()[-2] == "Note: One row was left out."
    assert views.list_view(result)["notes"] == ["One row was left out."]


def test_the_structured_row_holds_what_is_known_and_nothing_else():
    answer = views.list_view(models(FULL, BARE))
    full, bare = answer["models"]
    assert full == {
        "id": "maker/model-1",
        "name": "The First",
        "developer": "maker",
        "types": ["llm"],
        "features": ["tools", "structured_outputs"],
        "modalities": ["text", "image"],
        "context_length": 1_048_576,
        "max_output": 8192,
        "input_price": 2,
        "output_price": 0.15,
    }
    assert bare == {"id": "bare", "types": []}
    assert answer["catalog"] == {
        "age": 12,
        "stale": False,
        "fetched_at": "2026-09-21T14:13:20Z",
        "source": "https://hub.example",
    }
    assert "notes" not in answer
    assert "next_cursor" not in answer


def test_whole_amounts_travel_without_a_fraction():
    row = views.list_view(models(FULL))["models"][0]
    assert json.dumps([row["input_price"], row["output_price"]]) == "[2, 0.15]"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("GPT 4o Mini", None), ("", None), ("Omni, small", "Omni, small"), ("gpt-4o-mini", None)],
)
def test_a_name_that_only_repeats_the_id_is_left_out_of_lists_but_not_of_the_model(name, shown):
    model = Model("gpt-4o-mini", name=name)
    assert views.list_view(models(model))["models"][0].get("name") == shown
    assert views.info_view(ModelInfo(model, CATALOG))["model"].get("name") == (name or None)


def test_one_model_is_shown_whole():
    answer = views.info_view(ModelInfo(FULL, CATALOG, available=False, notes=("Resolved.",)))
    model = answer["model"]
    assert model["description"] == "Reads and writes."
    assert (model["cache_read_price"], "cache_write_price" in model) == (0.5, False)
    assert model["available"] is False
    assert model["extra"] == {"colour": "red", "long": "(3002 characters, left out)"}
    assert answer["notes"] == ["Resolved."]


def test_the_text_of_one_model_is_a_line_a_fact():
    said = compact.info_text(ModelInfo(FULL, CATALOG, available=False, notes=("Resolved.",))).splitlines()
    assert said[:3] == ["maker/model-1", "note: Resolved.", "name: The First"]
    assert "price per 1M tokens: $2 in, $0.15 out, $0.5 cache read" in said
    assert "your key may use it: no" in said
    assert said[-1] == "catalog 12 s old"
    assert compact.info_text(ModelInfo(BARE, CATALOG)).splitlines() == ["bare", "catalog 12 s old"]


@pytest.mark.parametrize(
    ("amount", "said"),
    [(None, "$?"), (0, "$0"), (0.15, "$0.15"), (0.123456, "$0.1235"), (12, "$12"), (1234.5, "$1,234")],
)
def test_money_is_short(amount, said):
    assert compact.money(amount) == said
