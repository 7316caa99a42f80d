"""Calls per second in sub-second slots, calls at a time, and the trunk's back-off, without a clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.pacing import FIRST_HOLD_S, LONGEST_HOLD_S, SLOT_S, TrunkPace


def take_all(pace: TrunkPace, now: float) -> int:
    count = pace.free(now)
    pace.take(count, now)
    return count


def test_calls_leave_in_slots_and_not_in_a_burst_a_second() -> None:
    pace = TrunkPace(100.0, 10_000, filled_at=0.0)
    taken = [take_all(pace, tenth / 10) for tenth in range(21)]
    assert taken[0] == 1
    assert max(taken) <= 100 * SLOT_S
    assert 199 <= sum(taken) <= 201


def test_a_slow_trunk_takes_one_call_and_waits() -> None:
    pace = TrunkPace(0.5, 10, filled_at=0.0)
    assert take_all(pace, 0.0) == 1
    assert pace.free(1.0) == 0
    assert pace.next_free_at(1.0) == pytest.approx(2.0)
    assert pace.free(1.9) == 0
    assert take_all(pace, 2.0) == 1
    assert pace.next_free_at(10.0) == 10.0


def test_a_long_silence_saves_one_slot_only() -> None:
    pace = TrunkPace(50.0, 1000, filled_at=0.0)
    assert pace.free(3600.0) == 5


def test_calls_at_a_time() -> None:
    pace = TrunkPace(1000.0, 2, filled_at=0.0)
    assert take_all(pace, 1.0) == 2
    assert pace.free(2.0) == 0
    assert pace.next_free_at(2.0) is None
    pace.release()
    assert pace.free(2.0) == 1
    assert pace.next_free_at(2.0) == 2.0


def test_changed_limits_hold_at_once_and_keep_the_calls_counted() -> None:
    pace = TrunkPace(1000.0, 100, filled_at=0.0)
    assert take_all(pace, 1.0) == 100
    pace.limit(calls_per_second=10.0, max_concurrent=50, now=2.0)
    assert pace.free(2.0) == 0
    for _ in range(60):
        pace.release()
    assert pace.free(2.0) == 1


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    pace = TrunkPace(10.0, 10, filled_at=5.0)
    assert take_all(pace, 5.0) == 1
    assert pace.free(4.0) == 0
    assert pace.free(5.05) == 0


def test_faults_hold_the_trunk_longer_and_longer() -> None:
    pace = TrunkPace(1000.0, 1000, filled_at=0.0)
    now, holds = 0.0, []
    for _ in range(12):
        pace.fault(now)
        free_at = pace.next_free_at(now)
        assert free_at is not None
        holds.append(free_at - now)
        now = free_at
    assert holds[:2] == [0.0, 0.0]
    assert holds[2:6] == [FIRST_HOLD_S, 2.0, 4.0, 8.0]
    assert holds[-1] == LONGEST_HOLD_S


def test_after_a_hold_calls_start_from_a_single_token() -> None:
    pace = TrunkPace(1000.0, 1000, filled_at=0.0)
    for _ in range(3):
        pace.fault(10.0)
    assert pace.free(10.5) == 0
    assert pace.free(11.0) == 1


def test_a_success_ends_the_hold() -> None:
    pace = TrunkPace(10.0, 10, filled_at=0.0)
    for _ in range(4):
        pace.fault(1.0)
    pace.success()
    assert pace.faults == 0
    assert take_all(pace, 1.5) == 1
    assert pace.next_free_at(1.5) == pytest.approx(1.6)


def test_retry_after_is_obeyed_within_reason() -> None:
    pace = TrunkPace(10.0, 10, filled_at=0.0)
    pace.fault(0.0, retry_after_s=7.0)
    assert pace.next_free_at(0.0) == 7.0
    pace.fault(7.0, retry_after_s=86_400.0)
    assert pace.next_free_at(7.0) == 7.0 + LONGEST_HOLD_S


@given(
    st.floats(0.1, 500),
    st.lists(st.floats(0, 0.7), min_size=1, max_size=60),
)
def test_never_more_than_the_rate_allows(rate: float, steps: list[float]) -> None:
    pace = TrunkPace(rate, 1_000_000, filled_at=0.0)
    now, taken = 0.0, 0
    for step in steps:
        now += step
        taken += take_all(pace, now)
    assert taken <= now * rate + max(1.0, rate * SLOT_S) + 1e-6


def held(faults: int = 3) -> TrunkPace:
    pace = TrunkPace(1000.0, 1000, filled_at=0.0)
    for _ in range(faults):
        pace.fault(10.0)
    return pace


def test_after_a_hold_one_call_tries_the_trunk_and_the_others_wait_for_its_news() -> None:
    pace = held()
    assert take_all(pace, 11.0) == 1
    assert pace.closed(500.0)
    assert pace.free(500.0) == 0
    assert pace.next_free_at(500.0) is None, "time alone says nothing of a trunk that does not answer"
    pace.success()
    assert not pace.closed(500.0)
    assert pace.free(500.0) == 100


def test_a_try_that_fails_holds_the_trunk_for_longer() -> None:
    pace = held()
    pace.take(1, 11.0)
    pace.release()
    pace.fault(40.0)
    assert pace.next_free_at(40.0) == 42.0
    assert take_all(pace, 42.0) == 1


def test_a_try_that_came_to_nothing_of_ours_leaves_room_for_another() -> None:
    """It was given back, or cancelled before anything came."""
    pace = held()
    pace.take(1, 11.0)
    pace.release()
    assert pace.free(12.0) == 1


def test_a_rest_that_the_trunk_asked_for_needs_no_try() -> None:
    pace = TrunkPace(1000.0, 1000, filled_at=0.0)
    pace.fault(10.0, retry_after_s=5.0)
    pace.take(1, 15.0)
    assert not pace.closed(15.0)
