"""Giving up before the answer, and every race in it (RFC 3261 §9)."""

import asyncio

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.telephony.leg import Leg
from outdial.telephony.leg_values import NotAnswered
from tests.interop.caller import BOUND_S, Brief, Caller, ladder, refused, until
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp


async def _dial_and_cancel_when_it_rings(leg: Leg) -> NotAnswered:
    leg.on_ringing = lambda: leg.hang_up(EndReason.CANCELLED)
    return await refused(leg)


@pytest.mark.parametrize("final", ["487 Request Terminated", "486 Busy Here", "500 Late"])
async def test_cancelled_while_ringing(sipp: StartSipp, caller: Caller, final: str) -> None:
    far_end = await sipp("cancel_ringing", keywords={"final": final})
    leg = caller.leg(far_end)
    result = await _dial_and_cancel_when_it_rings(leg)
    assert result == NotAnswered(
        reason=EndReason.CANCELLED,
        hangup_by=HangupBy.SYSTEM,
        sip_code=int(final[:3]),
        sip_reason=final[4:],
    )
    await far_end.passed()
    assert ladder(leg.trace.take())[1:] == [
        "< 180 Ringing (INVITE)",
        f"> CANCEL sip:12025550100@127.0.0.1:{far_end.port}",
        "< 200 OK (CANCEL)",
        f"< {final} (INVITE)",
        f"> ACK sip:12025550100@127.0.0.1:{far_end.port}",
    ]


async def test_ring_timeout(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("cancel_ringing", keywords={"final": "487 Request Terminated"})
    result = await refused(caller.leg(far_end, ring_timeout_s=0.1))
    assert (result.reason, result.hangup_by) == (EndReason.RING_TIMEOUT, HangupBy.SYSTEM)
    assert (result.sip_code, result.picked_up) == (487, False)
    await far_end.passed()


async def test_the_trunk_bounds_the_ringing_too(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("cancel_ringing", keywords={"final": "487 Request Terminated"})
    result = await refused(caller.leg(far_end, ring_timeout_s=60, trunk_ring_timeout_s=0.1))
    assert result.reason is EndReason.RING_TIMEOUT
    await far_end.passed()


async def test_cancel_waits_for_a_provisional_response(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("cancel_before_provisional")
    leg = caller.leg(far_end)
    dialing = asyncio.create_task(leg.dial())
    await until(lambda: far_end.received("INVITE"), "the INVITE")
    leg.hang_up(EndReason.CANCELLED)
    result = await asyncio.wait_for(dialing, BOUND_S)
    assert isinstance(result, NotAnswered)
    assert result.reason is EndReason.CANCELLED
    await far_end.passed()


@pytest.mark.parametrize("sdp", ["pcmu", "g729"])
async def test_an_answer_that_crosses_the_cancel_is_hung_up(
    sipp: StartSipp, caller: Caller, sdp: str
) -> None:
    far_end = await sipp("cancel_crossing", keywords={"sdp": sdp})
    result = await _dial_and_cancel_when_it_rings(caller.leg(far_end))
    assert (result.reason, result.sip_code) == (EndReason.CANCELLED, 200)
    assert result.picked_up, "somebody picked up: this call must not be dialled again"
    await far_end.passed()


async def test_an_answer_in_place_of_the_awaited_provisional_is_hung_up(
    sipp: StartSipp, caller: Caller
) -> None:
    far_end = await sipp("cancel_before_answer")
    result = await refused(caller.leg(far_end, ring_timeout_s=0.05))
    assert (result.reason, result.picked_up) == (EndReason.RING_TIMEOUT, True)
    await far_end.passed()


async def test_no_final_response_after_cancel(sipp: StartSipp) -> None:
    async with Caller(timer_values=Brief(t1=4.0, t4=0.01)) as caller:
        far_end = await sipp("cancel_unanswered")
        result = await _dial_and_cancel_when_it_rings(caller.leg(far_end))
        assert (result.reason, result.sip_code) == (EndReason.CANCELLED, None)
        await far_end.passed()
        endpoint = caller.user_agent.endpoint
        assert endpoint.dialogs == 0
        await until(lambda: len(endpoint.layer) == 1, "the end of the CANCEL's transaction")
        # §9.1: the INVITE's has to end as well; without a timer a dialer would collect them for ever.
        assert len(endpoint.wire.timers) == 1
