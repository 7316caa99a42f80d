"""Timers, the lateness histogram, the protocol."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.telephony.media.lateness import LatenessHistogram
from outdial.telephony.media.protocol import Connect, LineReader, Measured, Open, Play, encode
from outdial.telephony.media.timers import Timers


def test_timers_run_in_the_order_of_their_times_and_again_if_they_say_so() -> None:
    timers, ran = Timers(), []

    def often(now: float) -> float | None:
        ran.append(("often", now))
        return now + 1 if now < 3 else None

    def once(now: float) -> None:
        ran.append(("once", now))

    assert timers.next_at is None
    timers.add(2, once)
    timers.add(1, often)
    assert timers.next_at == 1
    assert not timers.run_one(0.9)
    for now in (1, 2, 3):
        while timers.run_one(now):
            pass
    assert ran == [("often", 1), ("once", 2), ("often", 2), ("often", 3)]
    assert timers.next_at is None


def test_percentiles_are_the_upper_edge_of_their_bucket() -> None:
    histogram = LatenessHistogram()
    assert histogram.figures()["p99_ms"] == 0
    histogram.add(0.000_02, 98)
    histogram.add(0.001_01, 1)
    histogram.add(7.0, 1)
    histogram.add(-0.1, 0)
    assert histogram.percentile_ms(50) == pytest.approx(0.05)
    assert histogram.percentile_ms(99) == pytest.approx(1.05)
    assert histogram.figures() == {
        "packets": 100,
        "p50_ms": pytest.approx(0.05),
        "p99_ms": pytest.approx(1.05),
        "p999_ms": pytest.approx(200.0),
        "max_ms": 7000.0,
        "buckets": [98, 0, 1, 0, 0, 0, 0, 0, 1],
        "sum_ms": pytest.approx(205.95),
    }


@given(st.lists(st.integers(1, 9), max_size=40))
def test_messages_survive_any_cut_of_the_stream(cuts: list[int]) -> None:
    messages: list[Any] = [
        Open(1, 10_000, None),
        Connect(
            1,
            "192.0.2.1",
            4000,
            "192.0.2.1",
            4001,
            "PCMU",
            0,
            [0],
            255,
            20,
            [101],
            8000,
            True,
            False,
            {"PCMA": 8},
        ),
        Play(1, 'a "name"\n', ["/tmp/ö.clip"]),
        Measured(1, 2, 3, 4, 0.5, None, None, 1.5, 4.2),
    ]
    stream = b"".join(encode(message) for message in messages)
    reader, read = LineReader[Any](), []
    for size in [*cuts, len(stream)]:
        piece, stream = stream[:size], stream[size:]
        read += reader.feed(piece)
    assert read == messages
