"""Slots, and the schedule that does not drift."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.rtp.packet import RtpPacket
from outdial.telephony.media.pacing import Schedule, SlotWheel
from outdial.telephony.media.sender import Sender

PTIMES_MS = (10, 20, 30, 40, 50, 60)


class Nobody:
    def audio_began(self) -> None: ...

    def play_ended(self, play_id: str, played_ms: int, *, completed: bool, problem: str | None) -> None: ...


def sender(
    sent: list[RtpPacket] | None = None, *, sequence: int = 0, offset: int = 0, ptime_ms: int = 20
) -> Sender:
    leg = Sender(ssrc=7, sequence=sequence, timestamp_offset=offset, load=lambda *_: [], events=Nobody())
    leg.configure(8, ptime_ms, 0xD5)
    if sent is not None:
        leg.send = lambda datagram: sent.append(RtpPacket.parse(datagram))
    return leg


@pytest.mark.parametrize("ptime_ms", PTIMES_MS)
def test_a_stream_sends_once_each_ptime(ptime_ms: int) -> None:
    wheel, sent = SlotWheel(), []
    first = wheel.add(sender(sent, ptime_ms=ptime_ms), ptime_ms, 100)
    assert 100 <= first < 110
    counts = [wheel.send(tick) for tick in range(100, 100 + 10 * ptime_ms)]
    assert sum(counts) == len(sent) == 10
    assert counts.index(1) == first - 100
    assert [packet.timestamp for packet in sent] == [(first + index * ptime_ms) * 8 for index in range(10)]


def test_headers_wrap_where_their_fields_end() -> None:
    wheel, sent = SlotWheel(), []
    wheel.add(sender(sent, sequence=0xFFFF, offset=0xFFFF_FFFF), 20, 0)
    for tick in range(40):
        wheel.send(tick)
    assert [packet.sequence_number for packet in sent] == [0xFFFF, 0]
    assert [packet.timestamp for packet in sent] == [0xFFFF_FFFF, 159]
    assert {packet.ssrc for packet in sent} == {7}


def test_a_refused_packet_with_a_wrapped_timestamp_is_counted_once() -> None:
    wheel, leg = SlotWheel(), sender(offset=1 << 32)

    def refuse(_: bytes) -> None:
        raise ConnectionRefusedError

    leg.send = refuse
    wheel.add(leg, 20, 0)
    wheel.send(0)
    assert (leg.send_errors, leg.packets_sent) == (1, 0)


@given(
    st.lists(st.sampled_from(PTIMES_MS), min_size=1, max_size=80),
    st.integers(0, 10_000),
)
def test_streams_that_start_together_are_spread_over_the_next_ticks(ptimes: list[int], tick: int) -> None:
    wheel = SlotWheel()
    firsts = [wheel.add(sender(ptime_ms=ptime_ms), ptime_ms, tick) for ptime_ms in ptimes]
    for ptime_ms in set(ptimes):
        own = [first for first, ptime in zip(firsts, ptimes, strict=True) if ptime == ptime_ms]
        loads = [own.count(first) for first in range(tick, tick + 10)]
        assert max(loads) - min(loads) <= 1


def test_streams_that_start_over_time_fill_every_slot_evenly() -> None:
    wheel = SlotWheel()
    for tick in range(3000):
        wheel.add(sender(), 20, tick)
    assert {wheel.load(tick) for tick in range(20)} == {150}


def test_streams_of_another_ptime_go_where_there_is_room() -> None:
    wheel = SlotWheel()
    for tick in range(5):
        for _ in range(4):
            wheel.add(sender(), 20, tick)
    assert wheel.load(wheel.add(sender(ptime_ms=30), 30, 0)) == 1 + min(
        wheel.load(tick) for tick in range(10)
    )


def test_who_has_left_sends_no_more() -> None:
    wheel, sent = SlotWheel(), []
    leg = sender(sent)
    wheel.add(leg, 20, 0)
    assert len(wheel) == 1
    wheel.remove(leg)
    wheel.remove(leg)
    assert len(wheel) == 0
    assert sum(wheel.send(tick) for tick in range(20)) == 0


def test_the_next_busy_tick_is_found() -> None:
    wheel = SlotWheel()
    first = wheel.add(sender(), 60, 7)
    assert wheel.next_busy(first) == first
    assert wheel.next_busy(first + 1) == first + 60


def test_a_packet_that_the_kernel_refuses_is_counted_and_the_others_are_sent() -> None:
    wheel, sent = SlotWheel(), []
    refused = sender()

    def refuse(_: bytes) -> None:
        raise ConnectionRefusedError

    refused.send = refuse
    wheel.add(refused, 20, 0)
    wheel.add(sender(sent), 20, 0)
    for tick in range(20):
        wheel.send(tick)
    assert (refused.send_errors, refused.packets_sent, len(sent)) == (1, 0, 1)


def test_the_schedule_is_absolute() -> None:
    schedule = Schedule(1000.0)
    assert schedule.due_at(250) == 1000.25
    assert schedule.tick_at(1000.2504) == 250
    assert schedule.tick_at(schedule.due_at(1_000_000_007) + 1e-5) == 1_000_000_007


def test_a_short_stall_is_made_up_for_and_a_long_one_is_skipped() -> None:
    schedule = Schedule(0.0)
    assert schedule.without_backlog(100, 0.119) == 100
    assert schedule.skipped_ticks == 0
    assert schedule.without_backlog(100, 0.5) == 480
    assert schedule.skipped_ticks == 380


def test_after_a_stall_no_stream_sends_a_burst_and_timestamps_show_the_gap() -> None:
    wheel, sent, schedule = SlotWheel(), [], Schedule(0.0)
    wheel.add(sender(sent), 20, 0)
    for tick in range(40):
        wheel.send(tick)
    tick = schedule.without_backlog(40, 0.3)
    before = len(sent)
    while tick <= schedule.tick_at(0.3):
        wheel.send(tick)
        tick += 1
    assert len(sent) - before <= 2
    assert [packet.sequence_number for packet in sent] == list(range(len(sent)))
    assert sent[-1].timestamp == (sent[-1].timestamp // 160) * 160
    assert 280 * 8 <= sent[-1].timestamp <= 300 * 8
