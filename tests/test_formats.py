"""Answers in JSON: which formats are one, and whether an answer fits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_mcp.errors import BadRequest
from hub_mcp.formats import Format, check_answer, read_format
from hub_mcp.sandbox.schema import instance_of

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "population": {"type": ["integer", "null"]}},
    "required": ["city"],
    "additionalProperties": False,
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
).filter(lambda value: "Infinity" not in json.dumps(value))
JSON_OBJECT = {"response_format": {"type": "json_object"}}


# -- formats -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [None, "text", " Text ", {"type": "text"}])
def test_text_asks_for_nothing(wanted):
    assert read_format(wanted) == Format({})


@pytest.mark.parametrize("wanted", ["json", "JSON", "json_object", {"type": "json_object"}])
def test_json_asks_for_an_object_and_has_no_schema(wanted):
    assert read_format(wanted) == Format(JSON_OBJECT, is_json=True)


@pytest.mark.parametrize("wanted", [SCHEMA, json.dumps(SCHEMA), "\n" + json.dumps(SCHEMA)])
def test_a_schema_is_sent_as_the_protocol_wants_it(wanted):
    sent = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    assert read_format(wanted) == Format({"response_format": sent}, is_json=True, schema=SCHEMA)


def test_the_protocols_own_object_is_sent_as_it_is():
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": SCHEMA}}
    assert read_format(wanted) == Format({"response_format": wanted}, is_json=True, schema=SCHEMA)


@pytest.mark.parametrize(
    "wanted",
    [
        "yaml",
        "[1]",
        '{"type": "object"',
        {},
        {"foo": 1},
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": {}},
        {"type": "json_schema", "json_schema": {"schema": "object"}},
        {"type": "json_schema", "json_schema": {"schema": {"tpye": "object"}}},
        {"type": "objekt"},
        {"type": "object", "required": "city"},
        {"properties": {"city": "string"}},
        {"enum": "red"},
    ],
)
def test_what_is_no_format_is_refused_with_what_would_be(wanted):
    with pytest.raises(BadRequest, match="response_format") as caught:
        read_format(wanted)
    assert "JSON Schema" in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_pattern_that_only_javascript_understands_is_let_through():
    schema = {"type": "string", "pattern": r"^\p{L}+$"}
    assert read_format(schema).schema == schema
    checked = check_answer('"Ulm"', schema)
    assert (checked.is_json, checked.value) == (True, "Ulm")
    assert "could not be held against the schema" in checked.notes[0]


def test_a_schema_of_an_older_draft_is_read_by_its_own_rules():
    schema = {"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer", "minimum": 3}
    older = {**schema, "exclusiveMinimum": True}
    assert read_format(older).schema == older
    assert check_answer("3", schema).notes == ()
    assert len(check_answer("3", older).notes) == 1


# -- answers -----------------------------------------------------------------------------------------


@given(JSON)
def test_json_is_read_whatever_it_holds_alone_or_in_a_fence(value):
    written = json.dumps(value)
    for answer in (written, f"\n {written} \n", f"```json\n{written}\n```", f"```\n{written}\n```\n"):
        checked = check_answer(answer, None)
        assert (checked.is_json, checked.value, checked.notes) == (True, value, ())


@given(JSON)
def test_an_answer_that_was_made_from_the_schema_fits_it_and_any_other_is_told(value):
    assert check_answer(json.dumps(instance_of(SCHEMA)), SCHEMA).notes == ()
    fits = (
        isinstance(value, dict)
        and value.keys() <= {"city", "population"}
        and isinstance(value.get("city"), str)
    )
    if not fits:
        checked = check_answer(json.dumps(value), SCHEMA)
        assert (checked.is_json, checked.value) == (True, value)
        assert checked.notes
        assert all(note.startswith("The answer breaks the schema at $") for note in checked.notes)


def test_violations_name_where_and_are_at_most_five():
    schema = {"type": "array", "items": {"type": "string"}}
    notes = check_answer(json.dumps(list(range(20))), schema).notes
    assert len(notes) == 5
    assert notes[0] == "The answer breaks the schema at $[0]: 0 is not of type 'string'."


def test_a_null_in_the_answer_is_a_value():
    checked = check_answer('{"city": "Ulm", "population": null}', SCHEMA)
    assert checked.value == {"city": "Ulm", "population": None}
    assert checked.notes == ()
    assert check_answer("null", None).is_json


@pytest.mark.parametrize(
    "answer",
    ["", "Ulm", '{"city": "Ul', "{'city': 'Ulm'}", '{"n": NaN}', '{"n": 1e999}', "[" * 100_000, "9" * 10_000],
)
def test_what_is_no_json_is_told_in_one_short_note(answer):
    checked = check_answer(answer, SCHEMA)
    assert (checked.is_json, checked.value) == (False, None)
    (note,) = checked.notes
    assert note.startswith("The answer is not JSON: ")
    assert len(note) < 200


@pytest.mark.parametrize("answer", [r'{"a\ud83d": "\ud83d"}', r'["\ude00"]'])
def test_half_a_character_does_not_keep_the_answer_from_being_sent_on(answer):
    checked = check_answer(answer, None)
    assert checked.is_json
    json.dumps(checked.value, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/nowhere"},
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"$ref": "https://example.org/schema.json"},
    ],
)
def test_a_schema_that_cannot_be_followed_does_not_cost_the_answer(schema):
    """Nothing is fetched either: whoever writes a schema must not make this server call an address."""
    checked = check_answer('{"city": "Ulm"}', read_format(schema).schema)
    assert (checked.is_json, checked.value) == (True, {"city": "Ulm"})
    (note,) = checked.notes
    assert "could not be held against the schema" in note
