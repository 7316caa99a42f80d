"""Limits that several dialers share."""

from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.pace_ledger import Limits, Pace

_START = 1_800_000_000_000
_HOUR_MS = 3_600_000


def test_without_limits_anything_goes_and_nothing_is_noted() -> None:
    assert Pace().free(Limits(), _START, active=10**6) is None
    assert Pace().started(Limits(), _START, 50) == Pace()
    assert Pace().free_at(Limits(), _START) == _START


def test_calls_at_a_time() -> None:
    limits = Limits(max_concurrent=3)
    assert [Pace().free(limits, _START, active=active) for active in (0, 2, 3, 9)] == [3, 1, 0, 0]


def test_a_fast_trunk_starts_in_slots() -> None:
    limits = Limits(calls_per_second=100.0)
    pace = Pace()
    assert pace.free(limits, _START, active=0) == 10
    pace = pace.started(limits, _START, 10)
    assert pace.free(limits, _START, active=0) == 0
    assert pace.free_at(limits, _START) == _START + 10
    assert pace.free(limits, _START + 50, active=0) == 5


def test_less_than_one_a_second() -> None:
    limits = Limits(calls_per_second=0.5)
    pace = Pace().started(limits, _START, 1)
    assert pace.free_at(limits, _START) == _START + 2000
    assert pace.free(limits, _START + 1999, active=0) == 0
    assert pace.free(limits, _START + 2000, active=0) == 1


def test_a_clock_set_back_by_an_hour_does_not_stop_the_trunk() -> None:
    limits = Limits(calls_per_second=10.0)
    pace = Pace().started(limits, _START, 1)
    assert pace.free(limits, _START - _HOUR_MS, active=0) == 1


@given(
    st.floats(0.3, 300),
    st.lists(st.tuples(st.integers(0, 700), st.integers(1, 400)), min_size=1, max_size=60),
)
def test_no_second_has_more_starts_than_the_limit(rate: float, steps: list[tuple[int, int]]) -> None:
    limits = Limits(calls_per_second=rate)
    pace, now, starts = Pace(), _START, []
    for step, wanted in steps:
        now += step
        free = pace.free(limits, now, active=0)
        assert free is not None
        pace = pace.started(limits, now, min(free, wanted))
        starts.append((now, min(free, wanted)))
    for begin, _ in starts:
        assert sum(count for at, count in starts if begin <= at < begin + 1000) <= max(1, -(-rate // 1))


@given(st.floats(0.3, 300), st.integers(1, 40))
def test_whoever_comes_when_it_is_free_gets_a_place(rate: float, count: int) -> None:
    limits = Limits(calls_per_second=rate)
    pace, now = Pace(), _START
    for _ in range(count):
        now = pace.free_at(limits, now)
        assert pace.free(limits, now, active=0)
        pace = pace.started(limits, now, 1)
    assert now - _START <= (count - 1) * 1000 / rate + count + 1000
