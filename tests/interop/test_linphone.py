"""Calls to linphonec, whose SIP, SDP and RTP are a third family: neither ours nor baresip's."""

import asyncio
from pathlib import Path

import pytest

from outdial.audio.compare import correlate
from outdial.domain.disposition import EndReason, HangupBy
from outdial.sdp.direction import Direction
from outdial.telephony.leg_values import Answered, LegEnd
from tests.helpers.linphone import Linphone
from tests.helpers.sound import likeness, melody, write_clip
from tests.interop.caller import Caller, answered, digits_of, end_of, until

pytestmark = pytest.mark.linphone


async def test_both_sides_hear_each_other_and_its_keys_hold_and_hanging_up(
    talker: Caller, tmp_path: Path
) -> None:
    ours, theirs = melody(1.5, 8000, seed=3), melody(20, 8000, seed=4)
    async with Linphone(tmp_path, speech=theirs) as phone:
        leg = talker.leg((phone.host, phone.port), to="phone", record_to=tmp_path / "heard")
        assert await answered(leg) == Answered("PCMU", 20)
        await phone.says("Media streams established")
        phone.speak()
        clip = write_clip(tmp_path / "clip", ours, "PCMU")
        pause = write_clip(tmp_path / "pause", ours[:4000] * 0, "PCMU")
        assert (await asyncio.wait_for(leg.play([pause, clip, pause]), 10)).completed
        for count, key in enumerate("19*#0", start=1):
            phone.command(key)
            await digits_of(leg, count)
        assert leg.digits == "19*#0"
        phone.command("pause")
        await until(lambda: leg.agreed and leg.agreed.direction is Direction.RECVONLY, "the hold")
        await phone.says("is now paused")
        phone.command("resume")
        await until(lambda: leg.agreed and leg.agreed.direction is Direction.SENDRECV, "the end of the hold")
        phone.command("terminate")
        assert await end_of(leg) == LegEnd(reason=EndReason.CALLEE_HUNG_UP, hangup_by=HangupBy.CALLEE)
        quality = await leg.close()
    assert likeness(tmp_path / "heard", theirs[:6400], "PCMU").peak > 0.95
    # Piece by piece: where it gets no time, its jitter buffer leaves some milliseconds out.
    heard = phone.heard()
    peaks = [correlate(heard, ours[start : start + 1600], 8000).peak for start in range(2000, 10000, 1600)]
    assert sorted(peaks)[1] > 0.9, peaks
    assert quality.packets_lost == 0
    assert quality.round_trip_ms is not None, "its RTCP is read"


async def test_we_hang_up(talker: Caller, tmp_path: Path) -> None:
    """Its Contact has no user part, and the BYE goes there all the same."""
    async with Linphone(tmp_path, speech=melody(1, 8000)) as phone:
        leg = talker.leg((phone.host, phone.port), to="phone")
        await answered(leg)
        leg.hang_up()
        await phone.says("ended (No error)")
