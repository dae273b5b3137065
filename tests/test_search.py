"""Models are found by words, with slips, and by ids that are nearly right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_filters import FILTERS, passes

import hub_mcp.sandbox
from hub_mcp import wire
from hub_mcp.filters import ANYTHING, Filters
from hub_mcp.index import Index
from hub_mcp.models import Model
from hub_mcp.search import Match, find

BODY = (Path(hub_mcp.sandbox.__file__).parent / "catalog.json").read_bytes()
MODELS = wire.decode_catalog(BODY, "aihubmix").models
INDEX = Index(MODELS)
EVERY = 100_000
IDS = [model.id for model in MODELS]
TWINS = ("DeepSeek-V3", "DeepSeek-v3", "deepseek-v3")

QUERY_WORDS = st.sampled_from(
    [
        "gpt",
        "gpt5",
        "mini",
        "cluade",
        "sonnet",
        "qwen",
        "32b",
        "free",
        "vision",
        "the",
        "视觉",
        "4o",
        "…",
        "zzzz",
    ]
)
QUERIES = st.one_of(st.text(max_size=60), st.lists(QUERY_WORDS, max_size=5).map(" ".join))


def ask(index: Index, query: str, filters: Filters = ANYTHING, limit: int = 10_000) -> Sequence[Match]:
    return find(index, query, filters, limit).matches


def ids(query: str, filters: Filters = ANYTHING) -> list[str]:
    return [match.model.id for match in ask(INDEX, query, filters)]


def index_of(*model_ids: str) -> Index:
    return Index([Model(model_id) for model_id in model_ids])


# --- best first


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("gpt5 mini", "gpt-5-mini"),
        ("GPT5 MINI!!", "gpt-5-mini"),
        ("gpt5mini", "gpt-5-mini"),
        ("gtp-5 mini", "gpt-5-mini"),
        ("GPT－4o", "gpt-4o"),
        ("gpt4o", "gpt-4o"),
        ("gtp4o", "gpt-4o"),
        ("o3", "o3"),
        ("4o mini", "gpt-4o-mini"),
        ("the gpt-5 model", "gpt-5"),
        ("claude sonnet 4.5", "claude-sonnet-4-5"),
        ("claud opus 4.1", "claude-opus-4-1"),
        ("gml 4.6", "glm-4.6"),
        ("gemini 2.5 por", "gemini-2.5-pro"),
        ("text embedding 3 large", "text-embedding-3-large"),
        ("llama-4-scout", "llama-4-scout"),
        ("qwen3 coder plus", "qwen3-coder-plus"),
    ],
)
def test_the_model_that_was_meant_comes_first(query: str, best: str):
    assert ids(query)[0] == best


@pytest.mark.parametrize(
    ("query", "family"),
    [
        ("cluade sonnet", ("claude", "sonnet")),
        ("claude sonet", ("claude", "sonnet")),
        ("sonet", ("claude", "sonnet")),
        ("ｃｌａｕｄｅ　ｓｏｎｎｅｔ", ("claude", "sonnet")),
        ("mistrl", ("mistral",)),
        ("depseek r1", ("deepseek", "r1")),
        ("gemeni flash", ("gemini", "flash")),
        ("geminiflash", ("gemini", "flash")),
        ("kmi k2", ("kimi", "k2")),
        ("qwn coder", ("qwen", "coder")),
        ("gork", ("grok",)),
    ],
)
def test_a_slip_or_a_missing_separator_finds_the_family_and_nothing_else(query: str, family: tuple[str, ...]):
    found = [match.model for match in ask(INDEX, query)]
    assert found
    assert all(all(word in f"{m.id} {m.developer}".lower() for word in family) for m in found)


def test_a_model_is_first_for_its_own_id():
    missed = [model_id for model_id in IDS if ids(model_id)[0].lower() != model_id.lower()]
    # Twins by separators are all found; which of them is first is the catalog's order.
    assert all(model_id in ids(model_id)[:3] for model_id in missed)
    assert len(missed) < 10


def test_a_whole_word_counts_more_than_the_start_of_another():
    assert "minimax" not in ids("mini")[0].lower()
    assert index_first("pro", "provider-x", "a-pro") == "a-pro"


def index_first(query: str, *model_ids: str) -> str:
    return ask(index_of(*model_ids), query)[0].model.id


def test_the_start_of_a_word_finds_it():
    assert set(ids("anthro")) == {model.id for model in MODELS if model.developer == "anthropic"} | {
        model.id for model in MODELS if "anthropic" in model.id
    }


def test_a_word_is_found_in_the_id_before_the_name_before_the_description():
    index = Index(
        [
            Model("x", description="quick and violet"),
            Model("y", name="Violet"),
            Model("violet-1"),
            Model("z", developer="violet"),
        ]
    )
    matches = ask(index, "violet")
    assert [(m.model.id, m.why) for m in matches] == [
        ("violet-1", "id"),
        ("y", "name"),
        ("z", "developer"),
        ("x", "description"),
    ]


def test_why_names_the_word_that_a_slip_was_taken_for():
    match = ask(INDEX, "cluade sonnet")[0]
    assert "~claude" in match.why
    assert "id" in match.why


def test_words_in_other_scripts_are_found_inside_a_name():
    names = {"a": "星辰书法", "b": "星辰围棋", "c": "Модель ЯндексГПТ"}
    index = Index([Model(model_id, name=name) for model_id, name in names.items()])
    assert [m.model.id for m in ask(index, "书法")] == ["a"]
    assert [m.model.id for m in ask(index, "辰围")] == ["b"]
    assert [m.model.id for m in ask(index, "яндексгпт")] == ["c"]


def test_equals_keep_the_catalog_s_order():
    index = index_of("b-model-x", "a-model-x", "c-model-x")
    assert [m.model.id for m in ask(index, "x")] == ["b-model-x", "a-model-x", "c-model-x"]


def test_a_word_that_nothing_holds_does_not_hide_what_the_others_find():
    assert ids("unbelievable gpt-5-mini deal")[0] == "gpt-5-mini"


def test_numbers_are_not_guessed():
    assert ask(index_of("gpt-4", "gpt-5"), "9") == []
    assert [m.model.id for m in ask(index_of("a-2024", "a-2025"), "2026")] == []


# --- filters


@settings(max_examples=200, deadline=None)
@given(QUERIES, FILTERS)
def test_whatever_is_asked_the_filters_hold_and_nothing_comes_twice(query: str, filters: Filters):
    matches = ask(INDEX, query, filters)
    assert all(passes(match.model, filters) for match in matches)
    assert len({match.model.id for match in matches}) == len(matches)
    assert all(match.why and "\n" not in match.why for match in matches)


def test_a_better_match_that_a_filter_keeps_out_does_not_hide_the_others():
    """`gpt mini` stands whole in OpenAI's ids only; among Microsoft's `mini` is the best there is."""
    found = ids("gpt mini", Filters(developer="microsoft"))
    assert found
    assert all("mini" in model_id.lower() for model_id in found)


@pytest.mark.parametrize("query", ["", "   ", "!!!", "…", "\u200b", "🚀", "_"])
def test_without_words_everything_that_passes_is_found(query: str):
    asked = Filters(developer="xai")
    assert set(ids(query)) == set(IDS)
    assert set(ids(query, asked)) == {model.id for model in MODELS if model.developer == "xai"}


@settings(max_examples=200, deadline=None)
@given(QUERIES)
def test_no_question_breaks_an_empty_catalog_or_one_of_odd_ids(query: str):
    empty = Index([])
    assert ask(empty, query) == []
    assert empty.resolve(query) is None
    assert empty.nearest(query) == ()
    odd = index_of("★", "通义", "ﬀ", "x" * 200, "-")
    ask(odd, query)
    odd.nearest(query)
    odd.resolve(query)


def test_a_very_long_question_is_answered_all_the_same():
    words = " ".join(f"w{letter}{other}rd" for letter in "abcdefghij" for other in "abcdefghij" * 4)
    ask(INDEX, words[:2000])
    assert ids("gpt-5-mini " + words[:1900])[0].startswith("gpt-5-mini")


# --- one model by its id


def test_an_exact_id_is_itself_even_among_twins():
    for model_id in IDS:
        model = INDEX.resolve(model_id)
        assert model is not None
        assert model.id == model_id


def test_an_id_that_differs_by_case_only_is_resolved_when_it_is_the_only_one():
    index = index_of("GPT-4o", "gpt-4o-mini", "gpt4o")
    model = index.resolve("gpt-4O")
    assert model is not None
    assert model.id == "GPT-4o"


def test_an_id_that_differs_by_separators_is_resolved_when_it_is_the_only_one():
    assert getattr(INDEX.resolve("gpt 5 mini"), "id", None) == "gpt-5-mini"
    assert getattr(INDEX.resolve("GPT_5_MINI"), "id", None) == "gpt-5-mini"
    assert getattr(INDEX.resolve("ＧＰＴ－５－ｍｉｎｉ"), "id", None) == "gpt-5-mini"
    assert index_of("gpt-4.1", "gpt-41").resolve("gpt 41") is None


@pytest.mark.parametrize("asked", ["DEEPSEEK-V3", "Deepseek-V3", "deepseek v3", "DeepSeekV3"])
def test_twins_by_case_are_ambiguous_unless_given_exactly(asked: str):
    assert INDEX.resolve(asked) is None
    assert set(INDEX.nearest(asked)[:3]) == set(TWINS)


def test_case_is_looked_at_before_separators():
    index = index_of("Deep-Seek", "deepseek", "dee-pseek")
    assert getattr(index.resolve("DEEPSEEK"), "id", None) == "deepseek"
    assert getattr(index.resolve("deep-seek"), "id", None) == "Deep-Seek"
    assert index.resolve("deeps-eek") is None


@pytest.mark.parametrize("asked", ["", " ", "-", "???", "★★"])
def test_no_letters_and_digits_resolve_to_nothing(asked: str):
    """Else any symbol would be taken for the only id that is made of symbols."""
    assert index_of("★", "gpt-4o").resolve(asked) is None


def test_a_slip_is_never_resolved():
    assert INDEX.resolve("gpt-5-mimi") is None
    assert INDEX.resolve("gpt-5-min") is None


# --- nearest


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("gpt-5-mimi", "gpt-5-mini"),
        ("gpt5-mini", "gpt-5-mini"),
        ("claude-sonet-4-5", "claude-sonnet-4-5"),
        ("Qwen/Qwen3-32", "Qwen/Qwen3-32B"),
        ("gemini-2.5-por", "gemini-2.5-pro"),
    ],
)
def test_the_nearest_id_of_a_slip_is_the_one_that_was_meant(slip: str, meant: str):
    near = INDEX.nearest(slip)
    assert near[0] == meant
    assert len(near) <= 5


@pytest.mark.parametrize("nothing", ["", "???", "zzzzzzzzzzzzzzzzzzzzzz"])
def test_nothing_is_near_to_nothing(nothing: str):
    assert INDEX.nearest(nothing) == ()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.integers(1, 10))
def test_nearest_ids_are_distinct_ids_of_the_catalog(asked: str, limit: int):
    near = INDEX.nearest(asked, limit)
    assert len(set(near)) == len(near) <= limit
    assert set(near) <= set(IDS)


def test_an_id_of_symbols_alone_is_near_to_no_question():
    assert index_of("★", "gpt-4o").nearest("???") == ()


def test_words_in_another_order_are_the_same_words_also_where_one_stands_twice():
    index = index_of("else/qwen6-coder-flash", "qwen6.6-flash-coder")
    assert find(index, "coder flash qwen6.6", ANYTHING, EVERY).matches[0].model.id == "qwen6.6-flash-coder"
