"""How long an answer may be used: pure decisions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_mcp.freshness import LONGEST_PAUSE, Freshness, Policy, judge, pause_after

SECONDS = st.floats(0, 1e6)
_RANK = {Freshness.FRESH: 0, Freshness.STALE: 1, Freshness.EXPIRED: 2}


def test_without_headers_both_windows_are_300_seconds():
    assert Policy.from_headers(None) == Policy(300, 300)
    assert Policy.from_headers("") == Policy(300, 300)


def test_the_documented_header_is_read():
    assert Policy.from_headers("public, max-age=60, stale-while-revalidate=90") == Policy(60, 90)


@pytest.mark.parametrize(
    ("age", "lifetime"),
    [("20", 40), ("60", 0), ("500", 0), (None, 60), ("", 60), ("soon", 60), ("-5", 60), ("20, 30", 40)],
)
def test_the_age_header_is_taken_off_the_lifetime_but_not_below_zero(age: str | None, lifetime: float):
    assert Policy.from_headers("max-age=60, stale-while-revalidate=90", age) == Policy(lifetime, 90)


@pytest.mark.parametrize(
    ("header", "policy"),
    [
        ("MAX-AGE=60", Policy(60, 300)),
        ('max-age="60"', Policy(60, 300)),
        ("max-age = 60 ,stale-while-revalidate= 5", Policy(60, 5)),
        ("max-age=60;stale-while-revalidate=5", Policy(60, 5)),
        ("max-age=0", Policy(0, 300)),
        ("max-age=60, stale-while-revalidate=0", Policy(60, 0)),
        ("max-age", Policy(300, 300)),
        ("max-age=", Policy(300, 300)),
        ("max-age=-1", Policy(300, 300)),
        ("max-age=1.5", Policy(300, 300)),
        ("max-age=1e9", Policy(300, 300)),
        ("max-age=inf", Policy(300, 300)),
        ("max-age=nan", Policy(300, 300)),
        ("max-age=٦٠", Policy(300, 300)),
        ("s-maxage=60", Policy(300, 300)),
        ("no-cache", Policy(300, 300)),
        (",,,=;max-age=60", Policy(60, 300)),
        ("max-age=" + "9" * 5000, Policy(2.0**31, 300)),
    ],
)
def test_odd_headers_are_read_as_far_as_they_can_be(header: str, policy: Policy):
    assert Policy.from_headers(header) == policy


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=20))
def test_no_header_breaks_the_policy(control: str, age: str):
    policy = Policy.from_headers(control, age)
    assert 0 <= policy.lifetime <= 2**31
    assert 0 <= policy.stale_while_revalidate <= 2**31


def test_an_answer_is_fresh_then_stale_then_expired():
    policy = Policy(lifetime=10, stale_while_revalidate=5)
    ages = (0, 9.9, 10, 14.9, 15, 1e9)
    fresh, stale, expired = Freshness.FRESH, Freshness.STALE, Freshness.EXPIRED
    assert [judge(age, policy) for age in ages] == [fresh, fresh, stale, stale, expired, expired]


def test_an_answer_without_a_lifetime_is_never_fresh():
    assert judge(0, Policy(0, 300)) is Freshness.STALE
    assert judge(0, Policy(0, 0)) is Freshness.EXPIRED


@settings(max_examples=200, deadline=None)
@given(SECONDS, SECONDS, SECONDS, SECONDS)
def test_an_answer_is_never_fresher_for_growing_older(age: float, more: float, life: float, window: float):
    policy = Policy(life, window)
    assert _RANK[judge(age, policy)] <= _RANK[judge(age + more, policy)]


@settings(max_examples=200, deadline=None)
@given(SECONDS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_an_answer_is_never_fresher_for_a_greater_age_header(age: float, header: int, more: int):
    younger = Policy.from_headers("max-age=300", str(header))
    older = Policy.from_headers("max-age=300", str(header + more))
    assert _RANK[judge(age, younger)] <= _RANK[judge(age, older)]


def test_pauses_double_from_one_second_to_sixty():
    assert [pause_after(count, 0.0) for count in range(1, 10)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert pause_after(10**6, 0.0) == 60


def test_jitter_lengthens_a_pause_by_up_to_a_quarter():
    assert pause_after(3, 0.5) == 4.5
    assert pause_after(3, 0.999) == pytest.approx(5.0, abs=0.01)
    assert pause_after(9, 0.999) == LONGEST_PAUSE


def test_the_hub_is_left_alone_as_long_as_it_asks_up_to_a_minute():
    assert pause_after(1, 0.0, retry_after=20) == 20
    assert pause_after(1, 0.0, retry_after=3600) == 60
    assert pause_after(5, 0.0, retry_after=2) == 16
    assert pause_after(1, 0.0, retry_after=0) == 1


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 1e9))
def test_a_pause_is_between_a_second_and_a_minute_and_grows(count: int, jitter: float, wait: float | None):
    assert 1 <= pause_after(count, jitter, wait) <= pause_after(count + 1, jitter, wait) <= 60
