"""SIGKILL of the dialer in the middle of two hundred calls."""

from random import Random

import pytest

from outdial.domain.disposition import EndReason
from tests.chaos.campaign import Campaign
from tests.chaos.scale import CALLS, KILLS
from tests.chaos.world import World

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


async def test_calls_survive_dialers_that_are_killed_at_any_moment(world: World, rng: Random) -> None:
    campaign = Campaign(world, "dialer killed")
    await campaign.send(world.numbers.mix(CALLS, rng), rng)
    for kill in range(KILLS):
        await campaign.begun(
            rng.randrange(kill * CALLS // (KILLS + 1) + 10, (kill + 1) * CALLS // (KILLS + 1))
        )
        killed = await world.kill_dialer()
        await world.another_dialer(instead_of=killed)
    await campaign.drain()

    assert campaign.problems(EndReason.INTERRUPTED) == []
    reasons = campaign.reasons()
    print(reasons)
    assert reasons[EndReason.INTERRUPTED] > 0  # or nothing was in the middle
    assert reasons[EndReason.COMPLETED] > 0
    said = await campaign.explanations(campaign.accepted.values())
    interrupted = [
        call_id for call_id, entry in campaign.ledger().items() if entry.call.reason is EndReason.INTERRUPTED
    ]
    assert all(sentence.endswith(".") for sentence in said.values())
    assert all("the dialer was lost" in said[call_id].lower() for call_id in interrupted)
