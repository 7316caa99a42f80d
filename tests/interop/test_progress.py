"""Provisional responses: what rings, what is early media, and which dialog answers in the end."""

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.telephony.leg_values import Answered
from tests.interop.caller import Caller, answered, end_of, ladder, refused
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp


async def test_ringing_after_early_media_is_reported_once(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("progress_180_after_183")
    leg = caller.leg(far_end)
    rang: list[bool] = []
    leg.on_ringing = lambda: rang.append(True)
    assert await answered(leg) == Answered("PCMU", 20), "the 200 has the last word on media, not the 183"
    assert rang == [True]
    assert len(caller.stream.connected) == 1, "media is connected by the answer, not by early media"
    leg.hang_up()
    await far_end.passed()
    assert ladder(leg.trace.take())[1:6] == [
        "< 100 Trying (INVITE)",
        "< 183 Session Progress (INVITE)",
        ". early media offered",
        "< 180 Ringing (INVITE)",
        "< 200 OK (INVITE)",
    ]


async def test_answer_without_description_confirms_the_early_media_of_its_own_dialog(
    sipp: StartSipp, caller: Caller
) -> None:
    far_end = await sipp("progress_early_dialogs")
    leg = caller.leg(far_end)
    assert await answered(leg) == Answered("PCMA", 20), "of three early dialogs the second one answered"
    leg.hang_up()
    await far_end.passed()


async def test_answer_without_any_description_is_hung_up(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("answer_without_media")
    result = await refused(caller.leg(far_end))
    assert (result.reason, result.hangup_by) == (EndReason.INCOMPATIBLE_MEDIA, HangupBy.SYSTEM)
    assert (result.sip_code, result.picked_up) == (200, True)
    await far_end.passed()


async def test_an_answered_leg_ends_once(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("answers")
    leg = caller.leg(far_end)
    await answered(leg)
    leg.hang_up(EndReason.MAX_DURATION)
    leg.hang_up(EndReason.COMPLETED)
    assert (await end_of(leg)).reason is EndReason.MAX_DURATION
    await far_end.passed()


async def test_a_leg_whose_credit_is_used_up_is_hung_up(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("answers")
    leg = caller.leg(far_end, max_talk_s=0.05)
    await answered(leg)
    end = await end_of(leg)
    assert (end.reason, end.hangup_by) == (EndReason.CREDIT_USED_UP, HangupBy.SYSTEM)
    await far_end.passed()
