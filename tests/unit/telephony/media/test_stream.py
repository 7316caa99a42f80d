"""A stream in this process, with a host whose clock the test turns."""

import errno
import gc
import socket
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.media_far_end import FarEnd

from outdial.rtp.packet import RtpPacket
from outdial.rtp.telephone_event import telephone_event_packets
from outdial.telephony.media.clip_cache import ClipCache
from outdial.telephony.media.g711_mix import translate
from outdial.telephony.media.pacing import SlotWheel
from outdial.telephony.media.protocol import (
    Configure,
    Connect,
    Join,
    KeyPressed,
    LatchedTo,
    Measured,
    MessageEnded,
    NotJoined,
    PlayEnded,
    RecordMessage,
    Report,
    Silent,
)
from outdial.telephony.media.recording import Recording
from outdial.telephony.media.room import Room
from outdial.telephony.media.sender import Sender
from outdial.telephony.media.stream import Stream
from outdial.telephony.media.timers import Timers
from outdial.telephony.media.udp_pair import bind_pair


class TurnedHost:
    """A worker without a loop: `run` turns its clock and does what is due."""

    def __init__(self) -> None:
        self.config = Configure("127.0.0.1", 46, 30.0, 0.5, 5.0, 1 << 20)
        self.wheel = SlotWheel()
        self.timers = Timers()
        self.clips = ClipCache(1 << 20)
        self.reports: list[Report] = []
        self.problems: list[str] = []
        self.time = 0.0

    def emit(self, report: Report) -> None:
        self.reports.append(report)

    def now(self) -> float:
        return self.time

    def unix_time(self) -> float:
        return 1_700_000_000 + self.time

    def next_tick(self) -> int:
        return int(self.time * 1000)

    def random_bits(self, bits: int) -> int:
        return 4242 & (1 << bits) - 1

    def note_problem(self, name: str, error: OSError) -> None:
        self.problems.append(name)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 1000)):
            self.wheel.send(self.next_tick())
            self.time = round(self.time + 0.001, 3)
            while self.timers.run_one(self.time):
                pass


@pytest.fixture
def host() -> TurnedHost:
    return TurnedHost()


@pytest.fixture
def far() -> Iterator[FarEnd]:
    with FarEnd() as far:
        yield far


def open_stream(host: TurnedHost, recording: Recording | None = None) -> Stream:
    for port in range(52_000, 60_000, 2):
        try:
            rtp, rtcp = bind_pair("127.0.0.1", port, 46)
        except OSError:
            continue
        return Stream(1, rtp, rtcp, host, recording)
    raise AssertionError("no port pair is free")


def agreed(far: FarEnd, *, may_send: bool = True, may_receive: bool = True, codec: str = "PCMU") -> Connect:
    host, port = far.address
    return Connect(
        1, host, port, host, port + 1, codec, 0, [0], 255, 20, [101], 8000, may_send, may_receive, {}
    )


def count_senders() -> int:
    """Senders cannot be referred to weakly."""
    return sum(isinstance(thing, Sender) for thing in gc.get_objects())


def test_a_closed_stream_leaves_nothing_behind(host: TurnedHost, far: FarEnd, tmp_path: Path) -> None:
    """The worker has no garbage collector: a cycle would be a leak with each call."""
    clip = tmp_path / "a.clip"
    clip.write_bytes(bytes(800))
    gc.collect()
    senders = count_senders()
    gc.disable()
    try:
        stream = open_stream(host, Recording(tmp_path / "r.ulaw"))
        stream.connect(agreed(far))
        stream.play("one", [str(clip), str(clip)])
        host.run(0.05)
        far.say(stream.rtp.getsockname()[1])
        stream.rtp_readable(host.time)
        stream.connect(agreed(far, may_send=False))
        stream.connect(agreed(far))
        host.run(0.05)
        stream.close()
        parts = [weakref.ref(part) for part in (stream, stream.inbound, stream.inbound.reception)]
        del stream
        host.run(31)
        assert [part() for part in parts] == [None, None, None]
        assert count_senders() == senders
        assert host.timers.next_at is None
    finally:
        gc.enable()


def test_a_stream_that_hears_nothing_times_out_once_and_late_by_a_tenth_at_most(
    host: TurnedHost, far: FarEnd
) -> None:
    stream = open_stream(host)
    stream.connect(agreed(far))
    host.run(29.9)
    assert Silent(1) not in host.reports
    host.run(3.2)
    assert Silent(1) in host.reports
    host.run(60)
    assert host.reports.count(Silent(1)) == 1
    stream.close()


@pytest.mark.parametrize(
    ("may_send", "may_receive"),
    [(False, True), (False, False), (True, False)],
    ids=["sendonly", "inactive", "recvonly"],
)
def test_a_stream_on_hold_may_hear_nothing_for_as_long_as_it_is_held(
    host: TurnedHost, far: FarEnd, may_send: bool, may_receive: bool
) -> None:
    """Many phones say `sendonly`, or `c=0.0.0.0`, and send no music."""
    stream = open_stream(host)
    stream.connect(agreed(far))
    host.run(20)
    stream.connect(agreed(far, may_send=may_send, may_receive=may_receive))
    host.run(100)
    assert Silent(1) not in host.reports
    stream.connect(agreed(far))
    host.run(29.9)
    assert Silent(1) not in host.reports, "it has its whole time again when the hold is over"
    host.run(3.2)
    assert Silent(1) in host.reports
    stream.close()


def pcma_beside(agreed: Connect) -> Connect:
    return agreed._replace(other_codecs={"PCMA": 8, "G722": 9})


def test_g711_of_the_other_law_is_heard_as_well(host: TurnedHost, far: FarEnd, tmp_path: Path) -> None:
    """Of an answer with both laws the far end may send either, and change when it likes (RFC 3264 §6.1)."""
    path = tmp_path / "r.ulaw"
    stream = open_stream(host, Recording(path))
    stream.connect(pcma_beside(agreed(far)))
    port = stream.rtp.getsockname()[1]
    far.say(port, b"\x10" * 160, payload_type=8)
    stream.rtp_readable(host.time)
    far.say(port, b"\x20" * 160, payload_type=0)
    stream.rtp_readable(host.time)
    stream.close()
    assert LatchedTo(1, *far.address) in host.reports
    assert path.read_bytes() == translate(b"\x10" * 160, "PCMA", "PCMU") + b"\x20" * 160


def test_a_codec_that_cannot_be_translated_keeps_the_stream_alive(
    host: TurnedHost, far: FarEnd, tmp_path: Path
) -> None:
    path = tmp_path / "r.ulaw"
    stream = open_stream(host, Recording(path))
    stream.connect(pcma_beside(agreed(far)))
    host.run(20)
    far.say(stream.rtp.getsockname()[1], b"\x10" * 160, payload_type=9)
    stream.rtp_readable(host.time)
    host.run(20)
    assert Silent(1) not in host.reports
    stream.close()
    assert path.read_bytes() == b""


def test_reports_go_where_the_description_says(host: TurnedHost, far: FarEnd) -> None:
    """`a=rtcp` (RFC 3605), until reports come from elsewhere."""
    stream = open_stream(host)
    with FarEnd() as elsewhere:
        there, port = elsewhere.rtcp.getsockname()
        stream.connect(agreed(far)._replace(rtcp_address=there, rtcp_port=port))
        host.run(8)
        assert elsewhere.reports()
        assert far.reports() == []
    stream.close()


def test_a_report_finds_its_way_where_the_far_end_sends_from_the_last_port(
    host: TurnedHost, far: FarEnd
) -> None:
    """There is no port above it for RTCP."""
    stream = open_stream(host)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.bind(("127.0.0.9", 65_535))
        stream.connect(agreed(far))
        last.sendto(RtpPacket(0, 1, 160, 7, bytes(160)).to_bytes(), stream.rtp.getsockname())
        stream.rtp_readable(host.time)
        host.run(8)
    stream.close()
    assert isinstance(host.reports[-1], Measured)


def test_a_sender_report_keeps_a_stream_alive_and_a_receiver_report_does_not(
    host: TurnedHost, far: FarEnd
) -> None:
    from outdial.rtp.reception import Reception
    from outdial.rtp.rtcp_session import RtcpSession, Sent

    there = RtcpSession(9, "there", 8000, first_sequence=0)
    for sends in (True, False):
        host.reports.clear()
        stream = open_stream(host)
        stream.connect(agreed(far))
        for second in range(50):
            host.run(1)
            sent = Sent(0, second + 1, 160) if sends else None
            far.rtcp.sendto(there.report(sent, Reception(8000), second), stream.rtcp.getsockname())
            stream.rtcp_readable(host.time)
        assert (Silent(1) in host.reports) is not sends
        stream.close()


def test_a_callee_is_heard_and_hears_where_the_kernel_has_no_route_at_the_moment_of_latching(
    host: TurnedHost, far: FarEnd
) -> None:
    class Unroutable(socket.socket):
        def connect(self, address: object) -> None:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    made = open_stream(host)
    rtp, rtcp = Unroutable(fileno=made.rtp.detach()), made.rtcp
    stream = Stream(1, rtp, rtcp, host)
    stream.connect(agreed(far))
    far.say(rtp.getsockname()[1])
    stream.rtp_readable(host.time)
    assert host.problems == ["latch_incomplete"]
    before = stream.sender.packets_sent
    host.run(0.1)
    assert (stream.sender.packets_sent - before, stream.sender.send_errors) == (5, 0)
    stream.close()


def test_another_codec_ends_what_is_being_played(host: TurnedHost, far: FarEnd, tmp_path: Path) -> None:
    clip = tmp_path / "a.clip"
    clip.write_bytes(bytes(8000))
    stream = open_stream(host)
    stream.connect(agreed(far))
    stream.play("one", [str(clip)])
    host.run(0.1)
    stream.connect(agreed(far, codec="PCMA"))
    (ended,) = [report for report in host.reports if isinstance(report, PlayEnded)]
    assert (ended.play_id, ended.completed) == ("one", False)
    stream.close()


def test_old_hold_without_an_address_sends_nothing(host: TurnedHost, far: FarEnd) -> None:
    stream = open_stream(host)
    stream.connect(agreed(far)._replace(address="0.0.0.0", rtcp_address="0.0.0.0"))
    host.run(10)
    assert len(host.wheel) == 0
    assert host.problems == []
    stream.close()


def test_quality_is_none_where_nobody_said_anything(host: TurnedHost, far: FarEnd) -> None:
    stream = open_stream(host)
    stream.connect(agreed(far))
    host.run(0.2)
    assert stream.measured() == Measured(1, 10, 0, 0, None, None, None, None, None)
    stream.close()


def test_what_came_is_judged_where_the_far_end_does_not_report(host: TurnedHost, far: FarEnd) -> None:
    stream = open_stream(host)
    stream.connect(agreed(far))
    far.say(stream.rtp.getsockname()[1])
    stream.rtp_readable(host.time)
    assert LatchedTo(1, *far.address) in host.reports
    assert stream.measured().mos == pytest.approx(4.38, abs=0.02)
    stream.close()


def test_the_dialer_is_told_the_quality_soon_and_then_seldom(host: TurnedHost, far: FarEnd) -> None:
    stream = open_stream(host)
    stream.connect(agreed(far))
    host.run(8)
    assert sum(isinstance(report, Measured) for report in host.reports) == 1
    host.run(52)
    assert sum(isinstance(report, Measured) for report in host.reports) in range(2, 6)
    stream.close()
    last = host.reports[-1]
    assert isinstance(last, Measured)
    assert last.packets_sent == stream.sender.packets_sent > 2_900


def test_a_report_that_cannot_be_sent_is_counted(host: TurnedHost, far: FarEnd) -> None:
    stream = open_stream(host)
    stream.connect(agreed(far)._replace(rtcp_address="255.255.255.255"))
    host.run(8)
    assert "report_not_sent" in host.problems
    stream.close()


def test_an_icmp_error_on_either_socket_is_survived(host: TurnedHost) -> None:
    with FarEnd() as gone:
        agreement = agreed(gone)
        stream = open_stream(host)
        stream.connect(agreement)
        gone.say(stream.rtp.getsockname()[1])
        stream.rtp_readable(host.time)
    host.run(20)
    stream.rtp_readable(host.time)
    stream.rtcp_readable(host.time)
    host.run(1)
    assert stream.sender.send_errors > 0
    stream.close()


def test_comfort_noise_counts_and_is_not_recorded(host: TurnedHost, far: FarEnd, tmp_path: Path) -> None:
    path = tmp_path / "r.ulaw"
    stream = open_stream(host, Recording(path))
    stream.connect(agreed(far))
    port = stream.rtp.getsockname()[1]
    far.say(port, b"\x40", payload_type=13)
    far.say(port)
    stream.rtp_readable(host.time)
    stream.rtp_readable(host.time)
    stream.close()
    assert stream.inbound.reception.packets_received == 2
    assert len(path.read_bytes()) == 160


def test_another_clock_of_events_counts_from_the_change_on(host: TurnedHost, far: FarEnd) -> None:
    stream = open_stream(host)
    for rate in (8_000, 16_000):
        stream.connect(agreed(far)._replace(event_rate=rate))
        for packet in telephone_event_packets("7", 60, rate=rate):
            far.say(stream.rtp.getsockname()[1], packet.payload, payload_type=101, timestamp=rate)
            stream.rtp_readable(host.time)
    assert [each for each in host.reports if isinstance(each, KeyPressed)] == [KeyPressed(1, "7", 60)] * 2
    stream.close()


def test_what_has_arrived_before_the_end_is_heard(host: TurnedHost, far: FarEnd, tmp_path: Path) -> None:
    path = tmp_path / "r.ulaw"
    stream = open_stream(host, Recording(path))
    stream.connect(agreed(far))
    port = stream.rtp.getsockname()[1]
    far.say(port)
    stream.rtp_readable(host.time)
    far.say(port)
    for packet in telephone_event_packets("7", 60):
        far.say(port, packet.payload, payload_type=101, timestamp=480)
    stream.close()  # nothing was read meanwhile
    assert KeyPressed(1, "7", 60) in host.reports
    assert isinstance(host.reports[-1], Measured)
    assert host.reports.index(KeyPressed(1, "7", 60)) < len(host.reports) - 1
    assert path.read_bytes()[160:320] == bytes(160)


def hear_speech(host: TurnedHost, stream: Stream, far: FarEnd, payload: bytes, packets: int) -> None:
    """The far end sends a packet every 20 ms."""
    for _ in range(packets):
        far.say(stream.rtp.getsockname()[1], payload)
        stream.rtp_readable(host.time)
        host.run(0.02)


def test_a_message_ends_when_nobody_has_spoken_for_its_silence(
    host: TurnedHost, far: FarEnd, tmp_path: Path
) -> None:
    stream = open_stream(host)
    stream.connect(agreed(far))
    hear_speech(host, stream, far, bytes(160), 10)
    path = tmp_path / "message"
    stream.record_message(RecordMessage(1, "m", str(path), 0.5))
    hear_speech(host, stream, far, b"\x90" * 160, 20)
    hear_speech(host, stream, far, b"\xff" * 160, 20)
    assert not [report for report in host.reports if isinstance(report, MessageEnded)]
    hear_speech(host, stream, far, b"\xff" * 160, 15)
    [ended] = [report for report in host.reports if isinstance(report, MessageEnded)]
    assert ended == MessageEnded(1, "m", ended.duration_ms, True, None)
    assert 800 <= ended.duration_ms <= 1_000
    assert path.read_bytes().startswith(b"\x90" * 3_200 + b"\xff" * 160)
    hear_speech(host, stream, far, b"\x90" * 160, 5)
    assert path.stat().st_size == ended.duration_ms * 8, "what is said afterwards is not in it"
    stream.close()


def test_a_message_is_on_disk_up_to_the_last_second(host: TurnedHost, far: FarEnd, tmp_path: Path) -> None:
    stream = open_stream(host)
    stream.connect(agreed(far))
    hear_speech(host, stream, far, bytes(160), 10)
    path = tmp_path / "message"
    stream.record_message(RecordMessage(1, "m", str(path), 0.0))
    hear_speech(host, stream, far, b"\x90" * 160, 100)
    assert path.stat().st_size >= 1.7 * 8_000, "it has not ended, and may never"
    stream.close()
    assert MessageEnded(1, "m", 2_000, False, None) in host.reports


def test_a_message_that_cannot_be_written_ends_with_what_the_disk_says(
    host: TurnedHost, far: FarEnd, tmp_path: Path
) -> None:
    stream = open_stream(host)
    stream.connect(agreed(far))
    stream.record_message(RecordMessage(1, "m", str(tmp_path / "no" / "where"), 0.0))
    [ended] = [report for report in host.reports if isinstance(report, MessageEnded)]
    assert ended.problem is not None
    assert "No such file" in ended.problem
    stream.close()


def test_the_kernel_filters_exactly_while_nobody_listens(
    host: TurnedHost, far: FarEnd, tmp_path: Path
) -> None:
    stream = open_stream(host)
    stream.connect(agreed(far))
    room = Room()
    hear_speech(host, stream, far, bytes(160), 80)
    assert stream.inbound.filtering
    stream.join(Join(1, "r", False), room)
    assert not stream.inbound.filtering
    stream.record_message(RecordMessage(1, "m", str(tmp_path / "m"), 0.0))
    stream.leave()
    assert not stream.inbound.filtering, "the message goes on"
    stream.stop_message()
    assert stream.inbound.filtering
    hear_speech(host, stream, far, bytes(160), 20)
    assert stream.inbound.rtp_flows()
    assert stream.inbound.reception.packets_received == 100, "none is counted twice or lost"
    stream.close()


def test_a_stream_that_leaves_a_room_or_closes_is_in_it_no_more(host: TurnedHost, far: FarEnd) -> None:
    stream = open_stream(host)
    room, other = Room(), Room()
    stream.join(Join(1, "r", False), room)
    assert NotJoined(1, "the leg has no media yet") in host.reports
    stream.connect(agreed(far))
    stream.join(Join(1, "r", False), room)
    stream.join(Join(1, "other", True), other)
    assert (len(room.members), len(other.members)) == (0, 1)
    stream.close()
    assert not other.members
