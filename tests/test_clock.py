"""Two clocks, and which of them to believe."""

import time

from hypothesis import given
from hypothesis import strategies as st

from hub_mcp.clock import Stamp, SystemClock, elapsed

MOMENTS = st.builds(Stamp, st.floats(0, 1e9), st.floats(0, 4e9))


def test_time_that_both_clocks_saw_counts_once():
    assert elapsed(Stamp(10, 1000), Stamp(15, 1005)) == 5


def test_a_sleep_that_only_the_wall_clock_saw_counts():
    assert elapsed(Stamp(10, 1000), Stamp(11, 4600)) == 3600


def test_a_wall_clock_that_is_set_back_takes_no_time_away():
    assert elapsed(Stamp(10, 1000), Stamp(70, 400)) == 60


@given(MOMENTS, MOMENTS)
def test_elapsed_time_is_never_negative_and_never_less_than_either_clock_saw(since: Stamp, now: Stamp):
    seconds = elapsed(since, now)
    assert seconds >= 0
    assert seconds >= now.monotonic - since.monotonic
    assert seconds >= now.wall - since.wall


def test_the_system_clock_reads_both_clocks_of_the_machine():
    before = Stamp(time.monotonic(), time.time())
    stamp = SystemClock().stamp()
    after = Stamp(time.monotonic(), time.time())
    assert before.monotonic <= stamp.monotonic <= after.monotonic
    assert before.wall <= stamp.wall <= after.wall
