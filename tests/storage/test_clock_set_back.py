"""A clock that is set back: what was due at once stays so, and what has a time of its own keeps it."""

from typing import Any

import sqlalchemy as sa

from outdial.storage import clock_set_back, giving_back, wake
from outdial.storage.tables import calls as calls_table
from tests.storage.plans import explain
from tests.storage.test_outbox import claim, ended_call, endpoint
from tests.storage.test_wake import listening
from tests.storage.world import World

HOUR_MS = 3_600_000


def due_times(conn: sa.Connection) -> list[int]:
    return list(conn.scalars(sa.select(calls_table.c.due_at).order_by(calls_table.c.seq)))


async def make_due(world: World) -> int:
    """As a dialer does."""
    waits = await world.database.read(clock_set_back.any_waits, now=world.now)
    made = await world.database.run(clock_set_back.make_due, now=world.now)
    assert waits is (made > 0)
    return made


async def test_calls_that_are_due_at_once_do_not_wait_for_the_old_time(world: World) -> None:
    await world.queue(3)
    await world.queue(1, due_at=world.now + 5_000)  # scheduled
    before = world.now
    assert await make_due(world) == 0
    world.now -= HOUR_MS
    await world.dialer()
    assert await world.claim("dialer") == []
    async with listening(world.database.url, wake.CALLS) as listener:
        assert await make_due(world) == 3
        assert await listener.wait(5) == {wake.CALLS}
    assert await world.database.read(due_times) == [world.now] * 3 + [before + 5_000]
    assert len(await world.claim("dialer")) == 3
    assert await make_due(world) == 0


async def test_calls_that_were_given_back_do_not_wait_either(world: World) -> None:
    [call] = await world.queue(1)
    await world.dialer()
    [claimed] = await world.claim("dialer")
    later = world.now + 30_000
    why = "Waits for its sounds."
    await world.database.run(giving_back.release, claimed.lease, now=world.now, due_at=later, why=why)
    world.now -= HOUR_MS
    assert await make_due(world) == 1
    assert [each.call.id for each in await world.claim("dialer")] == [call.id]


async def test_neither_the_queue_nor_the_history_is_read_to_find_nothing(world: World) -> None:
    def plans(conn: sa.Connection) -> str:
        texts = [
            str(each.params(p_after=1).compile(conn, compile_kwargs={"literal_binds": True}))
            for each in (clock_set_back._CALLS, clock_set_back._EVENTS)
        ]
        empty: Any = () if conn.dialect.name == "sqlite" else {}
        return "\n".join(explain(conn, text, empty) for text in texts)

    found = await world.database.run(plans)
    assert "SCAN calls" not in found
    assert "SCAN outbox" not in found
    assert "Seq Scan" not in found
    if world.database.is_sqlite:
        assert "ix_calls_account_id_submitted_at (account_id=? AND submitted_at>?)" in found
        assert "ix_outbox_due (webhook_id=? AND due_at>?)" in found


async def test_clocks_that_differ_by_seconds_are_left_alone(world: World) -> None:
    await world.queue(1)
    world.now -= 59_000
    assert await make_due(world) == 0


async def test_events_are_sent_at_once(world: World) -> None:
    world.now += HOUR_MS
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    world.now -= HOUR_MS
    assert await claim(world) == []
    assert await make_due(world) == 1
    [event] = await claim(world)
    assert event.tries == 1
    assert await make_due(world) == 0
