"""The whole server ends, politely or not, and is started again: the calls go on."""

from random import Random

import pytest

from outdial.domain.call import AttemptState, CallState
from outdial.domain.disposition import EndReason
from outdial.supervisor import exit_codes
from tests.chaos.campaign import Campaign
from tests.chaos.scale import CALLS
from tests.chaos.world import World
from tests.helpers.poll import until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

QUICK = ("listens", "hangs up", "busy", "digest", "unknown")
LONG_CALLS = 6


async def test_a_graceful_stop_finishes_what_has_begun_and_keeps_what_has_not(
    world: World, rng: Random
) -> None:
    campaign = await _calls_in_the_middle(world, rng, "stopped")
    assert await world.server.stop() == exit_codes.OK
    await _nothing_runs_and_nobody_is_on_the_line(campaign)

    # Only who would have listened for longer than the drain time was cut off, and none was lost.
    cut_off = {
        entry.call.to
        for entry in campaign.ledger().values()
        if any(cdr.outcome.reason is EndReason.SHUTDOWN for cdr in entry.cdrs)
    }
    assert cut_off
    assert {campaign.kinds[number] for number in cut_off} == {"talks"}

    await world.restart()
    await campaign.drain()
    assert campaign.problems(EndReason.SHUTDOWN) == []


async def test_roles_end_with_a_supervisor_that_is_killed(world: World, rng: Random) -> None:
    campaign = await _calls_in_the_middle(world, rng, "supervisor killed")
    await world.server.kill()
    await _nothing_runs_and_nobody_is_on_the_line(campaign)

    await world.restart()
    await campaign.drain()
    assert campaign.problems(EndReason.SHUTDOWN) == []


async def _calls_in_the_middle(world: World, rng: Random, name: str) -> Campaign:
    """Calls that last longer than the drain time, calls that do not, and more than can be begun at once."""
    campaign = Campaign(world, name)
    await campaign.send(world.numbers.mix(LONG_CALLS, rng, ("talks",)), rng)
    await until(lambda: campaign.attempts()[AttemptState.ANSWERED] == LONG_CALLS, "the long calls are up")
    await campaign.send(world.numbers.mix(CALLS, rng, QUICK), rng)
    await campaign.begun(LONG_CALLS + rng.randrange(CALLS // 4, CALLS // 2))
    return campaign


async def _nothing_runs_and_nobody_is_on_the_line(campaign: Campaign) -> None:
    """All processes of the server end; the calls are over for both sides or wait to be begun."""
    system = campaign.world.system

    def others() -> list[str]:
        return [process.role for process in system.processes() if process.role != "sandbox"]

    await until(lambda: not others(), "every process of the server ends")
    states = campaign.states()
    assert states[CallState.LEASED] == 0
    assert states[CallState.QUEUED] > 0

    def all_hung_up() -> bool:
        witness = campaign.witness()
        return all(
            len(calls) == len(witness.heard.get(number, ())) for number, calls in witness.called.items()
        )

    await until(all_hung_up, "nobody is left on the line")
