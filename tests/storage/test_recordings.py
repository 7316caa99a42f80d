"""Rows of recordings: written with their CDRs, listed, deleted, removed by retention."""

from typing import Any

import sqlalchemy as sa

from outdial.domain.call import Lease
from outdial.domain.retry_policy import Done
from outdial.storage import accounts, attempts, cdrs, recordings, retention, tables
from outdial.storage.audit import Actor
from outdial.storage.calls import ANY_CALL, CallFilter
from outdial.storage.recordings import RecordingKind
from outdial.storage.retention import Kind
from tests.storage.world import World, outcome

ACTOR = Actor(name="test")


async def recorded(world: World, **changes: Any) -> tuple[Lease, str]:
    """An attempt that ended, and the key of its recording."""
    await world.queue(**changes)
    (claimed,) = await world.claim(await world.dialer(f"dialer-{world.now}"))
    lease = claimed.lease
    key = f"recordings/{lease.call_id.replace(':', '-')}-{lease.number}.alaw"
    await world.database.run(attempts.mark_dialing, lease, now=world.now)
    ended = outcome(world.now, recording_key=key, recorded_ms=700, codec="PCMA")
    assert await world.database.run(attempts.finish, lease, ended, Done(), now=world.now)
    world.now += 1_000
    return lease, key


async def test_the_row_comes_with_the_cdr(world: World) -> None:
    lease, key = await recorded(world, name="diwali")
    (row,), total = await world.database.read(recordings.find, world.account_id, ANY_CALL)
    assert total == 1
    assert (row.id, row.call_id, row.number) == ("call-1-1", lease.call_id, 1)
    assert (row.key, row.codec, row.kind, row.name) == (key, "PCMA", "call", "diwali")
    assert (row.recorded_at, row.duration_ms) == (world.now - 1_000, 700)
    assert row == await world.database.read(recordings.get, world.account_id, row.id)


async def test_lists_are_of_one_account_and_of_the_calls_that_are_wanted(world: World) -> None:
    for name in ("a", "b", "b"):
        await recorded(world, name=name)
    other = await world.database.run(accounts.insert, name="other", now=1)

    async def found(account_id: int, wanted: CallFilter = ANY_CALL) -> list[str]:
        rows, total = await world.database.read(recordings.find, account_id, wanted)
        assert total == len(rows)
        return [row.id for row in rows]

    assert await found(world.account_id) == ["call-3-1", "call-2-1", "call-1-1"]
    assert await found(world.account_id, CallFilter(name="b")) == ["call-3-1", "call-2-1"]
    assert await found(other.id) == []
    assert await world.database.read(recordings.get, other.id, "call-1-1") is None
    rows, total = await world.database.read(recordings.find, world.account_id, ANY_CALL, limit=1, offset=1)
    assert ([row.id for row in rows], total) == (["call-2-1"], 3)


async def test_a_deleted_one_is_marked_once_and_read_no_more(world: World) -> None:
    lease, key = await recorded(world)
    database = world.database
    row = await database.read(recordings.get, world.account_id, "call-1-1")
    assert row is not None
    assert not await database.read(recordings.is_deleted, key)
    for now in (5, 6):
        await database.run(recordings.delete, ACTOR, row, now=now)
    assert await database.read(recordings.is_deleted, key)
    assert await database.read(recordings.find, world.account_id, ANY_CALL) == ([], 0)
    again = await database.read(recordings.get, world.account_id, "call-1-1")
    assert again is not None
    assert again.deleted_at == 5
    (cdr,) = await database.read(cdrs.of_call, lease.call_id)
    assert cdr.outcome.recording_key is None
    stored = await database.read(lambda conn: conn.scalar(sa.select(tables.cdrs.c.recording_key)))
    assert stored == key  # the CDR did not change
    assert (
        await database.read(lambda conn: conn.scalar(sa.select(sa.func.count()).select_from(tables.audit)))
        == 1
    )
    assert await database.read(recordings.to_erase) == [key]
    await database.run(recordings.note_erased, [key], now=7)
    assert await database.read(recordings.to_erase) == []


async def test_one_that_is_found_after_a_crash_gets_its_row(world: World) -> None:
    (_,) = await world.queue()
    (claimed,) = await world.claim(await world.dialer())
    lease = claimed.lease
    await world.database.run(attempts.mark_dialing, lease, now=world.now)
    ended = outcome(world.now)
    assert await world.database.run(attempts.finish, lease, ended, Done(), now=world.now)
    key = "recordings/call-1-1.ulaw"
    for ms in (700, 800):
        assert await world.database.run(cdrs.add_recording, lease.call_id, 1, "PCMU", key, duration_ms=ms)
    (row,), _ = await world.database.read(recordings.find, world.account_id, ANY_CALL)
    assert (row.key, row.codec, row.recorded_at, row.duration_ms) == (key, "PCMU", world.now, 700)
    assert not await world.database.run(
        cdrs.add_recording, "call:9", 1, "PCMU", "recordings/x.ulaw", duration_ms=1
    )


async def test_retention_knows_messages_too(world: World) -> None:
    lease, key = await recorded(world)
    message = "recordings/call-1-1-ask-1.alaw"
    await world.database.run(
        recordings.add,
        lease,
        message,
        "PCMA",
        recorded_at=world.now,
        duration_ms=1,
        kind=RecordingKind.MESSAGE,
    )
    assert sorted(await world.database.read(retention.recording_keys, [lease.call_id])) == [message, key]
    assert await world.database.run(retention.remove, Kind.RECORDINGS, [lease.call_id]) == 1
    assert await world.database.read(retention.recording_keys, [lease.call_id]) == []
    assert await world.database.read(recordings.get, world.account_id, "call-1-1") is None
