"""Threads: whose they are, how many, how large, and which may go."""

from __future__ import annotations

import pytest
from conftest import ManualClock
from hypothesis import given
from hypothesis import strategies as st

from hub_mcp.errors import BadRequest
from hub_mcp.threads import IDLE_SECONDS, MAX_BYTES, MAX_THREADS, MAX_TURNS, Thread, Threads

QUESTION = {"role": "user", "content": "Hello"}


@pytest.fixture
def threads(clock: ManualClock) -> Threads[str]:
    return Threads(clock)


def test_a_thread_is_found_by_its_name_and_its_owner(threads):
    thread = threads.begin("kim")
    assert threads.find(thread.id, "kim") is thread


def test_names_cannot_be_guessed(threads):
    names = {threads.begin("kim").id for _ in range(100)}
    assert len(names) == 100
    assert min(map(len, names)) >= 12


def test_another_owners_thread_is_as_good_as_none(threads):
    thread = threads.begin("kim")
    with pytest.raises(BadRequest) as stolen:
        threads.find(thread.id, "lee")
    with pytest.raises(BadRequest) as unknown:
        threads.find("nonsense", "lee")
    assert str(stolen.value) == str(unknown.value)
    assert "nothing was sent and nothing spent" in str(unknown.value)


def test_a_thread_ends_after_an_hour_without_use(threads, clock):
    thread = threads.begin("kim")
    clock.advance(IDLE_SECONDS)
    assert threads.find(thread.id, "kim") is thread
    clock.advance(IDLE_SECONDS)
    assert threads.find(thread.id, "kim") is thread
    clock.advance(IDLE_SECONDS + 1)
    with pytest.raises(BadRequest, match="no such thread"):
        threads.find(thread.id, "kim")
    assert threads.all() == ()


def test_a_laptop_that_slept_knows_that_the_hour_is_over(threads, clock):
    thread = threads.begin("kim")
    clock.sleep_through(IDLE_SECONDS + 1)
    with pytest.raises(BadRequest, match="no such thread"):
        threads.find(thread.id, "kim")


def test_an_answer_that_nobody_had_is_kept_an_hour_and_a_running_one_for_as_long_as_it_runs(threads, clock):
    owed, running = threads.begin("kim"), threads.begin("kim")
    owed.owed, running.running = True, True
    clock.advance(IDLE_SECONDS)
    threads.begin("lee")
    assert owed in threads.all()
    clock.advance(1)
    threads.begin("lee")
    assert owed not in threads.all()
    assert running in threads.all()


def test_the_one_used_longest_ago_makes_room(threads, clock):
    first, second, *rest = [threads.begin("kim") for _ in range(MAX_THREADS)]
    clock.advance(1)
    threads.find(first.id, "kim")
    newest = threads.begin("kim")
    assert second not in threads.all()
    assert threads.all() == (*rest, first, newest)


def test_a_thread_that_was_dropped_does_not_come_back_when_it_is_touched(threads):
    thread = threads.begin("kim")
    threads.drop(thread)
    threads.touch(thread)
    threads.drop(thread)
    assert threads.all() == ()


# -- one thread --------------------------------------------------------------------------------------


def test_a_thread_is_full_after_fifty_turns(threads):
    thread = threads.begin("kim")
    for _ in range(MAX_TURNS):
        thread.check_open()
        thread.remember([QUESTION])
    with pytest.raises(BadRequest, match="The thread is full"):
        thread.check_open()


@pytest.mark.parametrize("letter", ["a", "ä", "字"])
def test_a_thread_is_full_above_a_megabyte_and_then_holds_nothing(threads, letter):
    thread = threads.begin("kim")
    thread.remember([{"role": "user", "content": letter * ((MAX_BYTES - 90) // len(letter.encode()))}])
    assert MAX_BYTES - 60 < thread.size <= MAX_BYTES
    thread.check_open()
    thread.remember([*thread.messages, {"role": "assistant", "content": letter * 100}])
    assert thread.messages == []
    with pytest.raises(BadRequest, match="1 MB"):
        thread.check_open()


def test_what_a_thread_remembers_may_hold_half_a_character(threads):
    thread = threads.begin("kim")
    thread.remember([{"role": "user", "content": "\ud83d"}])
    thread.check_open()


def test_a_threads_repr_does_not_tell_its_owner(threads):
    assert "kim" not in repr(threads.begin("kim"))


# -- any order of events -----------------------------------------------------------------------------

LIMIT = 3
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "begin", "find", "wait", "settle"]),
        st.sampled_from(["settled", "running", "owed"]),
        st.sampled_from([1.0, IDLE_SECONDS / 2, IDLE_SECONDS, IDLE_SECONDS + 1]),
        st.integers(0, 9),
    ),
    max_size=25,
)


class Life:
    """Some threads, and what is expected of them: when each was used, and who may not go."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.threads: Threads[str] = Threads(self.clock, LIMIT)
        self.used: dict[str, float] = {}

    def step(self, what: str, state: str, seconds: float, which: int) -> None:
        alive = self.threads.all()
        chosen = alive[which % len(alive)] if alive else None
        if what == "begin":
            self.begin(state)
        elif what == "wait":
            self.clock.advance(seconds)
        elif chosen is not None and what == "settle":
            chosen.running, chosen.owed = False, chosen.running
        elif chosen is not None:
            self.find(chosen)

    def begin(self, state: str) -> None:
        before = self.threads.all()
        thread = self.threads.begin("kim")
        kept = self.threads.all()
        gone = [other for other in before if other not in kept]
        pushed_out = [other for other in gone if not self.idle(other)]
        waited_for = [other for other in kept if other.running or other.owed]
        stayed = [other for other in kept if other not in waited_for and other is not thread]
        assert kept[-1] is thread
        assert len(kept) <= max(LIMIT, len(waited_for) + 1)
        assert not any(other.running or other.owed for other in pushed_out)
        assert not any(other.running for other in gone)
        assert all(self.used[old.id] <= self.used[new.id] for old in pushed_out for new in stayed)
        thread.running, thread.owed = state == "running", state == "owed"
        self.used[thread.id] = self.clock.monotonic

    def find(self, thread: Thread[str]) -> None:
        if self.idle(thread) and not thread.running:
            with pytest.raises(BadRequest):
                self.threads.find(thread.id, "kim")
        else:
            assert self.threads.find(thread.id, "kim") is thread
            self.used[thread.id] = self.clock.monotonic

    def idle(self, thread: Thread[str]) -> bool:
        return self.clock.monotonic - self.used[thread.id] > IDLE_SECONDS


@given(STEPS)
def test_in_whatever_order_the_oldest_settled_threads_go_and_no_other(steps):
    life = Life()
    for step in steps:
        life.step(*step)
