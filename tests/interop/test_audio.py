"""Sound and digits between a real media worker and far ends that are not ours."""

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from outdial.audio.clip import SAMPLE_RATES
from outdial.domain.disposition import EndReason, HangupBy
from outdial.telephony.leg_values import LegEnd
from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.options import MediaOptions
from tests.helpers.sound import captured_rtp, likeness, melody, write_clip
from tests.interop.caller import PATIENT, Caller, answered, end_of, ladder, until
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp

CAPTURES = Path("/usr/share/sip-tester")
ECHO = ("-rtp_echo",)


@pytest.fixture
async def talker() -> AsyncIterator[Caller]:
    """A caller with a real media worker."""
    media = MediaClient(MediaOptions(port_min=42_000, port_max=43_000, rtp_timeout_s=2.0))
    await media.start()
    async with Caller(timer_values=PATIENT, media=media) as ready:
        yield ready
    await media.stop()


@pytest.mark.parametrize(
    ("sdp", "codec", "ptime_ms"),
    [("pcmu", "PCMU", 20), ("pcma_only", "PCMA", 20), ("g722_only", "G722", 20), ("ptime_30", "PCMU", 30)],
)
async def test_what_we_say_comes_back_from_sipps_echo(
    sipp: StartSipp, talker: Caller, tmp_path: Path, sdp: str, codec: str, ptime_ms: int
) -> None:
    far_end = await sipp("answers_with", keywords={"sdp": sdp, "offer": "0 8 9 101"}, options=ECHO)
    leg = talker.leg(far_end, record_to=tmp_path / "heard")
    result = await answered(leg)
    assert (result.codec, result.ptime_ms) == (codec, ptime_ms)
    sound = melody(0.96, SAMPLE_RATES[codec])
    played = await asyncio.wait_for(leg.play([write_clip(tmp_path / "sound", sound, codec)]), 10)
    assert (played.played_ms, played.completed) == (960, True)
    leg.hang_up()
    quality = await leg.close()
    await far_end.passed()
    assert likeness(tmp_path / "heard", sound, codec).peak > 0.9
    assert quality.packets_received > 960 // ptime_ms * 0.9
    trace = ladder(leg.trace.take())
    assert f". audio heard from 127.0.0.1:{far_end.media_port}" in trace
    assert ". first audio sent" in trace
    assert ". played 1.0 s" in trace


async def test_what_sipp_says_is_recorded(sipp: StartSipp, talker: Caller, tmp_path: Path) -> None:
    sound = melody(0.96, 8000, seed=2)
    file = write_clip(tmp_path / "far.raw", sound, "PCMA")
    far_end = await sipp("plays", keywords={"file": str(file), "media_port": "[media_port]"})
    leg = talker.leg(far_end, record_to=tmp_path / "heard")
    await answered(leg)
    heard = tmp_path / "heard"
    await until(lambda: heard.exists() and heard.stat().st_size >= 8 * 960, "all of it")
    leg.hang_up()
    await leg.close()
    await far_end.passed()
    assert likeness(heard, sound, "PCMA").peak > 0.9


class RtpPhone:
    """The media of a far end in Python: it takes what comes and sends what the test wants."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.heard: list[bytes] = []
        self.peer = ("", 0)

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def listen(self) -> list[bytes]:
        try:
            while True:
                packet, self.peer = self._socket.recvfrom(2048)
                self.heard.append(packet)
        except BlockingIOError:
            return self.heard

    def send(self, packet: bytes) -> None:
        self._socket.sendto(packet, self.peer)

    async def press(self, name: str, *, payload_type: int, drop: frozenset[int] = frozenset()) -> None:
        """Send a captured key press in its own time, with packets of these positions lost."""
        started = asyncio.get_running_loop().time()
        first: float | None = None
        for position, (at, packet) in enumerate(captured_rtp(CAPTURES / f"dtmf_2833_{name}.pcap")):
            first = at if first is None else first
            await asyncio.sleep(max(0.0, started + at - first - asyncio.get_running_loop().time()))
            if position not in drop:
                self.send(bytes([packet[0], packet[1] & 0x80 | payload_type]) + packet[2:])

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def phone() -> Iterator[RtpPhone]:
    ready = RtpPhone()
    yield ready
    ready.close()


@pytest.mark.parametrize(("sdp", "payload_type"), [("pcmu", 101), ("events_96", 96)])
async def test_digits_arrive_exactly_once(
    sipp: StartSipp, talker: Caller, phone: RtpPhone, sdp: str, payload_type: int
) -> None:
    """Captured key presses: three end packets, of which two or the first events may be lost."""
    keywords = {"sdp": sdp, "offer": "0 8 9 101", "media_port": str(phone.port)}
    far_end = await sipp("answers_with", keywords=keywords)
    leg = talker.leg(far_end)
    await answered(leg)
    await until(phone.listen, "our first packet: we send first, some SBCs wait for it")
    await phone.press("5", payload_type=payload_type)
    await phone.press("pound", payload_type=payload_type, drop=frozenset({0, 1, 7, 9}))
    await phone.press("0", payload_type=payload_type, drop=frozenset({7, 8}))
    await until(lambda: len(leg.digits) == 3, "three digits")
    leg.hang_up()
    await leg.close()
    await far_end.passed()
    assert leg.digits == "5#0"


async def test_packets_are_as_long_as_the_answer_says(
    sipp: StartSipp, talker: Caller, phone: RtpPhone
) -> None:
    """ptime 60: one packet of 480 bytes each 60 ms, silence before and after a prompt included."""
    keywords = {"sdp": "ptime_60", "offer": "0 8 9 101", "media_port": str(phone.port)}
    far_end = await sipp("answers_with", keywords=keywords)
    leg = talker.leg(far_end)
    await answered(leg)
    await until(lambda: len(phone.listen()) >= 5, "some packets of silence")
    leg.hang_up()
    await leg.close()
    await far_end.passed()
    assert {len(packet) for packet in phone.listen()} == {12 + 480}
    stamps = [struct.unpack_from(">I", packet, 4)[0] for packet in phone.heard]
    assert {(later - earlier) & 0xFFFFFFFF for earlier, later in itertools.pairwise(stamps)} == {480}


async def test_hold_stops_our_audio_and_its_end_starts_it(
    sipp: StartSipp, talker: Caller, phone: RtpPhone
) -> None:
    far_end = await sipp("holds_for_a_while", keywords={"media_port": str(phone.port)})
    leg = talker.leg(far_end)
    await answered(leg)
    await until(lambda: len(far_end.received("SIP/2.0 200")) == 1, "our answer to the hold")
    await until(lambda: ". media now recvonly" in "\n".join(ladder(leg.trace._waiting)), "the hold")
    await asyncio.sleep(0.1)
    before = len(phone.listen())
    await asyncio.sleep(0.2)
    held = len(phone.listen())
    assert held == before, "not a packet while on hold"
    await until(lambda: len(phone.listen()) > held + 3, "audio after the hold")
    await end_of(leg)
    await far_end.passed()


async def test_silence_of_the_far_end_ends_the_call(sipp: StartSipp, talker: Caller, phone: RtpPhone) -> None:
    keywords = {"sdp": "pcmu", "offer": "0 8 9 101", "media_port": str(phone.port)}
    far_end = await sipp("answers_with", keywords=keywords)
    leg = talker.leg(far_end)
    await answered(leg)
    assert await end_of(leg) == LegEnd(reason=EndReason.RTP_TIMEOUT, hangup_by=HangupBy.NETWORK)
    await far_end.passed()


async def test_a_digit_by_info_and_by_rtp_counts_once(
    sipp: StartSipp, talker: Caller, phone: RtpPhone
) -> None:
    far_end = await sipp("info_later", keywords={"media_port": str(phone.port)})
    leg = talker.leg(far_end)
    await answered(leg)
    await until(phone.listen, "our first packet")
    await phone.press("5", payload_type=101)
    await end_of(leg)
    await far_end.passed()
    assert leg.digits == "5"
