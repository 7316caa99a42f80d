"""Real calls on loopback: Outdial's user agent and media worker against the phones of the sandbox.

All calls run at once, one for each line of ``CALLS``; then every test looks at what became of its call on
both sides. What one side says is compared with what the other side heard. Times are only compared with each
other.
"""

import asyncio
import time
import wave
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from outdial.audio.clip import CODECS, SAMPLE_RATES, clip_file_name
from outdial.audio.compare import correlate
from outdial.audio.decode import prepare_sound
from outdial.audio.samples import welcome_mp3
from outdial.audio.wire import decode_wire
from outdial.domain.call import MediaQuality
from outdial.domain.disposition import EndReason
from outdial.sandbox.heard import Heard, read_heard
from outdial.sandbox.network import SandboxNetwork
from outdial.sandbox.options import PASSWORD, USERNAME, SandboxOptions
from outdial.sandbox.voices import murmur
from outdial.sip.digest import Credentials
from outdial.telephony.leg import Leg
from outdial.telephony.leg_values import Answered, LegEnd, LegRequest, NotAnswered, PlayResult
from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.options import MediaOptions
from outdial.telephony.trace import Trace
from outdial.telephony.trunk import Trunk
from outdial.telephony.user_agent import UserAgent, UserAgentOptions

SOUND_MS = 3_000
"""The welcome sound is cut to this: long enough to be known again, short enough for a test."""

PORTS: dict[str, Any] = {"port_min": 11_000, "port_max": 31_000}
"""Wide, because other programs on the machine may hold any of them."""

CALLS: dict[str, float] = {
    # magic number → seconds that we stay after the sound; infinity: until somebody else ends the call
    **dict.fromkeys(("00", "08", "10", "11", "21", "25", "27", "33", "36", "37", "38"), 0.5),
    **dict.fromkeys(("02", "05", "22", "26", "31"), 0.0),
    **dict.fromkeys(("07", "09", "12", "13", "15", "17", "19"), 0.5),
    "41": 8.0,
    **dict.fromkeys(("14", "16", "42"), float("inf")),
}


def unix_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Call:
    """What became of one call, on both sides."""

    dialed: Answered | NotAnswered
    played: PlayResult | None
    end: LegEnd | None
    digits: str
    quality: MediaQuality
    recorded: bytes
    """What our side recorded, as wire bytes."""
    heard: tuple[Heard, ...] = ()


class Bench:
    """Both sides, running."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard_dir = folder / "heard"
        self.sandbox = SandboxNetwork(SandboxOptions(self.heard_dir, port=0), unix_ms)
        self.media = MediaClient(MediaOptions(**PORTS, rtp_timeout_s=2.0, rtcp_interval_s=0.5))
        self.user_agent = UserAgent(UserAgentOptions(bind_address="127.0.0.1", port=0))

    async def __aenter__(self) -> "Bench":
        await self.sandbox.start()
        await self.media.start()
        await self.user_agent.start()
        (self.folder / "welcome.mp3").write_bytes(welcome_mp3())
        await prepare_sound(self.folder / "welcome.mp3", self.folder)
        for codec in CODECS:
            clip = self.clip(codec)
            clip.write_bytes(clip.read_bytes()[: SOUND_MS * 8])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.user_agent.stop()
        await self.media.stop()
        await self.sandbox.stop()

    def clip(self, codec: str) -> Path:
        return self.folder / clip_file_name(codec)

    async def call(self, last: str, stay_s: float) -> Call:
        host, port = self.sandbox.address
        request = LegRequest(
            trunk=Trunk(name="sandbox", host=host, port=port, credentials=Credentials(USERNAME, PASSWORD)),
            caller_number="12025550199",
            to=f"120255501{last}",
            sip_call_id=f"call-{last}@test",
            record_to=self.folder / f"recorded-{last}",
        )
        leg = Leg(self.user_agent, self.media, request, Trace(unix_ms))
        played = None
        try:
            dialed = await leg.dial()
            if isinstance(dialed, Answered):
                played = await leg.play([self.clip(dialed.codec)])
                await asyncio.wait([leg.ended], timeout=min(stay_s, 30))
                leg.hang_up()
        finally:
            quality = await leg.close()
        recorded = b"".join(path.read_bytes() for path in self.folder.glob(f"recorded-{last}*"))
        end = leg.ended.result() if leg.ended.done() and isinstance(dialed, Answered) else None
        return Call(dialed, played, end, leg.digits, quality, recorded)


@dataclass(frozen=True)
class Done:
    """All calls, and the folder with what they left."""

    calls: dict[str, Call]
    folder: Path

    def __getitem__(self, last: str) -> Call:
        return self.calls[last]

    def likeness(self, line: Heard) -> float:
        """How like our sound is what the phone heard."""
        assert line.codec is not None
        assert line.recording is not None
        with wave.open(str(self.folder / "heard" / line.recording)) as file:
            heard = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        sent = decode_wire((self.folder / clip_file_name(line.codec)).read_bytes(), line.codec)
        return correlate(heard, sent, SAMPLE_RATES[line.codec]).peak

    def recorded_likeness(self, last: str) -> float:
        """How like the phone's own murmur is what we recorded, a second after the recording began."""
        dialed = self.calls[last].dialed
        assert isinstance(dialed, Answered)
        rate = SAMPLE_RATES[dialed.codec]
        ours = decode_wire(self.calls[last].recorded, dialed.codec)[rate : 3 * rate]
        return correlate(np.tile(murmur(f"120255501{last}", rate), 2), ours, rate).peak


async def make_all_calls(folder: Path) -> Done:
    async with Bench(folder) as bench:
        made = await asyncio.gather(*(bench.call(last, stay_s) for last, stay_s in CALLS.items()))
    # The sandbox has stopped: every line is written.
    lines = list(read_heard(bench.heard_dir))
    calls = {
        last: replace(call, heard=tuple(line for line in lines if line.call_id.startswith(f"call-{last}@")))
        for last, call in zip(CALLS, made, strict=True)
    }
    return Done(calls, folder)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return asyncio.run(make_all_calls(tmp_path_factory.mktemp("calls")))


@pytest.mark.parametrize(
    ("last", "codec", "ptime_ms"),
    [
        ("00", "PCMU", 20),
        ("07", "PCMU", 20),
        ("10", "G722", 20),
        ("11", "PCMU", 30),
        ("12", "PCMU", 20),
        ("13", "PCMU", 20),
        ("15", "PCMU", 20),
        ("21", "PCMA", 20),
        ("33", "PCMU", 20),
        ("37", "PCMU", 10),
        ("38", "PCMU", 60),
    ],
)
def test_each_side_hears_the_very_sound_of_the_other(done, last, codec, ptime_ms):
    call = done[last]
    assert call.dialed == Answered(codec, ptime_ms)
    assert call.played is not None
    assert call.played.completed
    assert SOUND_MS <= call.played.played_ms < SOUND_MS + ptime_ms
    [line] = call.heard
    assert (line.outcome, line.ended_by, line.codec, line.ptime_ms) == ("answered", "caller", codec, ptime_ms)
    assert done.likeness(line) > 0.95
    assert done.recorded_likeness(last) > 0.95
    assert line.first_packet_ms is not None
    assert line.first_sound_ms is not None
    assert line.first_packet_ms <= line.first_sound_ms
    assert (line.lost, call.quality.packets_lost) == (0, 0)
    assert call.quality.packets_received > 0


@pytest.mark.parametrize(("last", "keys"), [("08", "1"), ("09", "42#"), ("25", "7"), ("41", "5")])
def test_keys_arrive_once_each(done, last, keys):
    assert done[last].digits == keys


def test_a_phone_behind_nat_is_heard_and_hears(done):
    assert done.likeness(done["27"].heard[0]) > 0.9  # what left before we latched went nowhere
    assert done.recorded_likeness("27") > 0.95


def test_a_phone_that_never_sends_rtp_is_given_up(done):
    call = done["16"]
    assert call.end is not None
    assert call.end.reason is EndReason.RTP_TIMEOUT
    assert call.quality.packets_received == 0
    assert call.heard[0].ended_by == "caller"


def test_hold_stops_our_packets_and_the_call_goes_on(done):
    call = done["17"]
    assert call.played is not None
    assert call.played.completed
    [line] = call.heard
    assert line.outcome == "answered"
    assert line.duration_ms is not None
    # A second of the call was hold: fewer packets than packet times, and none of them counts as lost.
    assert line.packets < (line.duration_ms - 800) / 20
    assert done.likeness(line) > 0.4


def test_an_echo_comes_back(done):
    sent = decode_wire((done.folder / "PCMU.clip").read_bytes(), "PCMU")
    assert correlate(decode_wire(done["36"].recorded, "PCMU"), sent, 8_000).peak > 0.9


@pytest.mark.parametrize("last", ["14", "42"])
def test_the_phone_hangs_up(done, last):
    call = done[last]
    assert call.end is not None
    assert call.end.reason is EndReason.CALLEE_HUNG_UP
    assert call.end.q850 == (16 if last == "42" else None)
    assert call.played is not None
    assert not call.played.completed
    assert call.heard[0].ended_by == "phone"


def test_of_two_forks_one_hears_us(done):
    lines = done["19"].heard
    assert len(lines) == 2
    assert sorted(line.recording is not None and done.likeness(line) > 0.95 for line in lines) == [
        False,
        True,
    ]


def test_rtcp_tells_loss_and_round_trip_to_both_sides(done):
    call = done["00"]
    assert call.quality.round_trip_ms is not None
    assert call.quality.remote_loss == 0
    assert call.heard[0].round_trip_ms is not None


@pytest.mark.parametrize(
    ("last", "reason", "code"),
    [
        ("02", EndReason.REJECTED, 486),
        ("05", EndReason.REJECTED, 404),
        ("22", EndReason.REJECTED, 488),
        ("26", EndReason.INCOMPATIBLE_MEDIA, 200),
        ("31", EndReason.AUTHENTICATION_FAILED, 401),
    ],
)
def test_calls_that_come_to_nothing(done, last, reason, code):
    dialed = done[last].dialed
    assert isinstance(dialed, NotAnswered)
    assert (dialed.reason, dialed.sip_code) == (reason, code)


async def test_stopping_hangs_up_and_writes_what_was_heard(tmp_path):
    async with Bench(tmp_path) as bench:
        calling = asyncio.ensure_future(bench.call("33", float("inf")))
        async with asyncio.timeout(10):
            while not any(tmp_path.glob("recorded-33*")):
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)  # the call is to last for a moment
        await bench.sandbox.stop()
        call = await calling
    assert call.end is not None
    assert call.end.reason is EndReason.CALLEE_HUNG_UP
    [line] = read_heard(bench.heard_dir)
    assert (line.ended_by, line.recording) == ("phone", "12025550133-call-33_test.wav")


async def test_a_network_can_be_stopped_and_started_again(tmp_path):
    sandbox = SandboxNetwork(SandboxOptions(tmp_path / "heard", port=0), unix_ms)
    for _ in range(2):
        await sandbox.start()
        await sandbox.start()
        assert sandbox.address[1] > 0
        await sandbox.stop()
        await sandbox.stop()
    with pytest.raises(RuntimeError, match="not been started"):
        _ = sandbox.address


async def test_without_a_free_port_a_phone_cannot_be_reached(tmp_path):
    sandbox = SandboxNetwork(
        SandboxOptions(tmp_path, port=0, rtp_port_min=39_000, rtp_port_max=39_000), unix_ms
    )
    media = MediaClient(MediaOptions(**PORTS))
    await sandbox.start()
    await media.start()
    try:
        async with UserAgent(UserAgentOptions(bind_address="127.0.0.1", port=0)) as user_agent:
            host, port = sandbox.address
            trunk = Trunk(name="sandbox", host=host, port=port)
            request = LegRequest(trunk=trunk, caller_number="1", to="12025550100", sip_call_id="no-port")
            leg = Leg(user_agent, media, request, Trace(unix_ms))
            dialed = await leg.dial()
            await leg.close()
    finally:
        await media.stop()
        await sandbox.stop()
    assert isinstance(dialed, NotAnswered)
    assert dialed.sip_code == 503
