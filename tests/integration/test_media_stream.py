"""A stream of a real worker process, heard and answered on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests.helpers.media_far_end import FarEnd, until

from outdial.errors import NoFreePort
from outdial.rtp.reception import Reception
from outdial.rtp.rtcp import Goodbye, SenderReport, SourceDescription, parse_compound
from outdial.rtp.rtcp_session import RtcpSession, Sent
from outdial.rtp.telephone_event import telephone_event_packets
from outdial.sdp.codec import G722, PCMA, PCMU, Codec
from outdial.sdp.direction import Direction
from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.events import (
    DigitReceived,
    DigitStarted,
    FirstAudioSent,
    Latched,
    MediaEvent,
    PlayFinished,
    RecordingCut,
    RtpTimeout,
)
from outdial.telephony.media.options import MediaOptions

PORTS = iter(range(21_000, 32_700, 40))


def options(**changes: object) -> MediaOptions:
    """A range of ports that no other test uses, and short times."""
    first = next(PORTS)
    defaults: dict[str, object] = {
        "port_min": first,
        "port_max": first + 39,
        "rtcp_interval_s": 0.2,
        "latch_window_s": 0.2,
        "quarantine_s": 0.05,
    }
    return MediaOptions(**(defaults | changes))  # type: ignore[arg-type]


@pytest.fixture
async def client() -> AsyncIterator[MediaClient]:
    client = MediaClient(options())
    await client.start()
    yield client
    await client.stop()


@pytest.fixture
def far() -> Iterator[FarEnd]:
    with FarEnd() as far:
        yield far


def clip(folder: Path, content: bytes, name: str = "sound.clip") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def noise(length_ms: int) -> bytes:
    return bytes(index * 7 % 251 for index in range(8 * length_ms))


@pytest.mark.parametrize("codec", [PCMU, PCMA, G722])
@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 60])
async def test_the_far_end_hears_the_clip_between_true_silence(
    client: MediaClient, far: FarEnd, tmp_path: Path, codec: Codec, ptime_ms: int
) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    stream.connect(far.agreed(codec=codec, ptime_ms=ptime_ms))
    await far.hear(2)
    sound = noise(250)
    stream.play("greeting", [clip(tmp_path, sound)])
    await until(lambda: any(isinstance(event, PlayFinished) for event in events))
    await far.hear(2)
    await stream.close()

    far.take()
    silence = {"PCMU": b"\xff", "PCMA": b"\xd5", "G722": b"\xff"}[codec.name]
    heard = b"".join(packet.payload for packet in far.packets)
    assert heard.strip(silence) == sound.strip(silence)
    assert {len(packet.payload) for packet in far.packets} == {8 * ptime_ms}
    assert {packet.payload_type for packet in far.packets} == {codec.payload_type}
    assert len({packet.ssrc for packet in far.packets}) == 1
    for one, two in pairwise(far.packets):
        assert two.sequence_number - one.sequence_number & 0xFFFF == 1
        assert two.timestamp - one.timestamp & 0xFFFF_FFFF == 8 * ptime_ms
    marked = [index for index, packet in enumerate(far.packets) if packet.marker]
    assert marked[0] == 0
    assert len(marked) == 2, "the first packet, and the one in which the sound begins"
    frames = -(-250 // ptime_ms)
    assert PlayFinished("greeting", frames * ptime_ms, completed=True) in events
    assert sum(isinstance(event, FirstAudioSent) for event in events) == 1


async def test_timestamps_agree_with_the_clock(client: MediaClient, far: FarEnd) -> None:
    stream = await client.open(lambda event: None)
    stream.connect(far.agreed())
    await far.hear(50)
    await stream.close()
    drift = [
        (arrival - far.arrivals[0]) - (packet.timestamp - far.packets[0].timestamp & 0xFFFF_FFFF) / 8000
        for arrival, packet in zip(far.arrivals, far.packets, strict=True)
    ]
    assert min(abs(value) for value in drift[-10:]) < 0.01


async def test_the_next_prompt_starts_with_the_next_packet(
    client: MediaClient, far: FarEnd, tmp_path: Path
) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    stream.connect(far.agreed())
    stream.play("one", [clip(tmp_path, b"\x01" * 80_000, "one.clip")])
    await far.hear(5)
    stream.stop_playing()
    stream.play("two", [clip(tmp_path, b"\x02" * 160, "two.clip")])
    await until(lambda: len([event for event in events if isinstance(event, PlayFinished)]) == 2)
    far.take()
    payloads = [packet.payload[:1] for packet in far.packets]
    assert payloads[payloads.index(b"\x02") - 1] == b"\x01", "no silence in between"
    assert [(event.play_id, event.completed) for event in events if isinstance(event, PlayFinished)] == [
        ("one", False),
        ("two", True),
    ]


async def test_digits_come_once_and_in_order(client: MediaClient, far: FarEnd) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    stream.connect(far.agreed(), announced_event_payload_type=96)
    await far.hear(1)
    far.say(stream.port)
    await until(lambda: Latched(*far.address) in events)
    timestamp = 100_000
    for payload_type, digit in ((101, "1"), (96, "1"), (101, "#")):
        for packet in telephone_event_packets(digit, 60):
            far.say(
                stream.port,
                packet.payload,
                payload_type=payload_type,
                timestamp=timestamp + packet.timestamp_offset,
            )
        timestamp += 3200
    await until(lambda: DigitReceived("#", 60) in events)
    await stream.close()
    digits = [event for event in events if isinstance(event, DigitReceived | DigitStarted)]
    assert digits == [signal for digit in "11#" for signal in (DigitStarted(digit), DigitReceived(digit, 60))]


async def test_a_digit_without_an_end_is_told_by_time(client: MediaClient, far: FarEnd) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    stream.connect(far.agreed())
    await far.hear(1)
    for packet in list(telephone_event_packets("8", 100))[:2]:
        far.say(stream.port, packet.payload, payload_type=101, timestamp=5)
    await until(lambda: DigitReceived("8", 40) in events)


async def test_who_speaks_first_is_followed_and_the_named_address_may_still_claim_the_leg(
    client: MediaClient, far: FarEnd
) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    stream.connect(far.agreed())
    await far.hear(1)
    with FarEnd() as stranger:
        stranger.say(stream.port)
        await stranger.hear(2)
        far.say(stream.port)
        await until(lambda: Latched(*far.address) in events)
        await far.hear(2)
        stranger.take()
        stranger.say(stream.port)
        await far.hear(3)
        assert stranger.take() == []


async def test_rtp_from_behind_nat_is_latched_and_strangers_are_ignored(
    client: MediaClient, far: FarEnd
) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    stream.connect(far.agreed(address=("192.0.2.55", 4000)))
    await until(lambda: far.say(stream.port) or far.take())
    with FarEnd() as stranger:
        stranger.say(stream.port)

        def locked() -> bool:
            far.say(stream.port)
            return Latched(*far.address) in events

        await until(locked)
        stranger.say(stream.port)
        await far.hear(2)
        assert stranger.take() == []
    quality = await stream.close()
    assert quality.packets_lost == 0


async def test_a_reinvite_moves_the_stream_and_latches_anew(client: MediaClient, far: FarEnd) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    stream.connect(far.agreed())
    await far.hear(1)
    far.say(stream.port)
    await until(lambda: Latched(*far.address) in events)
    with FarEnd() as moved:
        stream.connect(moved.agreed())
        await moved.hear(2)
        moved.say(stream.port)
        await until(lambda: Latched(*moved.address) in events)
        (packet, *_) = moved.packets
        assert packet.ssrc == far.packets[0].ssrc


async def test_junk_neither_latches_nor_counts(client: MediaClient, far: FarEnd) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    stream.connect(far.agreed())
    await far.hear(1)
    far.rtp.sendto(b"GET / HTTP/1.1", ("127.0.0.1", stream.port))
    far.say(stream.port, payload_type=18)
    await far.hear(5)
    quality = await stream.close()
    assert quality.packets_received == 0
    assert events == []


async def test_hold_stops_packets_and_resume_shows_the_time_that_passed(
    client: MediaClient, far: FarEnd, tmp_path: Path
) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    stream.connect(far.agreed())
    stream.play("one", [clip(tmp_path, noise(200))])
    await far.hear(4)
    stream.connect(far.agreed(direction=Direction.RECVONLY))
    far.reports()
    reports: list[bytes] = []
    await until(lambda: reports.extend(far.reports()) or len(reports) >= 2)
    far.take()
    before = len(far.packets)
    await until(lambda: reports.extend(far.reports()) or len(reports) >= 3)
    assert far.take() == [], "on hold only RTCP is sent"
    stream.connect(far.agreed())
    await until(lambda: any(isinstance(event, PlayFinished) for event in events))
    far.take()
    last, first = far.packets[before - 1], far.packets[before]
    assert first.sequence_number - last.sequence_number & 0xFFFF == 1
    passed_s = far.arrivals[before] - far.arrivals[before - 1]
    assert (first.timestamp - last.timestamp & 0xFFFF_FFFF) / 8000 == pytest.approx(passed_s, abs=0.03)
    assert first.marker
    heard = b"".join(packet.payload for packet in far.packets).strip(b"\xff")
    assert heard == noise(200).strip(b"\xff"), "nothing of the prompt is lost"


async def test_the_inbound_side_is_recorded_in_order_with_gaps(
    client: MediaClient, far: FarEnd, tmp_path: Path
) -> None:
    path = tmp_path / "callee.ulaw"
    events: list[MediaEvent] = []
    stream = await client.open(events.append, record_to=path)
    stream.connect(far.agreed())
    await far.hear(1)
    far.say(stream.port, bytes(160), sequence_number=100, timestamp=0)
    await until(lambda: Latched(*far.address) in events)
    for number in (1, 3, 2, 5, 6):  # outside of the sample: a recorded leg has no filter
        far.say(stream.port, bytes((number,)) * 160, sequence_number=100 + number, timestamp=number * 160)
    await until(lambda: path.stat().st_size == 7 * 160)  # flushed while the call goes on
    await stream.close()
    expected = [bytes((number,)) * 160 for number in range(7)]
    expected[4] = b"\xff" * 160
    assert path.read_bytes() == b"".join(expected)


async def test_a_recording_that_cannot_be_begun_is_told_and_the_stream_goes_on(
    client: MediaClient, far: FarEnd, tmp_path: Path
) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append, record_to=tmp_path / "none" / "x.ulaw")
    await until(lambda: RecordingCut(0, "No such file or directory") in events)
    stream.connect(far.agreed())
    await far.hear(1)
    await stream.close()


async def test_a_disk_that_refuses_is_told_once_with_what_it_has(
    client: MediaClient, far: FarEnd, tmp_path: Path
) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append, record_to=Path("/dev/full"))
    stream.connect(far.agreed())
    await far.hear(1)
    for number in range(20):
        far.say(stream.port, bytes(160), sequence_number=number, timestamp=number * 160)
    await until(lambda: RecordingCut(0, "No space left on device") in events)
    for number in range(20, 40):
        far.say(stream.port, bytes(160), sequence_number=number, timestamp=number * 160)
    quality = await stream.close()
    assert quality.packets_received == 40
    assert sum(isinstance(event, RecordingCut) for event in events) == 1


async def test_silence_of_the_far_end_is_told_once() -> None:
    client = MediaClient(options(rtp_timeout_s=0.3))
    await client.start()
    with FarEnd() as far, FarEnd() as held, FarEnd() as talking:
        events: dict[str, list[MediaEvent]] = {"silent": [], "held": [], "talking": []}
        silent_stream = await client.open(events["silent"].append)
        silent_stream.connect(far.agreed())
        held_stream = await client.open(events["held"].append)
        held_stream.connect(held.agreed(direction=Direction.SENDONLY))
        talking_stream = await client.open(events["talking"].append)
        talking_stream.connect(talking.agreed())
        await talking.hear(1)

        def timed_out() -> bool:
            talking.say(talking_stream.port)
            return RtpTimeout() in events["silent"]

        await until(timed_out)
        for _ in range(60):
            talking.say(talking_stream.port)
            await asyncio.sleep(0.01)
        assert events["silent"] == [RtpTimeout()]
        assert RtpTimeout() not in events["held"]
        assert RtpTimeout() not in events["talking"], "a filtered leg is alive by what the kernel drops"
    await client.stop()


async def test_a_filtered_leg_knows_what_was_lost(client: MediaClient, far: FarEnd) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    stream.connect(far.agreed())
    await far.hear(1)
    far.say(stream.port, sequence_number=0)
    await until(lambda: Latched(*far.address) in events)
    for number in range(1, 512 + 8):
        if number % 10 != 9:
            far.say(stream.port, sequence_number=number, timestamp=number * 160)
    quality = await stream.close()
    assert quality.packets_received == pytest.approx(468, abs=1)
    assert quality.packets_lost == pytest.approx(52, abs=3)


async def test_reports_go_both_ways(client: MediaClient, far: FarEnd) -> None:
    stream = await client.open(lambda event: None)
    stream.connect(far.agreed())
    (first, *_) = await far.hear(1)
    there = RtcpSession(77, "there", 8000, first_sequence=0)
    reception = Reception(8000)
    reports: list[bytes] = []
    for _ in range(2):
        reports.clear()
        await until(lambda: reports.extend(far.reports()) or reports)
        for packet in far.take():
            if packet.sequence_number % 4:
                reception.receive(packet.ssrc, packet.sequence_number, packet.timestamp, 0.0)
        there.receive(reports[-1], 1000.0)
        far.rtcp.sendto(there.report(Sent(0, 1, 160), reception, 1000.0), ("127.0.0.1", stream.port + 1))
    report, description = parse_compound(reports[-1])
    assert isinstance(report, SenderReport)
    assert isinstance(description, SourceDescription)
    assert report.ssrc == first.ssrc
    assert len(description.cname) == 16
    await until(far.reports)
    quality = await stream.close()
    assert quality.remote_loss == pytest.approx(0.25, abs=0.15)
    assert quality.round_trip_ms is not None
    assert 0 <= quality.round_trip_ms < 500
    assert quality.mos is not None
    assert 1 <= quality.mos < 4
    goodbyes: list[bytes] = []
    await until(
        lambda: (
            goodbyes.extend(far.reports())
            or any(Goodbye((first.ssrc,)) in parse_compound(g) for g in goodbyes)
        )
    )


async def test_rtcp_of_a_stranger_is_ignored(client: MediaClient, far: FarEnd) -> None:
    stream = await client.open(lambda event: None)
    stream.connect(far.agreed())
    (first, *_) = await far.hear(1)
    there = RtcpSession(77, "there", 8000, first_sequence=0)
    reception = Reception(8000)
    reception.receive(first.ssrc, first.sequence_number, 0, 0.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        stranger.sendto(there.report(None, reception, 1.0), ("127.0.0.1", stream.port + 1))
        far.rtcp.sendto(b"junk", ("127.0.0.1", stream.port + 1))
        await far.hear(5)
    quality = await stream.close()
    assert quality.remote_loss is None


async def test_a_missing_clip_is_told_and_silence_goes_on(
    client: MediaClient, far: FarEnd, tmp_path: Path
) -> None:
    events: list[MediaEvent] = []
    stream = await client.open(events.append)
    stream.connect(far.agreed())
    stream.play("one", [tmp_path / "none.clip"])
    await until(lambda: events)
    (event,) = events
    assert isinstance(event, PlayFinished)
    assert not event.completed
    assert event.problem is not None
    assert "No such file" in event.problem
    await far.hear(2)


async def test_a_used_port_is_passed_over_and_ports_are_counted_exactly() -> None:
    first, now = next(PORTS), 0.0
    options = MediaOptions(port_min=first, port_max=first + 7, quarantine_s=5, rtcp_interval_s=5)
    client = MediaClient(options, clock=lambda: now)
    await client.start()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp_taken,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtcp_taken,
    ):
        rtp_taken.bind(("127.0.0.1", first))
        rtcp_taken.bind(("127.0.0.1", first + 3))
        one = await client.open(lambda event: None)
        two = await client.open(lambda event: None)
        # A client begins somewhere in its range, so that either may come first.
        assert {one.port, two.port} == {first + 4, first + 6}
        with pytest.raises(NoFreePort):
            await client.open(lambda event: None)
    await one.close()
    with pytest.raises(NoFreePort):
        await client.open(lambda event: None)
    now = 4.9
    assert client.free_ports == 0
    now = 5.0
    assert client.free_ports == 3
    three = await client.open(lambda event: None)
    assert three.port != one.port, "a port that just served a call rests longest"
    await client.stop()


async def test_closing_twice_and_closing_what_was_never_connected(client: MediaClient) -> None:
    stream = await client.open(lambda event: None)
    quality, again = await asyncio.gather(stream.close(), stream.close())
    assert quality == again == await stream.close()
    assert quality.packets_sent == 0
    stream.play("late", [])
    stream.stop_playing()


async def test_starting_and_stopping_twice() -> None:
    client = MediaClient(options())
    await client.stop()
    await client.start()
    await client.start()
    assert len(client.worker_pids) == 1
    await client.stop()
    await client.stop()
    assert client.worker_pids == []
