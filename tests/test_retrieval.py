"""The search meets its goals on the questions that it may be tuned with; `make retrieval` shows the others' figures."""

from __future__ import annotations

from bench.retrieval.__main__ import goals, searcher
from bench.retrieval.measure import ask_all
from bench.retrieval.questions import chosen


def test_the_tuning_questions_are_answered_as_well_as_promised():
    outcomes = ask_all(chosen(held_out=False), searcher())
    under = [(text, value) for text, value, goal in goals(outcomes) if value < goal]
    assert not under
