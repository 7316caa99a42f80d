"""Requests of the far end inside a call, and around it (RFC 3261 §12.2.2)."""

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.telephony.leg_values import LegEnd
from tests.interop.caller import Caller, answered, end_of, ladder
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp


async def test_requests_that_change_nothing(sipp: StartSipp, caller: Caller) -> None:
    """OPTIONS, INFO, NOTIFY, MESSAGE; 405, 501, 500 for an old CSeq; BYE with a cause, repeated; then 481."""
    far_end = await sipp("in_dialog")
    leg = caller.leg(far_end)
    pressed: list[str] = []
    leg.on_digit = pressed.append
    await answered(leg)
    end = await end_of(leg)
    assert end == LegEnd(reason=EndReason.CALLEE_HUNG_UP, hangup_by=HangupBy.CALLEE, q850=16)
    await far_end.passed()
    assert leg.digits == "5#*", "by dtmf-relay, by dtmf, and a gateway's event number for the star"
    assert pressed == ["5", "#", "*"]
    trace = ladder(leg.trace.take())
    assert ". digit 5 by INFO" in trace
    assert [line for line in trace if line.endswith("(JUGGLE)")] == ["> 501 Not Implemented (JUGGLE)"]


async def test_requests_outside_of_the_dialog(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("outside_dialog")
    leg = caller.leg(far_end)
    await answered(leg)
    assert (await end_of(leg)).reason is EndReason.CALLEE_HUNG_UP
    await far_end.passed()
    assert not any("nobody" in entry.get("text", "") for entry in leg.trace.take())


async def test_requests_before_the_answer(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("early_requests")
    leg = caller.leg(far_end)
    await answered(leg)
    assert (await end_of(leg)).reason is EndReason.CALLEE_HUNG_UP
    await far_end.passed()
