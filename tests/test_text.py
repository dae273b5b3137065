"""Text of others is made safe before it is shown, and words are made comparable."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_mcp import text

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=300)
NASTY = st.lists(
    st.sampled_from(
        [
            "a",
            " ",
            "\n",
            "\x1b",
            "\x1b[31m",
            "\x9b0m",
            "\x1b]8;;http://x\x07",
            "\u200b",
            "\u202e",
            "\ufeff",
            "é",
        ]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(st.one_of(ANY_TEXT, NASTY), st.integers(1, 80))
def test_cleaned_text_is_one_bounded_line_of_visible_characters(raw: str, limit: int):
    cleaned = text.clean(raw, limit)
    assert len(cleaned) <= limit
    assert not [c for c in cleaned if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}]
    assert cleaned == " ".join(cleaned.split())
    cleaned.encode()


@settings(max_examples=200, deadline=None)
@given(st.one_of(ANY_TEXT, NASTY), st.integers(1, 80))
def test_cleaning_twice_is_cleaning_once(raw: str, limit: int):
    once = text.clean(raw, limit)
    assert text.clean(once, limit) == once


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\shown", "shown"),
        ("pay\u200bload", "payload"),
        ("abc\u202edcba", "abcdcba"),
        ("\u2066isolated\u2069", "isolated"),
        ("\ufeffmarked", "marked"),
        ("soft\u00adhyphen", "softhyphen"),
        ("hangul\u3164filler", "hangulfiller"),
        ("mongolian\u180bselector", "mongolianselector"),
        ("tag\U000e0041s\U000e0fff", "tags"),
        ("ring\x07 nul\x00", "ring nul"),
        ("two\r\n lines\tand\u2028more", "two lines and more"),
        ("a\ud800b", "ab"),
    ],
)
def test_what_cannot_be_seen_is_taken_out(raw: str, cleaned: str):
    assert text.clean(raw, 100) == cleaned


@pytest.mark.parametrize("kept", ["模型 支持图像", "Ünïcödé – “quotes” €", "🚀 emoji", "עברית", "x[31m"])
def test_what_can_be_seen_stays(kept: str):
    assert text.clean(kept, 100) == kept


def test_text_that_is_cut_says_so():
    assert text.clean("one two three", 8) == "one two…"
    assert text.clean("12345678", 8) == "12345678"


def test_padding_before_the_text_costs_no_time_and_hides_nothing_behind_it():
    assert text.clean("\u200b" * 10_000_000 + "late", 10) == ""
    assert text.clean("\u200b" * 20 + "soon", 10) == "soon"


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT)
def test_clean_text_is_what_cleaning_would_only_respace(raw: str):
    if text.is_clean(raw):
        assert text.clean(raw, 1000) == " ".join(raw.split())


@pytest.mark.parametrize(
    "hidden", ["a\nb", "a\u200bb", "a\x1bb", "a\ud800b", "a\u202eb", "a\u00a0b", "a\ufe0fb"]
)
def test_a_hidden_character_makes_text_unclean(hidden: str):
    assert not text.is_clean(hidden)


@pytest.mark.parametrize(
    "plain", ["llama3-70b-8192(33)", "Qwen/Qwen3-32B", "google/gemma-2-9b-it:free", "通义"]
)
def test_ids_of_real_hubs_are_clean(plain: str):
    assert text.is_clean(plain)


@pytest.mark.parametrize(
    ("said", "whole"), [("No", "No."), ("No.", "No."), ("Why?", "Why?"), ("额度不足。", "额度不足。")]
)
def test_a_sentence_ends_once(said: str, whole: str):
    assert text.sentence(said) == whole


def test_width_and_case_are_folded():
    assert text.fold("ＧＰＴ－４ｏ") == "gpt-4o"
    assert text.squeeze("Qwen/Qwen3-32B") == "qwenqwen332b"


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("gpt5-Mini", ["gpt", "5", "mini"]),
        ("GPT－4o", ["gpt", "4", "o"]),
        ("snake_case", ["snake", "case"]),
        ("视觉 model", ["视", "觉", "model"]),
        ("支持vision", ["支", "持", "vision"]),
        ("модель", ["модель"]),
        ("…!?", []),
    ],
)
def test_words_are_runs_of_letters_or_digits_and_single_characters_where_no_spaces_are_written(
    raw: str, found: list[str]
):
    assert text.words(raw) == found


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT)
def test_words_hold_letters_and_digits_only(raw: str):
    assert all(word and word.isalnum() for word in text.words(raw))
