"""How trunks are: as the claims and the holds of all dialers say it."""

from dataclasses import replace

from outdial.storage import paces, trunk_health, trunks
from outdial.storage.paces import Hold
from outdial.storage.trunk_health import TrunkHealth, TrunkState
from tests.storage.world import World, switch_trunk


async def health(world: World) -> TrunkHealth:
    found = await world.database.read(trunks.find_all)
    of = await world.database.read(trunk_health.of_trunks, found, now=world.now)
    return of[world.trunk_id]


async def test_a_trunk_that_takes_calls(world: World) -> None:
    assert await health(world) == TrunkHealth(state=TrunkState.UP, calls=0)
    await world.queue(3)
    await world.claim(await world.dialer(), limit=2)
    assert await health(world) == TrunkHealth(state=TrunkState.UP, calls=2)


async def test_a_trunk_that_fails_says_since_when_and_why_until_a_call_gets_through(world: World) -> None:
    began = world.now
    why = "it refuses them: SIP 503 Service Unavailable"
    note = paces.note_hold
    await world.database.run(note, world.trunk_id, Hold(began + 1_000, why), now=began)
    held = TrunkHealth(state=TrunkState.HELD, calls=0, since=began, held_until=began + 1_000, reason=why)
    assert await health(world) == held
    world.now += 1_000
    assert await health(world) == replace(held, state=TrunkState.FAILING, held_until=None)
    later = Hold(world.now + 2_000, "it does not answer")
    await world.database.run(note, world.trunk_id, later, now=world.now)
    assert await health(world) == replace(held, held_until=later.until, reason=later.why)
    await world.database.run(note, world.trunk_id, None, now=world.now)
    assert await health(world) == TrunkHealth(state=TrunkState.UP, calls=0)
    await world.database.run(note, world.trunk_id, later, now=world.now)
    assert (await health(world)).since == world.now


async def test_a_trunk_that_was_switched_off(world: World) -> None:
    await world.database.run(switch_trunk, world.trunk_id, enabled=False)
    assert (await health(world)).state is TrunkState.OFF
