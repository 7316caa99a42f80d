"""A plain call, as far as the bytes of every request go."""

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.telephony.leg_values import Answered, LegEnd
from tests.interop.caller import Caller, answered, end_of, ladder
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp


async def test_answered_and_hung_up_by_us(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("answers")
    leg = caller.leg(far_end)
    assert await answered(leg) == Answered("PCMU", 20)
    leg.hang_up()
    assert await end_of(leg) == LegEnd(reason=EndReason.COMPLETED, hangup_by=HangupBy.SYSTEM)
    await far_end.passed()
    assert ladder(leg.trace.take()) == [
        f"> INVITE sip:12025550100@127.0.0.1:{far_end.port}",
        "< 180 Ringing (INVITE)",
        "< 200 OK (INVITE)",
        f"> ACK sip:far@127.0.0.1:{far_end.port}",
        f"> BYE sip:far@127.0.0.1:{far_end.port}",
        "< 200 OK (BYE)",
    ]
