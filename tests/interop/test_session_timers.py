"""Session timers (RFC 4028): a call that nobody hangs up ends all the same.

The caller's clock runs a hundred times too fast: 90 s, the shortest interval, are over in 0.9.
"""

from collections.abc import AsyncIterator

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.sip.timers import TimerValues
from outdial.telephony.leg_values import LegEnd
from tests.interop.caller import Brief, Caller, answered, end_of, refused
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp

BY_CALLEE = LegEnd(reason=EndReason.CALLEE_HUNG_UP, hangup_by=HangupBy.CALLEE)
EXPIRED = LegEnd(reason=EndReason.SESSION_EXPIRED, hangup_by=HangupBy.NETWORK)


SPEED = 100.0


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    """A caller without media whose clock is fast."""
    async with Caller(timer_values=TimerValues(t1=4.0 * SPEED), speed=SPEED) as ready:
        yield ready


@pytest.mark.parametrize("scenario", ["timer_too_brief", "timer_we_update", "timer_we_reinvite"])
async def test_agreed_and_refreshed_by_us(sipp: StartSipp, caller: Caller, scenario: str) -> None:
    far_end = await sipp(scenario)
    leg = caller.leg(far_end)
    await answered(leg)
    assert await end_of(leg) == BY_CALLEE
    await far_end.passed()


@pytest.mark.parametrize("scenario", ["timer_they_update", "timer_they_reinvite"])
async def test_refreshed_by_the_far_end(sipp: StartSipp, caller: Caller, scenario: str) -> None:
    far_end = await sipp(scenario)
    leg = caller.leg(far_end)
    await answered(leg)
    assert await end_of(leg) == BY_CALLEE
    await far_end.passed()


async def test_expiry_hangs_up(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("timer_expires")
    leg = caller.leg(far_end)
    await answered(leg)
    assert await end_of(leg) == EXPIRED
    await far_end.passed()


@pytest.mark.parametrize("status", ["481 Call/Transaction Does Not Exist", "408 Request Timeout"])
async def test_a_refresh_finds_the_call_gone(sipp: StartSipp, caller: Caller, status: str) -> None:
    far_end = await sipp("timer_call_gone", keywords={"status": status})
    leg = caller.leg(far_end)
    await answered(leg)
    assert await end_of(leg) == EXPIRED
    await far_end.passed()


async def test_a_refresh_without_an_answer(sipp: StartSipp) -> None:
    async with Caller(timer_values=Brief(t1=4.0 * SPEED), speed=SPEED) as caller:
        far_end = await sipp("timer_unanswered")
        leg = caller.leg(far_end)
        await answered(leg)
        assert await end_of(leg) == EXPIRED
        await far_end.passed()


async def test_no_session_timer_where_the_trunk_wants_none(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("timer_never_enough")
    result = await refused(caller.leg(far_end, session_expires_s=0))
    assert (result.reason, result.sip_code) == (EndReason.REJECTED, 422)
    await far_end.passed()
