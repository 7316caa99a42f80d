"""Calls to baresip, a telephone that shares nothing with us: heard on both sides."""

import asyncio
from pathlib import Path

import pytest

from outdial.audio.clip import SAMPLE_RATES
from outdial.audio.compare import correlate
from outdial.domain.disposition import EndReason, HangupBy
from outdial.sdp.direction import Direction
from outdial.telephony.leg_values import Answered, LegEnd
from tests.helpers.baresip import Baresip
from tests.helpers.sound import likeness, melody, write_clip
from tests.interop.caller import Caller, answered, digits_of, end_of, ladder, until

pytestmark = pytest.mark.baresip

BY_CALLEE = LegEnd(reason=EndReason.CALLEE_HUNG_UP, hangup_by=HangupBy.CALLEE)


@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722"])
async def test_both_sides_hear_each_other(talker: Caller, tmp_path: Path, codec: str) -> None:
    rate = SAMPLE_RATES[codec]
    ours, theirs = melody(0.96, rate, seed=3), melody(8, rate, seed=4)
    async with Baresip(tmp_path, codecs=[codec], speech=theirs, rate=rate) as phone:
        leg = talker.leg((phone.host, phone.port), to="phone", record_to=tmp_path / "heard")
        assert await answered(leg) == Answered(codec, 20)
        # Its jitter buffer loses the first 100 ms while it starts and the last when it is hung up.
        pause = write_clip(tmp_path / "pause", ours[: rate // 5] * 0, codec)
        clips = [pause, write_clip(tmp_path / "clip", ours, codec), pause]
        played = await asyncio.wait_for(leg.play(clips), 10)
        assert (played.played_ms, played.completed) == (1360, True)
        leg.hang_up()
        await phone.event("CALL_CLOSED")
        quality = await leg.close()
    # G.722 adapts: a decoder that comes from silence needs the first 100 ms of a sudden sound to follow.
    assert correlate(phone.heard(), ours[rate // 10 :], rate).peak > 0.95
    assert likeness(tmp_path / "heard", theirs[: int(0.8 * rate)], codec).peak > 0.95
    assert quality.packets_received > 40
    assert quality.packets_lost == 0


async def test_digits_hold_and_hanging_up(talker: Caller, tmp_path: Path) -> None:
    """Its keys arrive once each, it holds and comes back, it hangs up."""
    codecs = ["G722", "PCMU", "PCMA"]
    async with Baresip(tmp_path, codecs=codecs, speech=melody(30, 8000), rate=8000) as phone:
        leg = talker.leg((phone.host, phone.port), to="phone")
        assert await answered(leg) == Answered("PCMU", 20), "our first choice, and not its own"
        for count, digit in enumerate("19*#0", start=1):
            await phone.command("sndcode", digit)
            await digits_of(leg, count)
        assert leg.digits == "19*#0"
        await phone.command("hold")
        await until(lambda: leg.agreed and leg.agreed.direction is Direction.RECVONLY, "the hold")
        await phone.command("resume")
        await until(lambda: leg.agreed and leg.agreed.direction is Direction.SENDRECV, "the end of the hold")
        await phone.command("hangup")
        assert await end_of(leg) == BY_CALLEE
    assert sum(line.startswith(". digit ") for line in ladder(leg.trace.take())) == 5


async def test_a_transfer_is_refused(talker: Caller, tmp_path: Path) -> None:
    """baresip takes the refusal for a reason to hang up."""
    async with Baresip(tmp_path, codecs=["PCMU"], speech=melody(30, 8000), rate=8000) as phone:
        leg = talker.leg((phone.host, phone.port), to="phone")
        await answered(leg)
        await phone.command("transfer", "sip:elsewhere@127.0.0.1")
        assert await end_of(leg) == BY_CALLEE
    assert "> 405 Method Not Allowed (REFER)" in ladder(leg.trace.take())


async def test_a_phone_that_is_gone_is_unreachable(talker: Caller, tmp_path: Path) -> None:
    async with Baresip(tmp_path, codecs=["PCMU"], speech=melody(1, 8000), rate=8000) as phone:
        leg = talker.leg((phone.host, phone.port), to="phone")
        await answered(leg)
        leg.hang_up()
        await phone.event("CALL_CLOSED")
    result = await asyncio.wait_for(talker.leg((phone.host, phone.port), to="phone").dial(), 10)
    assert getattr(result, "reason", None) is EndReason.TRANSPORT_FAILED


@pytest.mark.parametrize("theirs", ["PCMU", "PCMA"])
async def test_two_telephones_that_are_joined_hear_each_other_and_their_keys(
    talker: Caller, tmp_path: Path, theirs: str
) -> None:
    """A callee and an agent, of one law and of two."""
    one, other = melody(20, 8000, seed=5), melody(20, 8000, seed=6)
    for name in ("callee", "agent"):
        (tmp_path / name).mkdir()
    async with (
        Baresip(tmp_path / "callee", codecs=["PCMU"], speech=one, rate=8000) as callee,
        Baresip(tmp_path / "agent", codecs=[theirs], speech=other, rate=8000) as agent,
    ):
        first = talker.leg((callee.host, callee.port), to="phone")
        assert await answered(first) == Answered("PCMU", 20)
        second = talker.leg((agent.host, agent.port), to="phone", beside=first)
        assert await answered(second) == Answered(theirs, 20)
        for leg, partner in ((first, second), (second, first)):
            leg.on_digit = partner.send_key
            leg.join("pair")
        await asyncio.sleep(1.5)
        await callee.command("sndcode", "7")
        await agent.event("CALL_DTMF_START")
        await asyncio.sleep(1)
        for leg in (first, second):
            leg.hang_up()
        await callee.event("CALL_CLOSED")
        await agent.event("CALL_CLOSED")
    # Half a second that the other one certainly heard, in the middle of what was said meanwhile.
    assert correlate(agent.heard(), one[8_000:12_000], 8000).peak > 0.9
    assert correlate(callee.heard(), other[8_000:12_000], 8000).peak > 0.9
