import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.rtp.clock import (
    middle_32,
    ntp_from_unix,
    report_interval_s,
    round_trip_s,
    short_ntp,
    signed_16,
    signed_32,
)


def test_ntp_time_counts_from_1900() -> None:
    assert ntp_from_unix(0) >> 32 == 2_208_988_800
    assert ntp_from_unix(0.5) & 0xFFFF_FFFF == 1 << 31


def test_the_example_of_rfc_3550_gives_6_125_seconds() -> None:
    # Section 6.4.1, figure 2.
    assert round_trip_s(arrival=0xB710_8000, last_sr=0xB705_2000, delay_since_last_sr=0x0005_4000) == 6.125


@pytest.mark.parametrize(
    ("arrival", "last_sr", "delay"),
    [(1000, 0, 0), (1000, 2000, 0), (100 << 16, 1, 0)],
    ids=["no sender report yet", "a clock that jumped back", "more than a minute"],
)
def test_a_round_trip_that_cannot_be_is_none(arrival: int, last_sr: int, delay: int) -> None:
    assert round_trip_s(arrival=arrival, last_sr=last_sr, delay_since_last_sr=delay) is None


def test_a_round_trip_survives_the_wrap_of_the_clock() -> None:
    assert round_trip_s(arrival=0x8000, last_sr=0xFFFF_8000, delay_since_last_sr=0x8000) == 0.5


def test_short_times_are_clipped_to_their_field() -> None:
    assert short_ntp(0.25) == 1 << 14
    assert short_ntp(-1) == 0
    assert short_ntp(1e9) == 0xFFFF_FFFF
    assert middle_32(0x0000_1122_3344_5566) == 0x1122_3344


@given(st.integers(0, 0xFFFF_FFFF), st.integers(-(1 << 31), (1 << 31) - 1))
def test_a_difference_of_counters_is_the_nearest(start: int, step: int) -> None:
    assert signed_32((start + step & 0xFFFF_FFFF) - start) == step
    if -(1 << 15) <= step < 1 << 15:
        assert signed_16((start + step & 0xFFFF) - (start & 0xFFFF)) == step


def test_reports_are_spread_around_their_mean() -> None:
    assert report_interval_s(5, 0) == 2.5
    assert report_interval_s(5, 1) == 7.5
