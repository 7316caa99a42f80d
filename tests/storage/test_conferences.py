"""A room belongs to one dialer that lives."""

from outdial.storage import conferences
from tests.storage.world import World


async def have(world: World, dialer: str, room: str = "r") -> bool:
    ours: bool = await world.database.run(conferences.open_room, world.account_id, room, dialer_id=dialer)
    return ours


async def test_a_room_is_of_the_dialer_that_came_first_until_it_is_empty(world: World) -> None:
    await world.dialer("a")
    await world.dialer("b")
    assert await have(world, "a")
    assert await have(world, "a")
    assert not await have(world, "b")
    assert await have(world, "b", "another room")
    # Only its owner closes it.
    await world.database.run(conferences.close_room, world.account_id, "r", dialer_id="b")
    assert not await have(world, "b")
    await world.database.run(conferences.close_room, world.account_id, "r", dialer_id="a")
    assert await have(world, "b")


async def test_the_room_of_a_dialer_that_died_is_free(world: World) -> None:
    await world.dialer("dead")
    assert await have(world, "dead")
    await world.lose("dead")
    await world.dialer("b")
    assert await have(world, "b")
    await world.dialer("c")
    assert not await have(world, "c")
