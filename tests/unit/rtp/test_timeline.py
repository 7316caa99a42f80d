"""A recording's order: every byte in its place, gaps silent, never longer than the call."""

import random

from hypothesis import given
from hypothesis import strategies as st

from outdial.rtp.timeline import Timeline

SILENCE = b"\xff"
Packet = tuple[float, int, bytes]


def packets(count: int, first_timestamp: int = 0) -> list[Packet]:
    """An even stream whose bytes tell their packet's number."""
    return [
        (index * 0.02, first_timestamp + index * 160 & 0xFFFF_FFFF, bytes([index % 251]) * 160)
        for index in range(count)
    ]


def record(stream: list[Packet]) -> bytes:
    timeline = Timeline(SILENCE)
    written = b"".join(timeline.receive(1, timestamp, payload, at) for at, timestamp, payload in stream)
    return written + timeline.flush()


@given(st.integers(0, 0xFFFF_FFFF), st.integers(1, 60))
def test_an_even_stream_is_written_as_it_is(first_timestamp: int, count: int) -> None:
    stream = packets(count, first_timestamp)
    assert record(stream) == b"".join(payload for _, _, payload in stream)


@given(st.integers(0, 1 << 32), st.integers(0, 0xFFFF_FFFF))
def test_packets_that_overtake_each_other_are_put_in_order(seed: int, first_timestamp: int) -> None:
    stream, chance = packets(50, first_timestamp), random.Random(seed)
    shaken = stream[:1] + sorted(
        ((at + chance.random() * 0.05, timestamp, payload) for at, timestamp, payload in stream[1:]),
    )
    assert record(shaken) == b"".join(payload for _, _, payload in stream)


@given(st.sets(st.integers(1, 48)))
def test_a_lost_packet_is_silence_of_its_length(lost: set[int]) -> None:
    stream = packets(50)
    kept = [packet for index, packet in enumerate(stream) if index not in lost]
    expected = b"".join(SILENCE * 160 if index in lost else stream[index][2] for index in range(50))
    assert record(kept) == expected


def test_a_copy_and_a_packet_that_comes_too_late_are_dropped() -> None:
    stream = packets(20)
    late = (stream[10][0] + 0.2, *stream[10][1:])
    shaken = [*stream[:10], *stream[11:15], stream[14], *stream[15:], late]
    written = record(sorted(shaken))
    assert len(written) == 20 * 160
    assert written[1600:1760] == SILENCE * 160


def test_most_is_written_at_once() -> None:
    timeline = Timeline(SILENCE)
    written = sum(len(timeline.receive(1, timestamp, payload, at)) for at, timestamp, payload in packets(50))
    assert written >= 50 * 160 - 480


def test_a_pause_of_the_sender_is_silence() -> None:
    one, two = (0.0, 0, b"a" * 160), (5.0, 40_000, b"b" * 160)
    assert record([one, two]) == b"a" * 160 + SILENCE * (40_000 - 160) + b"b" * 160


def test_a_jump_of_the_timestamps_cannot_make_the_recording_longer_than_the_call() -> None:
    stream = [
        *packets(10),
        *((at + 0.2, timestamp, payload) for at, timestamp, payload in packets(10, 0x7000_0000)),
    ]
    assert len(record(stream)) == 20 * 160


def test_a_new_source_goes_on_where_the_old_one_was() -> None:
    timeline = Timeline(SILENCE)
    written = timeline.receive(1, 500, b"a" * 160, 0.0)
    written += timeline.receive(2, 9_000_000, b"b" * 160, 0.1)
    assert written + timeline.flush() == b"a" * 160 + SILENCE * 640 + b"b" * 160


def test_overlapping_packets_are_cut() -> None:
    assert record([(0, 0, b"a" * 160), (0.01, 80, b"b" * 160)]) == b"a" * 160 + b"b" * 80
