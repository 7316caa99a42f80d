"""Tolerant in what is read: an unparseable 200 on a live trunk is a call that nobody hangs up."""

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.telephony.leg_values import LegEnd
from tests.interop.caller import Caller, answered, end_of, ladder
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp


async def test_everything_that_the_grammar_forbids_and_far_ends_do(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("odd_spelling", options=("-key", "fold", "  "))
    leg = caller.leg(far_end)
    assert (await answered(leg)).codec == "PCMA"
    assert await end_of(leg) == LegEnd(reason=EndReason.CALLEE_HUNG_UP, hangup_by=HangupBy.CALLEE, q850=16)
    await far_end.passed()
    sent = b"".join(message.to_bytes() for message in far_end.sent("SIP/2.0"))
    assert "Schön".encode() in sent, "the scenario did send a byte that is not UTF-8"
    log = far_end.said()
    assert "\nsUpPoRtEd:\n  replaces" in log.replace("\r", ""), "and it did fold a line"
    assert caller.user_agent.endpoint.layer.counters["unparseable"] == 0
    assert "< 180 (INVITE)" in [line.rstrip() for line in ladder(leg.trace.take())]
