"""Loss and jitter, exact and from a filtered leg's sample."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.rtp.reception import Reception, is_sampled, sampled_below

SSRC = 7
PTIME_S = 0.02


class Leg:
    """A far end that sends 50 packets a second, and a kernel that passes all of them, or only the sample."""

    def __init__(self, *, sampled: bool = False, counts: bool = True, first: int = 0) -> None:
        self.reception = Reception(8000, sampled=sampled)
        self._sampled = sampled
        self._counts = counts
        self._dropped = 0
        self._number = first
        self._first = first

    def send(self, *, lost: bool = False, late_s: float = 0.0, times: int = 1) -> None:
        index = self._number - self._first
        sequence_number = self._number & 0xFFFF
        self._number += 1
        for _ in range(0 if lost else times):
            if self._sampled and not is_sampled(sequence_number):
                self._dropped += 1
                continue
            dropped = self._dropped if self._counts else None
            self.reception.receive(SSRC, sequence_number, index * 160, index * PTIME_S + late_s, dropped)

    def send_many(self, count: int) -> "Leg":
        for _ in range(count):
            self.send()
        return self


def test_nothing_heard_is_nothing_lost() -> None:
    reception = Reception(8000)
    assert (reception.expected, reception.lost, reception.packets_received, reception.ssrc) == (0, 0, 0, None)
    assert reception.fraction_lost() == 0


@given(st.integers(0, 0xFFFF), st.integers(1, 400), st.sets(st.integers(1, 398)))
def test_every_lost_packet_is_counted_across_the_wrap(first: int, count: int, lost: set[int]) -> None:
    leg = Leg(first=first)
    for index in range(count):
        leg.send(lost=index in lost and index < count - 1)
    assert leg.reception.lost == len([index for index in lost if index < count - 1])
    assert leg.reception.expected == count
    assert leg.reception.highest_sequence == first + count - 1


def test_a_late_packet_is_not_lost_and_a_copy_counts_against_loss() -> None:
    reception = Reception(8000)
    for sequence_number in (10, 12, 11, 11, 13):
        reception.receive(SSRC, sequence_number, None, 0)
    assert (reception.expected, reception.lost, reception.packets_received) == (4, -1, 5)


def test_the_fraction_is_of_the_packets_since_the_last_report() -> None:
    leg = Leg().send_many(100)
    assert leg.reception.fraction_lost() == 0
    for index in range(100):
        leg.send(lost=index % 4 == 1)
    assert leg.reception.fraction_lost() == 64
    assert leg.reception.fraction_lost() == 0
    leg.send(times=9)
    assert leg.reception.fraction_lost() == 0, "copies cannot make it negative"


def test_losing_nearly_everything_fits_the_field() -> None:
    reception = Reception(8000)
    reception.receive(SSRC, 0, None, 0)
    reception.fraction_lost()
    reception.receive(SSRC, 2000, None, 1)
    assert reception.fraction_lost() == 255


def test_a_restarted_sender_loses_nothing() -> None:
    reception = Reception(8000)
    for sequence_number in (1, 2, 4, 30_000, 30_001, 30_002):
        reception.receive(SSRC, sequence_number, None, 0)
    assert reception.lost == 1, "the lone 3; the jump is a restart as soon as a second packet confirms it"
    assert reception.highest_sequence == 30_002
    reception.receive(SSRC + 1, 5, None, 0)
    reception.receive(SSRC + 1, 7, None, 0)
    assert reception.lost == 2
    assert reception.ssrc == SSRC + 1


def test_one_absurd_sequence_number_changes_nothing() -> None:
    reception = Reception(8000)
    for sequence_number in (1, 2, 30_000, 3, 4):
        reception.receive(SSRC, sequence_number, None, 0)
    assert (reception.expected, reception.lost) == (4, 0)


def test_an_even_stream_has_no_jitter() -> None:
    assert Leg().send_many(500).reception.jitter_s == pytest.approx(0, abs=2e-4)


@pytest.mark.parametrize("sampled", [False, True])
def test_jitter_is_the_mean_change_of_transit_time(sampled: bool) -> None:
    leg, chance = Leg(sampled=sampled), random.Random(3)
    for _ in range(4000):
        leg.send(late_s=chance.random() * 0.03)
    # The mean distance of two random points of [0, 30] ms is a third of the range.
    assert leg.reception.jitter_s == pytest.approx(0.010, abs=0.004)
    assert leg.reception.jitter == int(leg.reception.jitter_s * 8000)


def test_a_clock_that_runs_fast_is_no_jitter_between_two_runs_of_the_sample() -> None:
    leg = Leg(sampled=True)
    for index in range(4000):
        leg.send(late_s=index * PTIME_S * 0.001)
    assert leg.reception.jitter_s < 0.0003


def test_a_sender_that_resets_its_timestamps_makes_no_jitter() -> None:
    reception = Reception(8000)
    reception.receive(SSRC, 1, 0, 0.0)
    reception.receive(SSRC, 2, 0x7000_0000, 0.02)
    assert reception.jitter_s == 0


@given(st.integers(0, 5000))
def test_the_size_of_the_sample_is_exact(count: int) -> None:
    assert sampled_below(count) == sum(is_sampled(number & 0xFFFF) for number in range(count))


def test_a_filtered_leg_with_the_kernels_count_knows_every_loss() -> None:
    leg, chance = Leg(sampled=True, first=65_024).send_many(8), random.Random(1)
    lost = 0
    for _ in range(20 * 256):
        gone = chance.random() < 0.02
        leg.send(lost=gone)
        lost += gone
    leg.send_many(-leg._number % 256 + 1)
    assert leg.reception.lost == lost
    assert leg.reception.packets_received == leg.reception.expected - lost


@pytest.mark.parametrize("loss", [0.0, 0.02, 0.1, 0.3])
def test_without_the_count_the_sample_stands_for_the_whole(loss: float) -> None:
    leg, chance = Leg(sampled=True, counts=False, first=100), random.Random(2)
    for _ in range(200 * 256):
        leg.send(lost=chance.random() < loss)
    estimate = leg.reception.lost / leg.reception.expected
    assert estimate == pytest.approx(loss, abs=0.03 if loss else 0)


def test_a_sample_that_has_begun_with_a_packet_outside_of_it() -> None:
    reception = Reception(8000, sampled=True)
    reception.receive(SSRC, 100, None, 0, None)
    assert (reception.expected, reception.lost) == (1, 0)


def test_growth_of_the_kernels_count_is_a_sign_of_life() -> None:
    reception = Reception(8000, sampled=True)
    assert reception.note_dropped(3)
    assert not reception.note_dropped(3)
    assert not reception.note_dropped(None)
    assert reception.packets_received == 0
