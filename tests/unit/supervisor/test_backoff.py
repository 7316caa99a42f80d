from hypothesis import given
from hypothesis import strategies as st

from outdial.supervisor.backoff import Backoff


def test_delays_double_up_to_the_most() -> None:
    backoff = Backoff(first_s=1, most_s=10)
    delays = [backoff.next_delay(stood_for_s=0, random=lambda: 1.0) for _ in range(6)]
    assert delays == [1, 2, 4, 8, 10, 10]


def test_a_process_that_stood_long_enough_starts_over() -> None:
    backoff = Backoff(first_s=1, most_s=10, steady_s=60)
    for _ in range(5):
        backoff.next_delay(stood_for_s=0, random=lambda: 1.0)
    assert backoff.next_delay(stood_for_s=60, random=lambda: 1.0) == 1


@given(jitter=st.floats(min_value=0, max_value=1, exclude_max=True), falls=st.integers(1, 2000))
def test_a_delay_is_never_below_half_nor_above_the_most(jitter: float, falls: int) -> None:
    backoff = Backoff(first_s=0.2, most_s=30)
    for _ in range(falls):
        delay = backoff.next_delay(stood_for_s=0, random=lambda: jitter)
    assert 0.1 <= delay <= 30
