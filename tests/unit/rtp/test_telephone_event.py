"""Exactly one digit per key press, whatever the network does to its packets (RFC 4733)."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.errors import RtpParseError
from outdial.rtp.telephone_event import (
    DIGITS,
    SILENT_AFTER_S,
    Digit,
    DigitStarted,
    Signal,
    TelephoneEventReceiver,
    telephone_event_packets,
)

SSRC = 7
Arrival = tuple[float, int, bytes]
"""When, timestamp, payload."""


def press(
    digit: str, duration_ms: int, *, at: float = 0.0, rate: int = 8000, ptime_ms: int = 20
) -> list[Arrival]:
    """The packets of a key press that starts at ``at`` seconds."""
    start = int(at * rate)
    return [
        (at + packet.at_ms / 1000, start + packet.timestamp_offset & 0xFFFF_FFFF, packet.payload)
        for packet in telephone_event_packets(digit, duration_ms, rate=rate, ptime_ms=ptime_ms)
    ]


def hear(arrivals: list[Arrival], rate: int = 8000) -> list[Signal]:
    """What a receiver makes of packets, with a call of expire() every 10 ms and a long wait at the end."""
    receiver = TelephoneEventReceiver(rate)
    heard: list[Signal] = []
    now = 0.0
    for at, timestamp, payload in arrivals:
        while now < at:
            now = min(at, now + 0.01)
            heard += receiver.expire(now)
        heard += receiver.receive(SSRC, timestamp, payload, now)
    return heard + receiver.expire(now + 1)


def digits(signals: list[Signal]) -> str:
    return "".join(signal.digit for signal in signals if isinstance(signal, Digit))


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("ptime_ms", [10, 20, 50])
def test_a_key_press_is_one_start_and_one_digit(rate: int, ptime_ms: int) -> None:
    assert hear(press("5", 160, rate=rate, ptime_ms=ptime_ms), rate) == [DigitStarted("5"), Digit("5", 160)]


@pytest.mark.parametrize("digit", DIGITS)
def test_every_digit_has_its_code(digit: str) -> None:
    packets = press(digit, 100)
    assert {payload[0] for _, _, payload in packets} == {DIGITS.index(digit)}
    assert digits(hear(packets)) == digit


def test_the_sender_marks_the_first_packet_and_repeats_the_end() -> None:
    packets = list(telephone_event_packets("1", 100))
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)
    assert [bool(packet.payload[1] & 0x80) for packet in packets[-4:]] == [False, True, True, True]
    assert len({packet.payload for packet in packets[-3:]}) == 1
    assert [packet.at_ms for packet in packets] == list(range(0, 20 * len(packets), 20))


def test_the_shortest_press_is_marked_too() -> None:
    packets = list(telephone_event_packets("1", 0))
    assert [packet.marker for packet in packets] == [True, False, False]


def test_what_is_no_digit_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="substring"):
        list(telephone_event_packets("E", 100))


def test_a_lost_start_loses_nothing() -> None:
    assert hear(press("7", 200)[6:])[1:] == [Digit("7", 200)]


def test_only_an_end_is_enough() -> None:
    assert hear(press("7", 200)[-1:]) == [DigitStarted("7"), Digit("7", 200)]


@pytest.mark.parametrize("lost", [{-1}, {-2}, {-3}, {-1, -2}, {-2, -3}])
def test_some_of_the_ends_may_be_lost(lost: set[int]) -> None:
    packets = press("3", 120)
    kept = [packet for index, packet in enumerate(packets) if index - len(packets) not in lost]
    assert hear(kept)[1:] == [Digit("3", 120)]


def test_without_any_end_the_event_ends_by_time() -> None:
    receiver = TelephoneEventReceiver(8000)
    assert receiver.deadline is None
    for at, timestamp, payload in press("9", 100)[:-3]:
        receiver.receive(SSRC, timestamp, payload, at)
    assert receiver.deadline == pytest.approx(0.06 + SILENT_AFTER_S)
    assert receiver.expire(0.06 + SILENT_AFTER_S - 0.01) == []
    assert receiver.expire(0.06 + SILENT_AFTER_S) == [Digit("9", 80)]
    assert receiver.expire(9) == []


def test_a_late_end_after_the_time_ran_out_is_no_second_digit() -> None:
    packets = press("9", 100)
    late = [(at + 0.5, timestamp, payload) for at, timestamp, payload in packets[-3:]]
    assert digits(hear(packets[:3] + late)) == "9"


def test_the_next_digit_ends_one_whose_ends_were_lost() -> None:
    assert digits(hear(press("1", 100)[:-3] + press("2", 100, at=0.15))) == "12"


def test_the_same_digit_twice_is_two_digits() -> None:
    assert digits(hear(press("4", 60) + press("4", 60, at=0.16))) == "44"
    assert digits(hear(press("4", 60)[:-3] + press("4", 60, at=0.16)[3:])) == "44"


@pytest.mark.parametrize("duration_ms", [8_200, 20_000])
def test_a_key_held_for_longer_than_the_field_holds_is_one_digit(duration_ms: int) -> None:
    packets = press("#", duration_ms)
    assert len({timestamp for _, timestamp, _ in packets}) > 1
    assert hear(packets) == [DigitStarted("#"), Digit("#", duration_ms)]


def test_an_end_that_alone_begins_a_segment_is_sent() -> None:
    # 65,600 units: the last step crosses the end of the first segment.
    assert hear(press("#", 8200, ptime_ms=50))[-1] == Digit("#", 8200)


def test_a_long_key_that_was_given_up_is_no_second_digit_in_its_next_segment() -> None:
    packets = press("0", 9_000)
    second = [packet for packet in packets if packet[1] != packets[0][1]]
    first = [packet for packet in packets if packet[1] == packets[0][1] and packet[0] < 7]
    assert digits(hear(first + second)) == "0"


def test_the_same_key_pressed_just_where_a_segment_would_begin_is_another_press() -> None:
    receiver = TelephoneEventReceiver(8000)
    end = press("5", 100)[-1][2]
    assert digits(receiver.receive(SSRC, 0, end, 0)) == "5"
    assert digits(receiver.receive(SSRC, 0xFFFF, end, 8.2)) == "5"


def test_an_overtaken_digit_still_counts_once() -> None:
    one, two = press("1", 40), press("2", 400, at=0.2)
    late = [(0.3, timestamp, payload) for _, timestamp, payload in one]
    assert sorted(digits(hear(two[:4] + late + two[8:]))) == ["1", "2"]


def test_a_new_source_with_the_same_timestamp_is_a_new_press() -> None:
    receiver = TelephoneEventReceiver(8000)
    end = press("1", 100)[-1][2]
    assert digits(receiver.receive(1, 5, end, 0)) == "1"
    assert digits(receiver.receive(2, 5, end, 0.1)) == "1"


def test_flash_and_tones_are_no_digits() -> None:
    receiver = TelephoneEventReceiver(8000)
    assert receiver.receive(SSRC, 1, bytes((16, 0x8A, 0, 100)), 0) == []


def test_a_short_payload_is_a_parse_error() -> None:
    with pytest.raises(RtpParseError, match="4 bytes"):
        TelephoneEventReceiver(8000).receive(SSRC, 1, b"\x01\x80\x00", 0)


def test_flush_ends_a_key_that_is_still_down() -> None:
    receiver = TelephoneEventReceiver(8000)
    receiver.receive(SSRC, 1, press("6", 100)[1][2], 0)
    assert receiver.flush() == [Digit("6", 40)]
    assert receiver.flush() == []


@given(
    pressed=st.lists(st.tuples(st.sampled_from(DIGITS), st.integers(40, 400)), min_size=1, max_size=5),
    seed=st.integers(0, 1 << 32),
    first_timestamp=st.integers(0, 0xFFFF_FFFF),
)
def test_each_key_press_is_heard_once_and_in_order_over_a_bad_network(
    pressed: list[tuple[str, int]], seed: int, first_timestamp: int
) -> None:
    """A third of the packets lost, some doubled, some late by up to 60 ms: but one packet of each comes."""
    chance = random.Random(seed)
    arrivals: list[Arrival] = []
    at = 0.0
    for digit, duration_ms in pressed:
        packets = press(digit, duration_ms, at=at)
        kept = [packet for packet in packets if chance.random() > 0.33] or packets[-1:]
        kept += [packet for packet in kept if chance.random() < 0.2]
        arrivals += [
            (sent + chance.random() * 0.06, timestamp + first_timestamp & 0xFFFF_FFFF, payload)
            for sent, timestamp, payload in kept
        ]
        at += duration_ms / 1000 + 0.2
    assert digits(hear(sorted(arrivals))) == "".join(digit for digit, _ in pressed)


@given(st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=6))))
def test_any_payload_is_taken_or_a_parse_error(packets: list[tuple[int, bytes]]) -> None:
    receiver = TelephoneEventReceiver(8000)
    for index, (timestamp, payload) in enumerate(packets):
        try:
            receiver.receive(SSRC, timestamp, payload, index * 0.02)
        except RtpParseError:
            assert len(payload) < 4


def test_a_key_whose_only_packet_was_overtaken_by_the_next_key_comes_before_it() -> None:
    first, second = press("1", 100), press("2", 100, at=0.3)
    late = (second[0][0] + 0.005, *first[0][1:])
    heard = hear([second[0], late, *second[1:]])
    assert heard == [DigitStarted("2"), Digit("1", 20), Digit("2", 100)]
