"""The figures about what waits."""

import pytest

from outdial.storage import accounts, bridges, due_queues, gauges, pauses
from outdial.storage.pauses import PauseKind
from tests.storage.world import BRIDGE, World


async def test_what_is_due_is_counted_by_trunk_and_account(world: World) -> None:
    await world.queue(3)
    await world.queue(1, due_at=world.now - 5_000)
    await world.queue(2, due_at=world.now + 1)
    await world.dialer()
    found = await world.database.read(gauges.look, now=world.now)
    assert found.by_trunk == {"trunk": gauges.Waiting(4, world.now - 5_000)}
    assert found.by_account == {"test": gauges.Waiting(4, world.now - 5_000)}
    assert (found.dialers, found.active_attempts, found.pending_events) == (1, {}, 0)


async def test_attempts_in_progress_are_counted_by_state(world: World) -> None:
    await world.queue(3)
    await world.claim(await world.dialer(), limit=2)
    found = await world.database.read(gauges.look, now=world.now)
    assert found.active_attempts == {"claimed": 2}
    assert found.by_trunk["trunk"].calls == 1


@pytest.mark.parametrize("what", ["campaign", "account", "bridge"])
async def test_what_is_paused_is_not_due(world: World, what: str) -> None:
    """Somebody wanted it so, and is not to be woken at night because of it."""
    await world.queue(3, name="spring", due_at=world.now - 500_000)
    match what:
        case "campaign":
            await pauses.pause(
                world.database, world.account_id, PauseKind.CAMPAIGN, "spring", request=None, now=world.now
            )
        case "account":
            await world.database.run(accounts.pause, world.account_id, now=world.now)
        case _:
            await world.database.run(bridges.pause, BRIDGE, now=world.now)
    found = await world.database.read(gauges.look, now=world.now)
    assert found.by_trunk == {"trunk": gauges.Waiting(0, None)}
    assert found.by_account == {}


async def test_the_figures_of_many_queues_are_those_of_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_queues, "MOST", 2)
    for number in range(5):
        await world.queue(1, bridge=f"1202555018{number}", due_at=world.now - number)
    found = await world.database.read(gauges.look, now=world.now)
    assert found.by_trunk == {"trunk": gauges.Waiting(5, world.now - 4)}


async def test_counting_goes_no_further_than_that(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "MOST_COUNTED", 4)
    await world.queue(3)
    await world.queue(3, bridge="12025550180")
    found = await world.database.read(gauges.look, now=world.now)
    assert found.by_trunk["trunk"].calls == 4
