"""More than one 2xx: a fork that nobody ends is a person who picked up and a carrier that bills."""

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.telephony.leg_values import LegEnd
from tests.interop.caller import Caller, answered, end_of, refused, until
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp


async def test_each_200_is_acknowledged_and_the_extra_one_hung_up(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("forked_answers")
    leg = caller.leg(far_end)
    await answered(leg)
    await until(lambda: far_end.received("SIP/2.0 200"), "our answer to OPTIONS, after five ACKs")
    leg.hang_up()
    await far_end.passed()
    first, second, *repeated = (ack.to_bytes() for ack in far_end.received("ACK"))
    assert repeated == [first, second, first], "a repeated 200 gets the same ACK again"


async def test_a_fork_that_hangs_up_does_not_end_the_call(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("fork_hangs_up")
    leg = caller.leg(far_end)
    await answered(leg)
    assert await end_of(leg) == LegEnd(reason=EndReason.CALLEE_HUNG_UP, hangup_by=HangupBy.CALLEE)
    await far_end.passed()


async def test_a_success_after_a_failure_is_hung_up(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("answer_after_failure")
    result = await refused(caller.leg(far_end))
    assert (result.reason, result.sip_code) == (EndReason.REJECTED, 486)
    await far_end.passed()
