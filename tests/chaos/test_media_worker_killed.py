"""SIGKILL of one media worker of several in the middle of two hundred calls."""

from random import Random

import pytest

from outdial.domain.call import AttemptState
from outdial.domain.disposition import EndReason
from tests.chaos.campaign import Campaign
from tests.chaos.scale import CALLS
from tests.chaos.world import WORKERS, World
from tests.helpers.poll import until
from tests.helpers.processes import kill

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

ANSWERING = ("listens", "hangs up", "slow", "early media", "digest")


async def test_a_dead_media_worker_takes_only_its_own_calls_with_it(world: World, rng: Random) -> None:
    await until(lambda: len(world.media_workers()) == WORKERS, "all media workers run")
    dialer, workers = world.system.pid_of("dialer"), world.media_workers()
    campaign = Campaign(world, "media worker killed")
    await campaign.send(world.numbers.mix(CALLS, rng, ANSWERING), rng)
    await campaign.begun(rng.randrange(CALLS // 3, CALLS // 2))
    await until(lambda: campaign.attempts()[AttemptState.ANSWERED] >= WORKERS * 3, "calls are up", every_s=0)
    victim = rng.choice(workers)
    await kill(victim)
    in_the_middle = CALLS - campaign.attempts()[AttemptState.ENDED]
    await campaign.drain()

    assert campaign.problems(EndReason.MEDIA_WORKER_LOST) == []
    reasons = campaign.reasons()
    assert 0 < reasons[EndReason.MEDIA_WORKER_LOST] < in_the_middle
    assert reasons[EndReason.COMPLETED] > CALLS // 4
    _nobody_was_left_on_the_line(campaign)

    await until(lambda: len(world.media_workers()) == WORKERS, "the worker is started again")
    assert world.system.pid_of("dialer") == dialer
    assert set(workers) - {victim} < set(world.media_workers())

    afterwards = Campaign(world, "after a media worker was killed")
    await afterwards.send(world.numbers.mix(3 * WORKERS, rng, ("listens",)), rng)
    await afterwards.drain()
    assert afterwards.problems() == []


def _nobody_was_left_on_the_line(campaign: Campaign) -> None:
    """Whoever lost the audio was hung up on at once, not left to hang up."""
    witness, ledger = campaign.witness(), campaign.ledger()
    for number, call_id in campaign.accepted.items():
        for cdr in ledger[call_id].cdrs:
            if cdr.outcome.reason is EndReason.MEDIA_WORKER_LOST and cdr.outcome.answered_at is not None:
                assert [heard.ended_by for heard in witness.picked_up(number)] == ["caller"]
