"""From queued to leased: in order, within limits, by one dialer only."""

import asyncio
from pathlib import Path

import sqlalchemy as sa

from outdial.domain.call import AttemptState, CallState
from outdial.storage import attempts, calls, claims, giving_back, leases, queue_claim, schema, trunks
from outdial.storage.database import Database
from tests.storage.plans import plan_of, steps_of
from tests.storage.world import BRIDGE, LEASE_MS, World, rescue_lost


async def test_claims_the_longest_due_first_and_says_when_the_next_is_due(world: World) -> None:
    late, early, future = [world.new_call(due_at=world.now + at) for at in (-5, -9, 50)]
    await world.database.run(calls.insert_calls, [late, early, future])
    dialer = await world.dialer()
    found = await world.database.run(
        claims.claim_due, dialer_id=dialer, now=world.now, limit=9, free_by_trunk={world.trunk_id: 9}
    )
    assert [claimed.call.id for claimed in found.calls] == [early.id, late.id]
    assert found.next_due_at == {world.trunk_id: future.due_at}


async def test_calls_due_at_the_same_time_leave_in_the_order_of_acceptance(world: World) -> None:
    accepted = await world.queue(12)
    claimed = await world.claim(await world.dialer(), limit=11)
    assert [claim.call.id for claim in claimed] == [call.id for call in accepted[:11]]


async def test_a_claim_leases_the_call_and_adds_its_attempt(world: World) -> None:
    (call,) = await world.queue(variables={"otp": "1234"}, customid="mine")
    (claimed,) = await world.claim(await world.dialer())
    assert claimed.call.variables == {"otp": "1234"}
    assert claimed.call.state is CallState.LEASED
    assert claimed.lease.number == 1
    assert claimed.lease.fence == 1
    (attempt,) = await world.database.read(attempts.of_call, call.id)
    assert attempt.state is AttemptState.CLAIMED
    assert attempt.claimed_at == world.now
    assert await world.claim("dialer") == []


async def test_limits_hold_for_each_trunk_and_for_the_dialer(world: World) -> None:
    database = world.database
    other = await database.run(
        trunks.insert, trunks.NewTrunk(name="other", host="192.0.2.2", calls_per_second=10.0), now=1
    )
    third = await database.run(trunks.insert, trunks.NewTrunk(name="third", host="192.0.2.3"), now=1)
    await world.queue(5, due_at=world.now - 2)
    await world.queue(5, due_at=world.now - 1, trunk_id=other.id)
    await world.queue(1, due_at=world.now - 9, trunk_id=third.id)
    dialer = await world.dialer()
    found = await database.run(
        claims.claim_due,
        dialer_id=dialer,
        now=world.now,
        limit=4,
        free_by_trunk={other.id: 5, world.trunk_id: 3},
    )
    assert [claimed.call.trunk_id for claimed in found.calls] == [world.trunk_id] * 3 + [other.id]
    # the first has more, the second has to wait for its next slot
    assert found.next_due_at == {world.trunk_id: world.now, other.id: world.now + 100}


async def test_nothing_to_claim(world: World) -> None:
    found = await world.database.run(
        claims.claim_due, dialer_id="nobody", now=1, limit=1, free_by_trunk={world.trunk_id: 1}
    )
    assert found == claims.Claims([], {})


async def test_a_dialer_that_is_declared_lost_claims_nothing(world: World) -> None:
    await world.queue()
    dialer = await world.dialer()
    await world.lose(dialer)
    assert await world.claim(dialer) == []


async def test_several_dialers_never_claim_the_same_call(world: World, database_url: str) -> None:
    """Four databases objects stand for four processes: each has its own writer and connection."""
    total = 400
    await world.queue(total)
    dialers = [await world.dialer(f"dialer-{index}") for index in range(4)]
    databases = [Database(database_url) for _ in dialers]
    for database in databases:
        await database.start()

    async def claim_all(database: Database, dialer: str) -> list[tuple[str, int]]:
        own = World(database, world.account_id, world.trunk_id, world.now)
        taken: list[tuple[str, int]] = []
        while claimed := await own.claim(dialer, limit=7):
            taken += [(claim.call.id, claim.lease.fence) for claim in claimed]
        return taken

    taken = await asyncio.gather(*map(claim_all, databases, dialers))
    for database in databases:
        await database.stop()
    everything = [call for part in taken for call in part]
    # a dialer gets nothing while another one claims with the trunk, so a last claim collects the rest
    everything += [
        (claim.call.id, claim.lease.fence) for claim in await world.claim(dialers[0], total, total)
    ]
    assert len(everything) == len(set(everything)) == total
    assert {fence for _, fence in everything} == {1}


async def test_release_gives_a_call_back_as_it_was(world: World) -> None:
    (call,) = await world.queue()
    dialer = await world.dialer()
    (claimed,) = await world.claim(dialer)
    assert await world.database.run(giving_back.release, claimed.lease, now=world.now)
    stored = await world.database.read(calls.get, call.id)
    assert stored is not None
    assert (stored.state, stored.attempts_started, stored.due_at) == (CallState.QUEUED, 0, call.due_at)
    (again,) = await world.claim(dialer)
    assert (again.lease.number, again.lease.fence) == (1, 2)
    assert not await world.database.run(giving_back.release, claimed.lease, now=world.now)


async def test_release_after_a_cancel_ends_the_call(world: World) -> None:
    (call,) = await world.queue()
    (claimed,) = await world.claim(await world.dialer())
    await world.database.run(calls.request_cancel, call.id, now=world.now)
    assert await world.database.run(giving_back.release, claimed.lease, now=world.now + 1)
    stored = await world.database.read(calls.get, call.id)
    assert stored is not None
    assert (stored.state, stored.disposition, stored.done_at) == (CallState.DONE, "CANCEL", world.now + 1)


async def test_a_call_that_may_have_been_dialled_is_not_released(world: World) -> None:
    await world.queue()
    (claimed,) = await world.claim(await world.dialer())
    assert await world.database.run(attempts.mark_dialing, claimed.lease, now=world.now)
    assert not await world.database.run(giving_back.release, claimed.lease, now=world.now)


async def test_the_claim_reads_the_partial_index(world: World) -> None:
    """Not a scan and not a sort: its cost must not grow with the queue or the history."""
    await world.queue(3)

    values = {"p_dialer": "d", "p_now": world.now, "p_trunk": world.trunk_id, "p_limit": 5}
    values |= {"p_account": world.account_id, "p_bridge": BRIDGE}
    text = await world.database.run(plan_of, queue_claim.CLAIM, values)
    assert "ix_calls_due" in text
    assert "SCAN calls" not in text
    assert "Seq Scan" not in text
    assert "TEMP B-TREE" not in text
    assert '"Sort"' not in text


async def test_a_claim_takes_as_many_steps_with_a_long_queue_as_with_a_short_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/queue.db"
    schema.upgrade(url)
    async with Database(url) as database:
        world = await World.make(database)
        dialer = await world.dialer()

        async def steps() -> int:
            def claim(conn: sa.Connection) -> None:
                found = claims.claim_due(
                    conn, dialer_id=dialer, now=world.now, limit=1, free_by_trunk={world.trunk_id: 1}
                )
                assert len(found.calls) == 1

            return await database.run(steps_of, claim)

        await world.queue(20)
        await steps()
        short = await steps()
        await world.queue(5_000)
        long = await steps()

    assert 0 < long < 1.5 * short


async def test_leases_know_who_is_alive(world: World) -> None:
    database = world.database
    first, second = await world.dialer("a"), await world.dialer("b")
    world.now += LEASE_MS - 1
    assert await database.run(leases.renew, first, now=world.now, lease_until=world.now + LEASE_MS)
    assert await database.read(leases.alive, now=world.now) == [first, second]
    world.now += 1
    assert await database.read(leases.alive, now=world.now) == [first]
    assert await database.read(leases.beats) == {first: 1, second: 0}
    await database.run(rescue_lost, now=world.now)
    assert await database.read(leases.beats) == {first: 1}
    assert not await database.run(leases.renew, second, now=world.now, lease_until=world.now + LEASE_MS)
    await database.run(leases.give_up, first, now=world.now)
    assert await database.read(leases.alive, now=world.now) == []
    assert await database.run(leases.prune, lost_before=world.now + 1) == 2
