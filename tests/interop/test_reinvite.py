"""Changes of a session in both directions: hold and back, delayed offers, refusals, glare (RFC 3261 §14)."""

import itertools
import re

import pytest

from outdial.domain.disposition import EndReason
from outdial.sdp.direction import Direction
from outdial.sip.message import Request, Response
from outdial.telephony.leg import Leg
from tests.interop.caller import Caller, answered, end_of, ladder
from tests.interop.conftest import StartSipp

pytestmark = pytest.mark.sipp


async def test_hold_in_every_way_and_back(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("holds")
    leg = caller.leg(far_end)
    await answered(leg)
    assert (await end_of(leg)).reason is EndReason.CALLEE_HUNG_UP
    await far_end.passed()
    directions = [media.direction for media in caller.stream.connected]
    assert directions == [
        Direction.SENDRECV,
        Direction.RECVONLY,
        Direction.SENDRECV,
        Direction.INACTIVE,
        Direction.SENDRECV,
        Direction.RECVONLY,  # c=0.0.0.0: nowhere to send to
        Direction.RECVONLY,
        Direction.SENDRECV,
    ]
    versions = _session_versions(far_end.received("INVITE") + far_end.received("SIP/2.0 200"))
    assert len(versions) == 8
    assert all(later >= earlier for earlier, later in itertools.pairwise(versions)), versions
    assert len(set(versions)) > 1, "another description has another version (RFC 3264 §8)"
    assert ". media now recvonly to 127.0.0.1" in "\n".join(ladder(leg.trace.take()))


async def test_delayed_offer(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("delayed_offer")
    leg = caller.leg(far_end)
    await answered(leg)
    await end_of(leg)
    await far_end.passed()
    directions = [media.direction for media in caller.stream.connected]
    assert directions == [Direction.SENDRECV, Direction.RECVONLY], (
        "the ACK's answer counts; an unusable one leaves the media as it was"
    )


async def test_an_unusable_offer_is_refused_and_the_call_goes_on(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("unusable_offers")
    leg = caller.leg(far_end)
    await answered(leg)
    assert (await end_of(leg)).reason is EndReason.CALLEE_HUNG_UP
    await far_end.passed()
    assert len(caller.stream.connected) == 1, "media stays as it was"


async def test_overlapping_changes(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("overlapping")
    leg = caller.leg(far_end)
    await answered(leg)
    await end_of(leg)
    await far_end.passed()
    directions = [media.direction for media in caller.stream.connected]
    assert directions == [Direction.SENDRECV, Direction.RECVONLY, Direction.SENDRECV]


async def test_glare_refuses_the_far_ends_reinvite(sipp: StartSipp, caller: Caller) -> None:
    far_end = await sipp("glare_of_theirs")
    leg = caller.leg(far_end)
    await answered(leg)
    _reinvite(leg, caller)
    await end_of(leg)
    await far_end.passed()
    directions = [media.direction for media in caller.stream.connected]
    assert directions == [Direction.SENDRECV, Direction.SENDRECV, Direction.RECVONLY]


async def test_glare_of_ours_is_tried_again_after_the_wait(sipp: StartSipp) -> None:
    """§14.1: 2.1 to 4 s for the owner of the Call-ID; the scenario fails when less than 2 s pass."""
    tokens = itertools.count(1)
    async with Caller() as caller:
        # The wait follows from a token; one that starts with zeros makes it the shortest.
        caller.user_agent.endpoint.new_token = lambda: f"{next(tokens):016x}"
        far_end = await sipp("glare_of_ours")
        leg = caller.leg(far_end)
        await answered(leg)
        _reinvite(leg, caller)
        await end_of(leg)
        await far_end.passed()
        assert caller.stream.connected[-1].direction is Direction.RECVONLY


def _reinvite(leg: Leg, caller: Caller) -> None:
    """What the session timer does, without the wait for it."""
    assert leg._session is not None
    assert leg._session.established is not None
    leg._session.established.reinvite(caller.user_agent.now)
    caller.user_agent.flush()


def _session_versions(messages: list[Request | Response]) -> list[int]:
    bodies = [getattr(message, "body", b"") for message in messages]
    return [int(match.group(1)) for body in bodies if (match := re.search(rb"o=\S+ \d+ (\d+) ", body))]
