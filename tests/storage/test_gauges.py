"""The figures about what waits."""

from outdial.storage import gauges
from tests.storage.world import World


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
