"""Limits that hold over several dialers, and accounts that do not wait for each other."""

import asyncio
from itertools import pairwise

import sqlalchemy as sa

from outdial.domain.retry_policy import Done
from outdial.storage import accounts, attempts, bridges, claims, trunks
from outdial.storage.database import Database
from outdial.storage.tables import accounts as account_table
from outdial.storage.tables import bridges as bridge_table
from tests.storage.world import BRIDGE, LEASE_MS, World, outcome, rescue_lost

OTHER_BRIDGE = "12025550177"


async def other_account(world: World) -> int:
    account = await world.database.run(accounts.insert, name="other", now=1)
    await world.database.run(
        bridges.insert, number=OTHER_BRIDGE, account_id=account.id, trunk_id=world.trunk_id, now=1
    )
    return account.id


async def limit_trunk(world: World, calls_per_second: float, max_concurrent: int) -> None:
    trunk = trunks.NewTrunk(
        name="trunk",
        host="192.0.2.1",
        calls_per_second=calls_per_second,
        max_concurrent=max_concurrent,
    )
    await world.database.run(trunks.update, world.trunk_id, trunk)


async def test_a_long_queue_of_one_account_does_not_delay_the_call_of_another(world: World) -> None:
    other = await other_account(world)
    await world.queue(500, due_at=world.now - 60_000)
    dialer = await world.dialer()
    await world.claim(dialer, limit=1)
    (single,) = await world.queue(account_id=other, bridge=OTHER_BRIDGE)
    next_two = [await world.claim(dialer, limit=1) for _ in range(2)]
    assert single.id in {claimed.call.id for each in next_two for claimed in each}


async def test_places_are_shared_out_among_accounts_and_none_is_left_over(world: World) -> None:
    other = await other_account(world)
    await world.queue(50, due_at=world.now - 60_000)
    await world.queue(3, account_id=other, bridge=OTHER_BRIDGE)
    claimed = await world.claim(await world.dialer(), limit=20)
    assert len(claimed) == 20
    assert sum(each.call.account_id == other for each in claimed) == 3


async def test_dialers_keep_to_the_rate_of_a_trunk_together(world: World, database_url: str) -> None:
    await limit_trunk(world, 20.0, 1000)
    await world.queue(200)
    names = [await world.dialer(name) for name in ("a", "b")]
    async with Database(database_url) as second:
        worlds = [world, World(second, world.account_id, world.trunk_id, world.now)]
        started = []
        for _ in range(60):
            for each in worlds:
                each.now = world.now
            found = await asyncio.gather(
                *(each.claim(name) for each, name in zip(worlds, names, strict=True))
            )
            started += [world.now] * sum(map(len, found))
            world.now += 50
    assert 55 <= len(started) <= 61
    assert all(sum(at <= each < at + 1000 for each in started) <= 20 for at in started)


async def test_calls_at_a_time_are_counted_over_dialers_and_come_back_from_a_dead_one(world: World) -> None:
    await limit_trunk(world, 10_000.0, 5)
    await world.queue(20)
    assert len(await world.claim(await world.dialer("dies"))) == 5
    world.now += LEASE_MS - 1
    survivor = await world.dialer("survivor")
    assert await world.claim(survivor) == []
    world.now += 1
    assert len((await world.database.run(rescue_lost, now=world.now)).requeued) == 5
    assert len(await world.claim(survivor)) == 5


async def test_an_account_at_its_limit_leaves_the_trunk_to_others(world: World) -> None:
    other = await other_account(world)
    await world.database.run(accounts.limit, world.account_id, calls_per_second=None, max_concurrent=2)
    await world.queue(10)
    await world.queue(10, account_id=other, bridge=OTHER_BRIDGE)
    claimed = await world.claim(await world.dialer())
    assert sum(each.call.account_id == other for each in claimed) == 10
    assert len(claimed) == 12
    assert await world.claim("dialer") == []


async def test_a_bridge_has_its_own_rate_and_its_next_slot_is_known(world: World) -> None:
    await world.database.run(bridges.limit, BRIDGE, calls_per_second=2.0, max_concurrent=None)
    await world.queue(5)
    dialer = await world.dialer()
    found = await world.database.run(
        claims.claim_due, dialer_id=dialer, now=world.now, limit=9, free_by_trunk={world.trunk_id: 9}
    )
    assert len(found.calls) == 1
    assert found.next_due_at == {world.trunk_id: world.now + 500}
    world.now += 500
    assert len(await world.claim(dialer)) == 1


async def test_what_is_paused_waits_and_nobody_else_does(world: World) -> None:
    other = await other_account(world)
    await world.queue(3)
    await world.queue(2, account_id=other, bridge=OTHER_BRIDGE)
    dialer = await world.dialer()
    assert await world.database.run(bridges.pause, BRIDGE, now=world.now)
    assert len(await world.claim(dialer)) == 2
    assert await world.database.run(bridges.resume, BRIDGE)
    assert await world.database.run(accounts.pause, world.account_id, now=world.now)
    assert await world.claim(dialer) == []
    assert await world.database.run(accounts.resume, world.account_id)
    assert len(await world.claim(dialer)) == 3


async def test_limits_are_stored_and_taken_back(world: World) -> None:
    await world.database.run(bridges.limit, BRIDGE, calls_per_second=2.5, max_concurrent=7)
    stored = await world.database.read(bridges.get_by_number, BRIDGE)
    assert stored is not None
    assert (stored.calls_per_second, stored.max_concurrent) == (2.5, 7)
    await world.database.run(bridges.limit, BRIDGE, calls_per_second=None, max_concurrent=None)
    found = await world.database.read(
        lambda conn: conn.execute(sa.select(bridge_table.c.calls_per_second)).scalar_one()
    )
    assert found is None
    assert not await world.database.run(bridges.limit, "1", calls_per_second=1.0, max_concurrent=None)


async def test_a_bridge_has_its_own_calls_at_a_time(world: World) -> None:
    await world.database.run(bridges.limit, BRIDGE, calls_per_second=None, max_concurrent=2)
    await world.queue(5)
    dialer = await world.dialer()
    first, second = await world.claim(dialer)
    assert await world.claim(dialer) == []
    await world.database.run(attempts.finish, first.lease, outcome(world.now), Done(), now=world.now)
    (third,) = await world.claim(dialer)
    assert third.call.id not in {first.call.id, second.call.id}


async def test_calls_of_a_trunk_are_spread_over_its_second(world: World) -> None:
    await limit_trunk(world, 10.0, 1000)
    await world.queue(20)
    dialer = await world.dialer()
    started = []
    for _ in range(20):
        started += [world.now] * len(await world.claim(dialer))
        world.now += 50
    assert [later - earlier for earlier, later in pairwise(started)] == [100] * 9


async def test_calls_of_a_closed_account_are_not_claimed(world: World) -> None:
    other = await other_account(world)
    await world.queue(1)
    (theirs,) = await world.queue(1, account_id=other, bridge=OTHER_BRIDGE)
    closed = (
        sa.update(account_table).where(account_table.c.id == world.account_id).values(closed_at=world.now)
    )
    await world.database.run(lambda conn: conn.execute(closed))
    assert [each.call.id for each in await world.claim(await world.dialer())] == [theirs.id]
