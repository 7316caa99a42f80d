"""SIGKILL of the dialer in the middle of two hundred calls."""

import asyncio
from functools import partial
from random import Random

import pytest

from outdial.domain.call import AttemptState
from outdial.domain.disposition import Disposition, EndReason
from tests.chaos.campaign import Campaign
from tests.chaos.frozen import frozen_attempts
from tests.chaos.ledger import attempt_states
from tests.chaos.phones import EVERYDAY
from tests.chaos.scale import CALLS, KILLS
from tests.chaos.world import World
from tests.helpers.poll import until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

_PICKS_UP = "hangs up"
"""Phones whose calls are soon over, whatever the other side does."""


async def test_calls_survive_dialers_that_are_killed_at_any_moment(world: World, rng: Random) -> None:
    campaign = Campaign(world, "dialer killed")
    await campaign.send(world.numbers.mix(CALLS, rng), rng)
    for kill in range(KILLS):
        share = CALLS // (KILLS + 1)
        await campaign.begun(rng.randrange(kill * share + share // 5, (kill + 1) * share))
        killed = await world.kill_dialer()
        await world.another_dialer(instead_of=killed)
    await campaign.drain()

    assert campaign.problems(EndReason.INTERRUPTED) == []
    reasons = campaign.reasons()
    assert reasons[EndReason.INTERRUPTED] > 0  # or nothing was in the middle
    assert reasons[EndReason.COMPLETED] > 0
    said = await campaign.explanations(campaign.accepted.values())
    assert all(sentence.endswith(".") for sentence in said.values())
    for call_id, entry in campaign.ledger().items():
        assert ("the dialer was lost" in said[call_id].lower()) == (
            entry.call.reason is EndReason.INTERRUPTED
        )


async def test_what_is_on_disk_decides_what_becomes_of_a_call(world: World, rng: Random) -> None:
    """The dialer dies at an instant at which the database is known: each state has its own consequence."""
    campaign = Campaign(world, "dialer killed at a known state")
    kinds = (*EVERYDAY, *[_PICKS_UP] * 3)
    await campaign.send(world.numbers.mix(CALLS, rng, kinds), rng)
    states = await _kill_with_calls_in_every_state(campaign, rng)
    await campaign.drain()

    assert campaign.problems(EndReason.INTERRUPTED) == []
    for call_id, entry in campaign.ledger().items():
        cdrs = [each.outcome for each in entry.cdrs]
        interrupted = [each for each in cdrs if each.reason is EndReason.INTERRUPTED]
        match states.get(call_id):
            case AttemptState.DIALING | AttemptState.RINGING:
                assert cdrs == interrupted
                assert cdrs[0].disposition is Disposition.CHANUNAVAIL
            case AttemptState.ANSWERED:
                assert cdrs == interrupted
                assert cdrs[0].disposition is Disposition.ANSWER
            case AttemptState.CLAIMED | AttemptState.ENDED | None:
                assert interrupted == []  # a claim was given back as if it had never been made


async def _kill_with_calls_in_every_state(campaign: Campaign, rng: Random) -> dict[str, AttemptState]:
    """Kill the dialer when calls are claimed, dialled and answered; the states on disk at that instant.

    The disk stands still until somebody has picked up meanwhile, which cannot be noted: whoever hears
    anything then hears it too early.
    """
    wanted = {AttemptState.CLAIMED, AttemptState.DIALING, AttemptState.RINGING, AttemptState.ANSWERED}
    async with asyncio.timeout(60):
        while True:
            with frozen_attempts(campaign.world.system) as conn:
                states = attempt_states(conn, campaign.name)
                about_to_answer = _about_to_answer(campaign, states)
                if about_to_answer and wanted <= set(states.values()):
                    await until(partial(_any_over, campaign, about_to_answer), "somebody has picked up")
                    await campaign.world.kill_dialer()
                    return states
            await asyncio.sleep(rng.uniform(0, 0.003))


def _about_to_answer(campaign: Campaign, states: dict[str, AttemptState]) -> set[str]:
    """Numbers that are being called, by what is on disk, and will soon pick up and hang up by themselves."""
    calling = {AttemptState.DIALING, AttemptState.RINGING}
    return {
        number
        for number, call_id in campaign.accepted.items()
        if campaign.kinds[number] == _PICKS_UP and states.get(call_id) in calling
    }


def _any_over(campaign: Campaign, numbers: set[str]) -> bool:
    """Whether a call to one of these numbers is over for the far end."""
    heard = campaign.witness().heard
    return any(heard.get(number) for number in numbers)
