"""What a call costs: started pulses, and what a sum of money pays for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.money import parse_currency, parse_units, to_text
from outdial.domain.rating import NOTHING, Bill, Rate, bill, longest_match, longest_talk_ms
from outdial.errors import InvalidInput

HALF = Rate(prefix="91", first_pulse_s=30, next_pulse_s=15, first_price=5000, next_price=2000)
RATES = st.builds(
    Rate,
    prefix=st.just("1"),
    first_pulse_s=st.integers(1, 120),
    next_pulse_s=st.integers(1, 120),
    first_price=st.integers(0, 10**6),
    next_price=st.integers(0, 10**6),
    connection_fee=st.integers(0, 10**6),
)
TALK = st.integers(0, 10**8)


@pytest.mark.parametrize(
    ("talk_ms", "charge", "billed_ms"),
    [
        (0, 0, 0),
        (1, 5000, 30_000),
        (30_000, 5000, 30_000),
        (30_001, 7000, 45_000),
        (45_000, 7000, 45_000),
        (45_001, 9000, 60_000),
    ],
)
def test_each_started_pulse_is_charged(talk_ms: int, charge: int, billed_ms: int) -> None:
    assert (HALF.charge(talk_ms), HALF.billed_ms(talk_ms)) == (charge, billed_ms)


@given(RATES, TALK, TALK)
def test_a_longer_call_never_costs_less_and_none_less_than_nothing(rate: Rate, one: int, two: int) -> None:
    short, long = sorted((one, two))
    assert 0 <= rate.charge(short) <= rate.charge(long)
    assert rate.billed_ms(short) <= rate.billed_ms(long)


@given(RATES, st.integers(1, 10**8))
def test_the_pulses_add_up(rate: Rate, talk_ms: int) -> None:
    pulses = rate.next_pulses(talk_ms)
    billed_ms = rate.billed_ms(talk_ms)
    assert billed_ms == 1000 * (rate.first_pulse_s + pulses * rate.next_pulse_s)
    assert rate.charge(talk_ms) == rate.connection_fee + rate.first_price + pulses * rate.next_price
    assert talk_ms <= billed_ms
    assert pulses == 0 or talk_ms > billed_ms - 1000 * rate.next_pulse_s


@given(RATES, st.integers(0, 10**9))
def test_what_is_affordable_is_paid_for_and_a_moment_more_is_not(rate: Rate, units: int) -> None:
    longest = rate.affordable_ms(units)
    if longest is None:
        assert rate.charge(10**12) <= units
    else:
        assert rate.charge(longest) <= units
        assert rate.charge(longest + 1) > units


@given(RATES, TALK)
def test_a_call_is_cut_before_it_costs_more_than_is_reserved(rate: Rate, talk_ms: int) -> None:
    reserved = rate.charge(talk_ms)
    longest = longest_talk_ms(rate, reserved)
    assert longest is None or rate.charge(longest) <= reserved


def test_a_call_without_a_reservation_is_not_cut() -> None:
    assert longest_talk_ms(HALF, 0) is None
    assert longest_talk_ms(None, 5000) is None


def test_nothing_is_charged_before_an_answer_and_never_more_than_is_reserved() -> None:
    assert bill(None, answered=True, talk_ms=9) == NOTHING
    assert bill(HALF, answered=False, talk_ms=0) == Bill(pulse_s=15)
    assert bill(HALF, answered=True, talk_ms=0).charge == 5000
    assert bill(HALF, answered=True, talk_ms=90_000, most=7000).charge == 7000


def test_the_longest_prefix_decides() -> None:
    wide, narrow = HALF, Rate(prefix="9198", first_pulse_s=1, next_pulse_s=1, first_price=1, next_price=1)
    rates = {rate.prefix: rate for rate in (wide, narrow)}
    assert longest_match(rates, "919811111111") is narrow
    assert longest_match(rates, "918811111111") is wide
    assert longest_match(rates, "12025550100") is None


@given(st.integers(-(10**15), 10**15))
def test_money_survives_being_written(units: int) -> None:
    assert parse_units(to_text(units), "amount") == units


@given(st.text(max_size=30))
def test_no_text_raises_anything_but_invalid_input(text: str) -> None:
    for parse in (lambda: parse_units(text, "amount"), lambda: parse_currency(text)):
        try:
            parse()
        except InvalidInput:
            continue
