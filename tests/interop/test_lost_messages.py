"""UDP loses messages; each is sent again as RFC 3261 §17 says, and no longer than that."""

import asyncio

import pytest

from outdial.domain.disposition import EndReason, HangupBy
from outdial.sip.timers import TimerValues
from outdial.telephony.leg_values import LegEnd
from tests.helpers.udp import silent_socket
from tests.interop.caller import Brief, Caller, answered, end_of, ladder, refused, until
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp

QUICK = TimerValues(t1=0.2, t4=0.05)
COMPLETED = LegEnd(reason=EndReason.COMPLETED, hangup_by=HangupBy.SYSTEM)


async def test_invite_is_sent_again_until_something_comes_back(sipp: StartSipp) -> None:
    async with Caller(timer_values=QUICK) as caller:
        far_end = await sipp("lost_invite")
        leg = caller.leg(far_end)
        await answered(leg)
        leg.hang_up()
        await far_end.passed()
        invites = [invite.to_bytes() for invite in far_end.received("INVITE")]
        assert invites == invites[:1] * 3


async def test_a_repeated_200_is_acknowledged_even_while_we_hang_up(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("lost_ack")
    leg = caller.leg(far_end)
    await answered(leg)
    await until(lambda: len(far_end.received("ACK")) == 2, "the second ACK")
    leg.hang_up()
    await far_end.passed()


async def test_bye_is_sent_again_until_it_is_answered(sipp: StartSipp) -> None:
    async with Caller(timer_values=QUICK) as caller:
        far_end = await sipp("lost_bye")
        leg = caller.leg(far_end)
        await answered(leg)
        leg.hang_up()
        assert await end_of(leg) == COMPLETED
        await far_end.passed()
        byes = [bye.to_bytes() for bye in far_end.received("BYE")]
        assert byes == byes[:1] * 3


async def test_our_200_is_sent_again_until_it_is_acknowledged(sipp: StartSipp) -> None:
    """And their repeated re-INVITE is absorbed, not answered as another one."""
    async with Caller(timer_values=TimerValues(t1=0.2, t2=0.4)) as caller:
        far_end = await sipp("lost_answer_to_reinvite")
        leg = caller.leg(far_end)
        await answered(leg)
        await end_of(leg)
        await far_end.passed()
        assert len(caller.stream.connected) == 2


async def test_a_200_that_nobody_acknowledges_ends_the_call(sipp: StartSipp) -> None:
    async with Caller(timer_values=Brief(t1=4.0)) as caller:
        far_end = await sipp("never_acknowledged")
        leg = caller.leg(far_end)
        await answered(leg)
        assert await end_of(leg) == LegEnd(reason=EndReason.SESSION_EXPIRED, hangup_by=HangupBy.NETWORK)
        await far_end.passed()


async def test_a_bye_without_an_answer_leaves_nothing_behind(sipp: StartSipp) -> None:
    async with Caller(timer_values=Brief(t1=4.0, t4=0.02)) as caller:
        far_end = await sipp("deaf_to_bye")
        leg = caller.leg(far_end)
        await answered(leg)
        leg.hang_up()
        assert await end_of(leg) == COMPLETED
        await far_end.stop()
        await until(lambda: caller.user_agent.endpoint.idle, "the end of every timer")


async def test_a_repeated_bye_gets_its_answer_again(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("repeated_bye")
    leg = caller.leg(far_end)
    await answered(leg)
    assert (await end_of(leg)).reason is EndReason.CALLEE_HUNG_UP
    await far_end.passed()


async def test_both_sides_hang_up_at_once(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("byes_cross")
    leg = caller.leg(far_end)
    await answered(leg)
    leg.hang_up()
    assert await end_of(leg) == COMPLETED
    await far_end.passed()


async def test_nothing_comes_back_at_all() -> None:
    """Timer B; the INVITE's intervals double, so that 64*T1 hold seven of it, or fewer on a busy machine."""
    async with Caller(timer_values=TimerValues(t1=0.01)) as caller:
        with silent_socket() as (address, count):
            result = await refused(caller.leg(address))
            assert (result.reason, result.hangup_by) == (EndReason.NO_RESPONSE, HangupBy.NETWORK)
            assert result.sip_code is None
            assert 3 <= count() <= 7
        # the transaction stays for Timer D, for somebody who picks up after all
        assert caller.user_agent.endpoint.dialogs == 0


async def test_a_closed_port_fails_at_once(caller: Caller) -> None:
    """The kernel reports ICMP port unreachable; with these timers silence would take 256 s."""
    with silent_socket() as (address, _):
        pass
    leg = caller.leg(address)
    result = await asyncio.wait_for(refused(leg), 10)
    assert (result.reason, result.hangup_by) == (EndReason.TRANSPORT_FAILED, HangupBy.NETWORK)
    assert (
        ladder(leg.trace.take())[-1]
        == ". the network sent it back: nothing takes SIP there, or there is no way"
    )
    assert caller.user_agent.endpoint.idle


async def test_no_route_fails_at_once(caller: Caller) -> None:
    """From a socket bound to loopback nothing can leave the machine: the send itself is refused."""
    leg = caller.leg(("192.0.2.1", 5060))
    result = await asyncio.wait_for(refused(leg), 10)
    assert result.reason is EndReason.TRANSPORT_FAILED


async def test_a_name_that_nobody_knows_is_said_in_words(caller: Caller) -> None:
    """RFC 6761 §6.4: `invalid` has no names."""
    leg = caller.leg(("sip.invalid", 5060))
    result = await asyncio.wait_for(refused(leg), 30)
    assert result.reason is EndReason.TRANSPORT_FAILED
    assert result.sip_reason is not None
    assert result.sip_reason.startswith("the name 'sip.invalid' cannot be resolved: ")
    assert ladder(leg.trace.take()) == [f". not sent: {result.sip_reason}"]


async def test_a_dead_peer_does_not_disturb_a_living_one(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("answers")
    with silent_socket() as (closed, _):
        pass
    living, dead = caller.leg(far_end), caller.leg(closed)
    result, _ = await asyncio.gather(refused(dead), answered(living))
    assert result.reason is EndReason.TRANSPORT_FAILED
    living.hang_up()
    await far_end.passed()
