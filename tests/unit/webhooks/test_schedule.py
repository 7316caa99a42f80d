"""When to try again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.webhooks.schedule import MOST_RETRY_AFTER_MS, next_try, retry_after_ms

NOW = 1_565_968_214_000  # Fri, 16 Aug 2019 15:10:14 GMT
DAY_MS = 86_400_000


def after(
    tries: int, *, random: float = 1.0, retry_after: int | None = None, left: int = 3 * DAY_MS
) -> int | None:
    due_at = next_try(tries=tries, now=NOW, expires_at=NOW + left, retry_after_ms=retry_after, random=random)
    return None if due_at is None else due_at - NOW


def test_delays_grow_threefold_up_to_six_hours() -> None:
    hours = 3_600_000
    delays = [after(tries) for tries in range(1, 11)]
    assert delays == [
        5_000, 15_000, 45_000, 135_000, 405_000, 1_215_000, 3_645_000, 10_935_000, 6 * hours, 6 * hours,
    ]  # fmt: skip
    assert after(10_000) == 6 * hours


def test_half_of_a_delay_is_chance() -> None:
    assert after(2, random=0.0) == 7_500
    assert after(2, random=0.5) == 11_250


def test_the_endpoint_s_wish_counts_if_it_is_longer() -> None:
    assert after(1, retry_after=60_000) == 60_000
    assert after(1, retry_after=1_000) == 5_000


def test_the_last_try_is_at_the_end_and_then_it_is_given_up() -> None:
    assert after(9, left=1_000) == 1_000
    assert after(1, left=0) is None
    assert after(1, left=-5) is None


@given(st.floats(min_value=0, max_value=1, exclude_max=True))
def test_three_days_are_about_twenty_tries(random: float) -> None:
    now, tries, end = 0, 1, 3 * DAY_MS
    while due_at := next_try(tries=tries, now=now, expires_at=end, retry_after_ms=None, random=random):
        assert now < due_at <= end
        now, tries = due_at, tries + 1
    assert now == 3 * DAY_MS
    assert 18 <= tries <= 34


@pytest.mark.parametrize(
    ("value", "ms"),
    [
        ("120", 120_000),
        (" 0 ", 0),
        ("Fri, 16 Aug 2019 15:11:14 GMT", 60_000),
        ("Fri, 16 Aug 2019 15:00:00 GMT", 0),
        ("99999999999999999999", MOST_RETRY_AFTER_MS),
        ("Fri, 16 Aug 2999 15:00:00 GMT", MOST_RETRY_AFTER_MS),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after(value: str | None, ms: int | None) -> None:
    assert retry_after_ms(value, now=NOW) == ms


@given(st.text())
def test_no_header_raises(value: str) -> None:
    wanted = retry_after_ms(value, now=NOW)
    assert wanted is None or 0 <= wanted <= MOST_RETRY_AFTER_MS
