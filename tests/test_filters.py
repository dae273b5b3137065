"""What a model must be to pass, and which words may say so."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hub_mcp.sandbox
from hub_mcp import wire
from hub_mcp.errors import BadRequest
from hub_mcp.filters import ANYTHING, Filters, Vocabulary, nearest_words
from hub_mcp.models import Model, Pricing
from hub_mcp.table import Table
from hub_mcp.vocabulary import FEATURE_ALIASES, FEATURES, MODALITIES, MODALITY_ALIASES, TYPE_ALIASES, TYPES

BODY = (Path(hub_mcp.sandbox.__file__).parent / "catalog.json").read_bytes()
MODELS = wire.decode_catalog(BODY, "aihubmix").models
WORDS = Vocabulary.of(MODELS)
TABLE = Table(MODELS)

FILTERS = st.builds(
    Filters,
    types=st.lists(st.sampled_from(sorted(WORDS.types)), max_size=2).map(tuple),
    modalities=st.lists(st.sampled_from(sorted(WORDS.modalities)), max_size=2).map(tuple),
    features=st.lists(st.sampled_from(sorted(WORDS.features)), max_size=2).map(tuple),
    min_context=st.none() | st.sampled_from([0, 1, 8192, 128_000, 1_000_000]),
    min_output=st.none() | st.sampled_from([0, 1, 4096, 64_000]),
    max_input_price=st.none() | st.sampled_from([0.0, 0.15, 2.0, 100.0]),
    max_output_price=st.none() | st.sampled_from([0.0, 0.6, 10.0, 1000.0]),
    free=st.booleans(),
    developer=st.sampled_from(["", "openai", "qwen", "google"]),
)


def allowed(asked: Filters) -> list[Model]:
    return [MODELS[number] for number in TABLE.passing(asked)]


def allows(asked: Filters, model: Model) -> bool:
    return Table([model]).passing(asked) == [0]


def passes(model: Model, asked: Filters) -> bool:
    """The contract's table, written down once more and as plainly as can be."""
    wanted = {("type", w) for w in asked.types} | {("feature", w) for w in asked.features}
    wanted |= {("modality", w) for w in asked.modalities}
    has = {("type", w) for w in model.types} | {("feature", w) for w in model.features}
    has |= {("modality", w) for w in model.modalities}
    if wanted - has:
        return False
    if asked.min_context is not None and (model.context_length or -1) < asked.min_context:
        return False
    if asked.min_output is not None and (model.max_output or -1) < asked.min_output:
        return False
    infinite = float("inf")
    price_in = infinite if model.pricing.input is None else model.pricing.input
    price_out = infinite if model.pricing.output is None else model.pricing.output
    if asked.max_input_price is not None and price_in > asked.max_input_price:
        return False
    if asked.max_output_price is not None and price_out > asked.max_output_price:
        return False
    if asked.free and (price_in, price_out) != (0, 0):
        return False
    return asked.developer in ("", model.developer)


@settings(max_examples=200, deadline=None)
@given(FILTERS)
def test_the_filters_allow_what_the_contract_says(asked: Filters):
    assert [m.id for m in allowed(asked)] == [m.id for m in MODELS if passes(m, asked)]


def test_no_filter_allows_everything():
    assert allowed(ANYTHING) == list(MODELS)
    assert Table([]).passing(ANYTHING) == []


def test_each_filter_takes_some_real_models_and_leaves_some():
    for asked in (
        Filters(types=("llm",)),
        Filters(modalities=("image", "text")),
        Filters(features=("tools", "thinking")),
        Filters(min_context=200_000),
        Filters(min_output=64_000),
        Filters(max_input_price=0.2),
        Filters(max_output_price=1.0),
        Filters(free=True),
        Filters(developer="anthropic"),
    ):
        assert 0 < len(allowed(asked)) < len(MODELS), asked


def test_an_unknown_limit_passes_no_bound_on_it():
    unknown = Model("m")
    assert not allows(Filters(min_context=0), unknown)
    assert not allows(Filters(min_output=1), unknown)
    assert allows(Filters(min_context=8192, min_output=100), Model("m", context_length=8192, max_output=100))


def test_a_model_without_token_prices_is_neither_cheap_nor_free():
    for model in (Model("m"), Model("m", pricing=Pricing(input=0)), Model("m", pricing=Pricing(output=0))):
        assert not allows(Filters(free=True), model)
        assert not allows(Filters(max_input_price=1e9, max_output_price=1e9), model)
    assert allows(
        Filters(free=True, max_input_price=0, max_output_price=0), Model("m", pricing=Pricing(0, 0))
    )


def test_a_name_that_ends_in_free_is_no_proof():
    costly = [m.id for m in MODELS if m.id.endswith(":free") and not allows(Filters(free=True), m)]
    assert len(costly) == 7


# --- words


def test_every_documented_word_and_alias_is_known_even_to_an_empty_catalog():
    empty = Vocabulary.of([])
    asked = Filters(types=(*TYPES, *TYPE_ALIASES), features=(*FEATURES, *FEATURE_ALIASES))
    checked = empty.check(asked)
    assert set(checked.types) == set(TYPES)
    assert set(checked.features) == set(FEATURES)
    checked = empty.check(Filters(modalities=(*MODALITIES, *MODALITY_ALIASES)))
    assert set(checked.modalities) == set(MODALITIES)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (Filters(types=("t2t",)), Filters(types=("llm",))),
        (Filters(types=("T2I", "t2v")), Filters(types=("image_generation", "video"))),
        (Filters(types=("reranking",)), Filters(types=("rerank",))),
        (Filters(types=("Image Generation",)), Filters(types=("image_generation",))),
        (Filters(types=("ＬＬＭ",)), Filters(types=("llm",))),
        (Filters(features=("function_calling", "TOOLS")), Filters(features=("tools", "tools"))),
        (Filters(features=("Long-Context",)), Filters(features=("long_context",))),
        (Filters(features=("function calling",)), Filters(features=("tools",))),
        (Filters(modalities=(" Image ",)), Filters(modalities=("image",))),
        (Filters(developer="OpenAI"), Filters(developer="openai")),
        (Filters(developer=""), Filters()),
        (Filters(min_context=5, free=True), Filters(min_context=5, free=True)),
    ],
)
def test_words_are_taken_by_their_usual_names(asked: Filters, meant: Filters):
    assert WORDS.check(asked) == meant


def test_words_of_the_catalog_are_known_though_no_document_has_them():
    odd = Model(
        "m", types=("holo",), features=("dreams", "two words"), modalities=("smell",), developer="acme"
    )
    asked = Filters(
        types=("HOLO",), features=("dreams", "Two Words"), modalities=("smell",), developer="Acme"
    )
    assert allows(Vocabulary.of([odd]).check(asked), odd)
    with pytest.raises(BadRequest):
        WORDS.check(Filters(types=("holo",)))


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=20).filter(str.strip), st.text(max_size=20))
def test_what_a_row_says_of_itself_finds_it_again(word: str, owner: str):
    """A word that an answer shows must be one that a filter takes."""
    rows = [{"id": "x", "type": word, "features": [word], "input_modalities": word, "owned_by": owner}]
    model = wire.decode_catalog(wire.json.dumps({"data": rows}).encode(), "openai").models[0]
    asked = Filters(model.types, model.modalities, model.features, developer=model.developer)
    assert allows(Vocabulary.of([model]).check(asked), model)


@pytest.mark.parametrize(
    ("asked", "what", "nearest"),
    [
        (Filters(types=("lmm",)), "type 'lmm'", "llm"),
        (Filters(types=("llm", "vidoe")), "type 'vidoe'", "video"),
        (Filters(features=("functoin_calling",)), "feature 'functoin_calling'", "function_calling"),
        (Filters(modalities=("imgae",)), "modality 'imgae'", "image"),
        (Filters(developer="antropic"), "developer 'antropic'", "anthropic"),
    ],
)
def test_an_unknown_word_is_refused_by_name_with_the_nearest(asked: Filters, what: str, nearest: str):
    with pytest.raises(BadRequest, match=f"No model has the {what}") as refused:
        WORDS.check(asked)
    assert refused.value.nearest[0] == nearest
    assert nearest in refused.value.hint


def test_a_word_like_no_other_is_refused_with_all_that_are_known():
    with pytest.raises(BadRequest) as refused:
        WORDS.check(Filters(modalities=("zzzzzz",)))
    assert refused.value.hint == "Known: audio, image, pdf, text, video."


def test_a_refusal_stays_short_whatever_was_asked_and_however_much_is_known():
    many = Vocabulary.of([Model(f"{number}", developer=f"developer-{number}") for number in range(2000)])
    with pytest.raises(BadRequest) as refused:
        many.check(Filters(developer="\x1b[31m" + "z" * 100_000))
    assert len(str(refused.value)) < 800
    assert "\x1b" not in str(refused.value)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_word_is_known_or_refused(word: str):
    try:
        checked = WORDS.check(Filters(types=(word,)))
    except BadRequest:
        return
    assert checked.types[0] in WORDS.types


def test_nearest_words_are_best_first_and_few():
    assert nearest_words("vidio", WORDS.types)[0] == "video"
    assert nearest_words("zzzzzz", WORDS.types) == ()
    assert len(nearest_words("a", ["a", "ab", "ac", "ad", "ae"])) == 3
