"""The chat protocol's JSON, as hubs really send it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_mcp.chat_wire import decode, has_answer, mend
from hub_mcp.models import ChatDelta, ToolCallPart, Usage

KEYS = [
    "choices",
    "delta",
    "message",
    "content",
    "text",
    "type",
    "tool_calls",
    "function",
    "usage",
    "index",
    "arguments",
    "prompt_tokens",
    "model",
    "id",
    "completion_tokens",
    "total_tokens",
    "finish_reason",
    "reasoning",
    "prompt_tokens_details",
    "cached_tokens",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)
COUNT = st.integers(0, 10**6)


def chunk(delta: Any = None, **choice: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, **choice}]}


def used(**usage: Any) -> Usage | None:
    return decode({"choices": [], "usage": usage}).usage


@given(JSON)
def test_nothing_that_json_can_hold_is_too_strange_to_read(payload):
    delta = decode(payload)
    assert isinstance(delta, ChatDelta)
    assert has_answer(payload) in (True, False)
    if delta.usage is not None:
        assert delta.usage.input_tokens + delta.usage.output_tokens > 0
    json.dumps([delta.text, delta.reasoning], allow_nan=False)


def test_a_chunk_and_a_whole_answer_say_the_same():
    said = {"role": "assistant", "content": "Hello", "reasoning_content": "A greeting."}
    expected = ChatDelta(
        text="Hello", reasoning="A greeting.", finish_reason="stop", model="m", request_id="r"
    )
    for part in ("delta", "message"):
        payload = {"id": "r", "model": "m", "choices": [{part: said, "finish_reason": "stop"}]}
        assert decode(payload) == expected


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"choices": []},
        {"choices": None},
        {"choices": [None]},
        chunk(None),
        chunk({}),
        chunk({"role": "assistant", "content": None}),
        chunk({"content": ""}, finish_reason=""),
        {"choices": [], "usage": None},
        {"choices": [], "usage": {}},
        {"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}},
        {"type": "ping"},
    ],
)
def test_what_says_nothing_adds_nothing(payload):
    assert decode(payload) == ChatDelta()


@pytest.mark.parametrize(
    ("content", "text", "reasoning"),
    [
        ("Hello", "Hello", ""),
        ([{"type": "text", "text": "Hel"}, {"type": "output_text", "text": "lo"}], "Hello", ""),
        ([{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hello"}], "Hello", "Hm."),
        ([{"type": "reasoning", "text": "Hm."}], "", "Hm."),
        ([{"text": "Hello"}, None, 7, {"type": "image_url"}], "Hello", ""),
        (7, "", ""),
    ],
)
def test_content_is_text_or_parts_and_thoughts_are_kept_apart(content, text, reasoning):
    delta = decode(chunk({"content": content}))
    assert (delta.text, delta.reasoning) == (text, reasoning)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_goes_by_two_names(field):
    assert decode(chunk({field: "Hm.", "content": ""})) == ChatDelta(reasoning="Hm.")


def test_a_refusal_is_what_the_model_answered():
    assert decode(chunk({"content": None, "refusal": "I cannot."})).text == "I cannot."


def test_choices_but_the_first_are_not_mixed_into_the_answer():
    choices = [{"index": 1, "delta": {"content": "B"}}, {"index": 0, "delta": {"content": "A"}}]
    assert decode({"choices": choices}).text == "A"
    assert decode({"choices": choices[:1]}) == ChatDelta()
    assert not has_answer({"choices": choices[:1]})
    assert decode({"choices": [{"delta": {"content": "A"}}]}).text == "A"


def test_tool_calls_keep_their_index_or_take_their_place():
    calls = [
        {"index": 3, "id": "a", "function": {"name": "f", "arguments": '{"x"'}},
        {"id": "b", "function": {"name": "g", "arguments": None}},
        {"function": None},
        "nonsense",
    ]
    assert decode(chunk({"tool_calls": calls})).tool_calls == (
        ToolCallPart(3, "a", "f", '{"x"'),
        ToolCallPart(1, "b", "g"),
        ToolCallPart(2),
        ToolCallPart(3),
    )


def test_arguments_that_are_no_string_become_one():
    call = {"id": "a", "function": {"name": "f", "arguments": {"x": None, "ä": [1]}}}
    (part,) = decode(chunk({"tool_calls": [call]})).tool_calls
    assert part.arguments == '{"x": null, "ä": [1]}'


def test_names_that_a_hub_gives_are_made_safe_and_bounded():
    delta = decode({"id": "i" * 500, "model": "m\x1b[31m\n" + "m" * 500, "choices": []})
    assert delta.request_id is not None
    assert delta.model is not None
    assert len(delta.request_id) <= 80
    assert len(delta.model) <= 200
    assert delta.model.isprintable()


# -- usage -------------------------------------------------------------------------------------------


def test_usage_names_what_was_cached_and_what_was_reasoned():
    assert used(
        prompt_tokens=10,
        completion_tokens=8,
        total_tokens=18,
        prompt_tokens_details={"cached_tokens": 4},
        completion_tokens_details={"reasoning_tokens": 5},
    ) == Usage(10, 8, reasoning_tokens=5, cached_tokens=4)


def test_deepseek_counts_cached_tokens_under_a_name_of_its_own():
    usage = used(prompt_tokens=10, completion_tokens=1, prompt_cache_hit_tokens=6, prompt_cache_miss_tokens=4)
    assert usage == Usage(10, 1, cached_tokens=6)


def test_usage_may_stand_within_the_choice():
    payload = chunk({}, finish_reason="stop", usage={"prompt_tokens": 2, "completion_tokens": 3})
    assert decode(payload).usage == Usage(2, 3)


@given(COUNT, COUNT, COUNT)
def test_reasoning_is_part_of_the_output_whether_a_vendor_counts_it_in_or_beside(asked, said, thought):
    """OpenAI's completion_tokens hold the reasoning; xAI's do not, and only the total shows it."""
    details = {"reasoning_tokens": thought}
    inside = used(
        prompt_tokens=asked,
        completion_tokens=said + thought,
        total_tokens=asked + said + thought,
        completion_tokens_details=details,
    )
    beside = used(
        prompt_tokens=asked,
        completion_tokens=said,
        total_tokens=asked + said + thought,
        completion_tokens_details=details,
    )
    if asked or said:
        assert inside == beside
        assert beside is not None
        assert beside.output_tokens == said + thought


def test_thoughts_that_only_the_total_counts_are_output():
    assert used(prompt_tokens=5, completion_tokens=3, total_tokens=108) == Usage(5, 103)


def test_more_reasoning_than_output_was_counted_beside_it():
    usage = used(prompt_tokens=5, completion_tokens=3, completion_tokens_details={"reasoning_tokens": 9})
    assert usage == Usage(5, 12, reasoning_tokens=9)


@pytest.mark.parametrize("odd", [None, "7", -7, True, [7], float("nan"), float("inf"), 10**30])
def test_a_count_that_cannot_be_one_is_absent(odd):
    assert used(prompt_tokens=5, completion_tokens=odd) == Usage(5, 0)


def test_a_count_may_be_written_as_a_float():
    assert used(prompt_tokens=5.0, completion_tokens=3.0) == Usage(5, 3)


# -- torn characters ---------------------------------------------------------------------------------


@given(st.text())
def test_text_that_is_whole_stays_as_it_is(text):
    assert mend(text) == text


@given(st.text(st.characters(min_codepoint=0x10000), min_size=1))
def test_the_halves_of_a_character_are_joined_wherever_it_was_torn(text):
    halves = text.encode("utf-16-be")
    torn = "".join(chr(int.from_bytes(halves[at : at + 2], "big")) for at in range(0, len(halves), 2))
    assert mend(torn) == text


@given(st.lists(st.sampled_from(["a", "\ud83d", "\ude00", "🙂"])))
def test_whatever_is_mended_can_be_sent_and_grows_only_at_its_end(parts):
    """What was returned of an unfinished answer is the beginning of what is returned later."""
    whole = mend("".join(parts))
    whole.encode()
    for end in range(len(parts)):
        assert whole.startswith(mend("".join(parts[:end])))
