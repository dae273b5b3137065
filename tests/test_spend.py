"""What a chat costs, what it may cost, and the budget of all chats."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub_mcp.errors import OverBudget
from hub_mcp.models import Model, Pricing, Usage
from hub_mcp.spend import (
    Budget,
    Reservation,
    check_ceiling,
    cost,
    dollars,
    guess_usage,
    most_input_tokens,
    most_usage,
    worst_case,
)

PRICE = st.floats(0, 1000, allow_nan=False)
TOKENS = st.integers(0, 10**7)
PRICINGS = st.builds(Pricing, PRICE, PRICE, st.none() | PRICE, st.none() | PRICE)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.just("user"), "content": st.text(max_size=50)}), min_size=1, max_size=4
)
MODEL = Model("m", context_length=200_000, max_output=1000, pricing=Pricing(1.0, 2.0))
HELLO = ({"role": "user", "content": "Hello"},)


def part(kind: str) -> tuple[dict[str, Any], ...]:
    data = "data:image/png;base64," + "A" * 10_000
    return (
        {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": kind, kind: {"url": data}}]},
    )


# -- cost --------------------------------------------------------------------------------------------


def test_the_cost_is_tokens_times_prices_per_million():
    pricing = Pricing(input=3.0, output=15.0, cache_read=0.3)
    usage = Usage(
        input_tokens=1_000_000, output_tokens=200_000, reasoning_tokens=150_000, cached_tokens=400_000
    )
    assert cost(usage, pricing) == pytest.approx(0.6 * 3.0 + 0.4 * 0.3 + 0.2 * 15.0)


@pytest.mark.parametrize("pricing", [Pricing(), Pricing(input=1.0), Pricing(output=1.0)])
def test_where_a_price_is_unknown_so_is_the_cost(pricing):
    assert cost(Usage(1, 1), pricing) is None


@given(PRICINGS, TOKENS, TOKENS, TOKENS)
def test_reasoning_is_not_paid_twice(pricing, asked, said, thought):
    assert cost(Usage(asked, said, reasoning_tokens=thought), pricing) == cost(Usage(asked, said), pricing)


@given(PRICINGS, TOKENS, TOKENS, TOKENS)
def test_cached_tokens_cost_their_own_price_and_are_never_more_than_the_input(pricing, asked, said, cached):
    assume(pricing.cache_read is None or pricing.cache_read <= pricing.input)
    with_cache = cost(Usage(asked, said, cached_tokens=cached), pricing)
    without = cost(Usage(asked, said), pricing)
    assert with_cache is not None
    assert without is not None
    assert 0 <= with_cache <= without * (1 + 1e-12)
    if pricing.cache_read is None:
        assert with_cache == pytest.approx(without)


@given(PRICINGS, TOKENS, TOKENS, TOKENS)
def test_more_tokens_never_cost_less(pricing, asked, said, more):
    assert cost(Usage(asked + more, said), pricing) >= cost(Usage(asked, said), pricing)
    assert cost(Usage(asked, said + more), pricing) >= cost(Usage(asked, said), pricing)


# -- the worst case ----------------------------------------------------------------------------------


@given(PRICINGS, MESSAGES, st.integers(1, 5000), st.integers(0, 5000), st.integers(0, 200))
def test_no_answer_within_its_limit_costs_more_than_the_worst_case(pricing, messages, limit, said, cached):
    """A token is at least one byte long, whatever the tokenizer."""
    asked = sum(len(message["content"].encode(errors="replace")) for message in messages)
    usage = Usage(asked, min(said, limit), cached_tokens=min(cached, asked))
    assume(pricing.cache_read is None or pricing.cache_read <= pricing.input)
    actual = cost(usage, pricing)
    assert actual is not None
    assert actual <= worst_case(Model("m", pricing=pricing), messages, {}, limit) * (1 + 1e-12)


def test_tools_are_part_of_what_is_asked():
    tools = {"tools": [{"type": "function", "function": {"name": "f", "description": "x" * 10_000}}]}
    assert most_input_tokens(HELLO, tools) > most_input_tokens(HELLO, {}) + 10_000


def test_a_picture_counts_for_the_most_that_is_known_and_not_by_its_bytes():
    assert 50_000 < most_input_tokens(part("image_url"), {}) < 51_000


@pytest.mark.parametrize("kind", ["input_audio", "video_url", "file"])
def test_a_film_a_sound_or_a_file_may_fill_the_whole_context(kind):
    assert most_input_tokens(part(kind), {}, context_length=1_000_000) == 1_000_000
    assert most_input_tokens((*part(kind), *part("image_url")), {}, context_length=8192) > 50_000
    with pytest.raises(OverBudget, match="attached files"):
        most_input_tokens(part(kind), {})


def test_a_cache_may_also_be_written_at_its_own_price():
    dear = Model("m", pricing=Pricing(1.0, 0.0, cache_write=1.25))
    assert worst_case(dear, HELLO, {}, 1) == pytest.approx(
        1.25 * worst_case(MODEL_WITHOUT_OUTPUT, HELLO, {}, 1)
    )


MODEL_WITHOUT_OUTPUT = Model("m", pricing=Pricing(1.0, 0.0))


@pytest.mark.parametrize("limit", [None, 0, -1, -(10**9)])
def test_without_a_limit_that_limits_the_models_own_counts(limit):
    """To some hubs -1 means as much as the model can: it must not lower the worst case."""
    assert worst_case(MODEL, HELLO, {}, limit) == worst_case(MODEL, HELLO, {}, 1000)


def test_a_limit_of_the_request_counts_instead_of_the_models():
    assert (
        worst_case(MODEL, HELLO, {}, 10)
        < worst_case(MODEL, HELLO, {}, 1000)
        < worst_case(MODEL, HELLO, {}, 5000)
    )


@pytest.mark.parametrize(
    "model", [None, Model("m"), Model("m", pricing=Pricing(1.0)), Model("m", max_output=5)]
)
def test_an_unknown_price_has_no_worst_case(model):
    with pytest.raises(OverBudget, match="price of this model is unknown"):
        worst_case(model, HELLO, {}, 10)


def test_a_limit_that_nobody_knows_asks_for_max_tokens():
    with pytest.raises(OverBudget, match=r"Nobody knows how long m may answer.*max_tokens"):
        worst_case(MODEL_WITHOUT_LIMIT, HELLO, {}, None)
    assert worst_case(MODEL_WITHOUT_LIMIT, HELLO, {}, 10) > 0


MODEL_WITHOUT_LIMIT = Model("m", pricing=Pricing(1.0, 2.0))


def test_a_free_model_costs_nothing_however_long_it_answers_and_whatever_it_is_shown():
    free = Model("m", pricing=Pricing(0.0, 0.0))
    assert worst_case(free, part("video_url"), {}, None) == 0.0


@given(MESSAGES, st.text(max_size=200))
def test_a_guess_is_never_more_than_the_most(messages, answer):
    guess, most = guess_usage(messages, answer), most_usage(messages, {}, answer)
    assert guess.input_tokens <= most.input_tokens
    assert guess.output_tokens <= most.output_tokens
    assert guess.input_tokens > 0


@pytest.mark.parametrize("content", [None, [], ["text"], [None], [{"type": ["odd"]}], {"type": "image_url"}])
def test_odd_content_is_counted_by_its_bytes(content):
    messages = ({"role": "user", "content": content},)
    assert 0 < most_input_tokens(messages, {}) < 200


# -- ceilings ----------------------------------------------------------------------------------------


def test_a_worst_case_above_a_ceiling_is_refused_and_one_at_it_is_not():
    check_ceiling(5.0, None, "max_cost")
    check_ceiling(5.0, 5.0, "max_cost")
    with pytest.raises(OverBudget, match=r"up to \$5, more than max_cost allows \(\$4\.5\)"):
        check_ceiling(5.0, 4.5, "max_cost")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0, "$0"),
        (0.0042, "$0.0042"),
        (1, "$1"),
        (12.5, "$12.5"),
        (7.5e-7, "$0.00000075"),
        (1 / 3, "$0.333333"),
    ],
)
def test_money_is_shown_without_idle_zeros(amount, shown):
    assert dollars(amount) == shown


# -- the budget --------------------------------------------------------------------------------------


def test_without_a_budget_everything_may_be_reserved():
    budget = Budget(None)
    assert not budget.limited
    budget.settle(budget.reserve(1e12), 1e12)
    budget.reserve(1e12)


def test_what_is_reserved_is_not_left_for_others_and_what_was_not_spent_is_given_back():
    budget = Budget(1.0)
    first = budget.reserve(0.75)
    with pytest.raises(OverBudget, match=r"up to \$0\.5, and \$0\.25 of the budget is left.*HUB_MCP_BUDGET"):
        budget.reserve(0.5)
    budget.settle(first, 0.25)
    assert budget.left == 0.75
    budget.reserve(0.75)
    assert budget.left == 0


def test_a_budget_of_nothing_is_enough_for_what_costs_nothing():
    budget = Budget(0.0)
    assert budget.limited
    budget.settle(budget.reserve(0.0), 0.0)
    with pytest.raises(OverBudget):
        budget.reserve(1e-9)


def test_ten_at_once_cannot_overspend():
    budget, let_through = Budget(1.0), []
    for _ in range(10):
        try:
            let_through.append(budget.reserve(0.3))
        except OverBudget:
            continue
    assert len(let_through) == 3


@given(
    st.floats(0, 100),
    st.lists(st.tuples(st.floats(0, 60), st.floats(0, 1), st.integers(0, 5)), max_size=40),
)
def test_whatever_is_reserved_and_settled_in_whatever_order_the_budget_is_never_overspent(ceiling, chats):
    """Each chat reserves its worst case and spends some part of it; some settle before others begin."""
    budget = Budget(ceiling)
    running: list[tuple[Reservation, float]] = []
    spent = 0.0
    for worst, share, settles in chats:
        try:
            running.append((budget.reserve(worst), worst * share))
        except OverBudget:
            assert worst > ceiling - spent - sum(each.amount for each, _ in running) - 1e-9
        for _ in range(min(settles, len(running))):
            reservation, amount = running.pop(settles % len(running))
            budget.settle(reservation, amount)
            spent += amount
        assert spent + sum(each.amount for each, _ in running) <= ceiling + 1e-9
        assert budget.left == pytest.approx(
            ceiling - spent - sum(each.amount for each, _ in running), abs=1e-9
        )
    for reservation, amount in running:
        budget.settle(reservation, amount)
        spent += amount
    assert budget.left == pytest.approx(ceiling - spent, abs=1e-9)
