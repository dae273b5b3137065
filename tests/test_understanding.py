"""Words that name a criterion become one; the others stay words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_mcp.filters import Filters
from hub_mcp.understanding import overruled, understand


@pytest.mark.parametrize(
    ("question", "criteria", "words"),
    [
        (
            "cheap vision model with tool use, 200k context",
            {"modalities": ["image"], "features": ["tools"], "min_context": 200_000, "order": "cheapest"},
            "",
        ),
        (
            "which models read PDFs, call tools and cost less than a dollar?",
            {"modalities": ["pdf"], "features": ["tools"], "max_input_price": 1},
            "",
        ),
        ("gpt5 mini", {}, "gpt5 mini"),
        ("$0.5 per million output", {"max_output_price": 0.5}, ""),
        ("max $1 in and $3 out", {"max_input_price": 1, "max_output_price": 3}, ""),
        ("under 50 cents", {"max_input_price": 0.5}, ""),
        ("a million token context", {"min_context": 1_000_000}, ""),
        ("context of 1,000,000 tokens", {"min_context": 1_000_000}, ""),
        ("output of at least 64k", {"min_output": 64_000}, ""),
        ("long output", {"min_output": 32_000}, ""),
        ("free embedding model", {"type": "embedding", "free": True}, ""),
        ("speech to text", {"type": "stt"}, ""),
        ("text-to-speech", {"type": "tts"}, ""),
        ("reranker", {"type": "rerank"}, ""),
        ("image generation", {"type": "image_generation"}, ""),
        ("json and web search", {"features": ["structured_outputs", "web"]}, ""),
        ("latest claude", {"order": "newest"}, "claude"),
        ("largest context", {"order": "largest_context"}, ""),
        (
            "便宜的视觉模型，支持工具调用，20万上下文",
            {"modalities": ["image"], "features": ["tools"], "min_context": 200_000, "order": "cheapest"},
            "",
        ),
        ("免費的視覺模型", {"modalities": ["image"], "free": True}, ""),
        ("低于1美元的推理模型", {"features": ["thinking"], "max_input_price": 1}, ""),
        ("免费的通义千问", {"free": True}, "qwen"),
        ("ＧＰＴ－４ｏ　ｖｉｓｉｏｎ", {"modalities": ["image"]}, "gpt-4o"),
    ],
)
def test_criteria_are_read_and_the_rest_stays(question, criteria, words):
    meaning = understand(question)
    assert meaning.interpreted() == criteria
    assert meaning.words == words


@pytest.mark.parametrize(
    "question", ["gpt-4-vision-preview", "grok-4-fast-reasoning", "text-embedding-3-small", "gpt-4-32k"]
)
def test_a_word_inside_an_id_is_no_criterion(question):
    assert understand(question).interpreted() == {}


@pytest.mark.parametrize(
    "question", ["grok non reasoning", "models that do not support vision", "without tools", "不支持工具"]
)
def test_what_is_denied_is_no_criterion(question):
    assert understand(question).interpreted() == {}


def test_a_bare_size_is_part_of_a_name_where_the_caller_knows_so():
    assert understand("moonshot v1 128k").interpreted() == {"min_context": 128_000}
    assert understand("moonshot v1 128k", sizes_are_names=True).words == "moonshot v1 128k"


def test_explicit_arguments_win_over_words():
    meaning = understand("vision model under $1 with 200k context")
    left = overruled(meaning, Filters(max_input_price=5, modalities=("audio",)))
    assert left.interpreted() == {"min_context": 200_000}


def test_words_that_became_criteria_may_still_be_part_of_a_name():
    meaning = understand("gemini vision free")
    assert meaning.hints == ("vision", "free")
    assert meaning.said == ("vision",)


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_reading(question):
    meaning = understand(question)
    assert set(meaning.interpreted()) <= {
        *("type", "modalities", "features", "min_context", "min_output", "order"),
        *("max_input_price", "max_output_price", "free"),
    }
