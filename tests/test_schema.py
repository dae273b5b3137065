"""Schemas are made small without changing what they mean."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from hub_mcp.schema import small


class Inner(BaseModel):
    """For readers of the code."""

    title: str = Field(description="A name that is a keyword, too")
    default: int | None = None


class Outer(BaseModel):
    """For readers of the code, too."""

    inner: Inner
    properties: dict[str, Inner] | None = Field(None, description="More of them")
    either: int | str | None = Field(None, description="One of two")
    count: int = Field(20, ge=1, le=100)
    flag: bool = False
    words: tuple[str, ...] = ()
    bounded: str = Field("", max_length=5)


SMALL = small(Outer.model_json_schema())


def test_titles_and_docstrings_are_dropped():
    assert "For readers" not in json.dumps(SMALL)
    assert "title" not in SMALL
    assert "title" not in SMALL["properties"]["count"]


def test_a_property_whose_name_is_a_keyword_stays():
    inner = SMALL["$defs"]["Inner"]["properties"]
    assert inner["title"] == {"type": "string", "description": "A name that is a keyword, too"}
    assert inner["default"] == {"type": "integer"}
    assert SMALL["properties"]["properties"]["description"] == "More of them"


def test_null_is_not_offered_and_a_single_alternative_is_unwrapped():
    assert SMALL["properties"]["either"] == {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "description": "One of two",
    }
    assert "null" not in json.dumps(SMALL)


def test_the_outer_description_wins_over_the_alternative_s():
    nullable = {
        "anyOf": [{"type": "string", "description": "inner"}, {"type": "null"}],
        "description": "outer",
    }
    assert small({"properties": {"x": nullable}})["properties"]["x"]["description"] == "outer"


def test_what_may_be_nothing_but_null_still_may():
    only_null = {"anyOf": [{"type": "null"}]}
    assert small({"properties": {"x": only_null}})["properties"]["x"] == {"type": "null"}


def test_telling_defaults_and_bounds_stay_and_empty_ones_go():
    assert SMALL["properties"]["count"] == {"type": "integer", "default": 20, "minimum": 1, "maximum": 100}
    assert SMALL["properties"]["flag"] == {"type": "boolean"}
    assert SMALL["properties"]["words"] == {"type": "array", "items": {"type": "string"}}


def test_values_are_not_taken_for_schemas():
    schema = {"properties": {"x": {"enum": ["a"], "const": {"title": "t"}, "default": {"title": "t"}}}}
    assert small(schema) == schema


def test_the_schema_given_is_left_alone():
    before = Outer.model_json_schema()
    again = json.loads(json.dumps(before))
    small(before)
    assert before == again


def test_what_is_compact_cannot_be_made_smaller():
    assert small(SMALL) == SMALL


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 200) | st.sampled_from(["a", "abcdefgh"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries(
        {"inner": st.fixed_dictionaries({"title": st.text(max_size=3) | JSON})},
        optional={"either": JSON, "count": JSON, "flag": JSON, "words": JSON},
    )
)
def test_a_value_without_nulls_is_valid_for_both_or_for_none(value: dict[str, Any]):
    def holds_null(part: Any) -> bool:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        return part is None or any(map(holds_null, inner))

    if not holds_null(value):
        small = jsonschema.Draft202012Validator(SMALL).is_valid(value)
        assert small == jsonschema.Draft202012Validator(Outer.model_json_schema()).is_valid(value)


@pytest.mark.parametrize("count", [0, 101, "20"])
def test_a_bound_still_refuses(count: object):
    assert not jsonschema.Draft202012Validator(SMALL).is_valid({"inner": {"title": "x"}, "count": count})
