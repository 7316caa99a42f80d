"""Retention: what is old goes, what is needed stays, once across processes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from outdial.domain.call import ClaimedCall
from outdial.domain.flow_run import FlowRun
from outdial.domain.retry_policy import Done
from outdial.errors import NotFound
from outdial.storage import attempts, audit, calls, cdrs, idempotency, retention, traces
from outdial.storage.audit import Actor
from outdial.storage.blobs import Blobs
from outdial.storage.idempotency import IdempotencyKey
from outdial.storage.retention import Kind, Mark
from outdial.storage.retention_run import Removed, Retention, RetentionOptions
from outdial.storage.tables import audit as audit_table
from outdial.storage.tables import calls as call_table
from outdial.storage.tables import outbox
from tests.storage.test_outbox import claimed, endpoint
from tests.storage.world import CALLEE, World, outcome

DAY_MS = 86_400_000
NOW = 100 * DAY_MS
ALL = RetentionOptions(traces_ms=DAY_MS, recordings_ms=DAY_MS, personal_ms=DAY_MS, audit_ms=DAY_MS)
PERSONAL = (
    *("12025550100", "4711", "customer-9", "secret-pin", "host-of-theirs", "node-that-tells"),
    *("variable-that-tells", "tag-that-tells", "problem-that-tells"),
)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(f"file://{tmp_path / 'blobs'}")


def at(moment: int) -> Callable[[], int]:
    return lambda: moment


def runner(
    world: World, blobs: Blobs, options: RetentionOptions = ALL, clock: Callable[[], int] | None = None
) -> Retention:
    return Retention(world.database, blobs, options, clock or at(NOW))


async def done(world: World, blobs: Blobs, **changes: Any) -> ClaimedCall:
    """A call that is done, with everything that a call can leave behind."""
    call = await claimed(
        world, customid="customer-9", customid1="customer-9", variables={"pin": "secret-pin"}, **changes
    )
    run = world.database.run
    key = f"recordings/{call.lease.call_id.replace(':', '-')}-1.ulaw"
    await blobs.put(key, b"voice")
    await run(traces.append, call.lease.call_id, 1, [{"at": 1, "text": f"INVITE sip:{CALLEE}"}])
    run_of_flow = FlowRun(
        flow_id=1,
        version=1,
        result="success",
        path=[{"node": "node-that-tells"}],
        variables={"pin": "variable-that-tells"},
        tags=["tag-that-tells"],
        problems=["problem-that-tells"],
    )
    ended = outcome(
        world.now,
        dtmf="4711",
        codec="PCMU",
        recording_key=key,
        detail="host-of-theirs gave no answer.",
        flow_run=run_of_flow,
    )
    assert await run(attempts.finish, call.lease, ended, Done(), now=world.now)
    return call


async def stored(world: World) -> str:
    """All that the database says, as one text."""

    def read(conn: sa.Connection) -> str:
        meta = sa.MetaData()
        meta.reflect(conn)
        rows: list[Any] = []
        for table in meta.tables.values():
            if table.name not in ("accounts", "bridges", "trunks"):
                rows += conn.execute(sa.select(table)).all()
        return repr(rows)

    return await world.database.read(read)


async def test_everything_of_an_old_call_goes_but_its_outcome(world: World, blobs: Blobs) -> None:
    call = await done(world, blobs)
    (before,) = await world.database.read(cdrs.of_call, call.lease.call_id)
    text = await stored(world)
    assert [value for value in PERSONAL if value not in text] == []
    removed = await runner(world, blobs).run()
    assert (removed.traces, removed.recordings, removed.personal) == (1, 1, 1)
    text = await stored(world)
    assert [value for value in PERSONAL if value in text] == []
    (after,) = await world.database.read(cdrs.of_call, call.lease.call_id)
    assert (after.outcome.disposition, after.outcome.answered_at, after.outcome.ended_at) == (
        before.outcome.disposition,
        before.outcome.answered_at,
        before.outcome.ended_at,
    )
    assert before.outcome.recording_key is not None
    assert after.outcome.recording_key is None
    with pytest.raises(NotFound):
        await blobs.get(before.outcome.recording_key)
    assert (await runner(world, blobs).run()) == Removed()


async def test_a_kind_goes_when_its_own_time_is_over(world: World, blobs: Blobs) -> None:
    call = await done(world, blobs)
    only_traces = RetentionOptions(traces_ms=DAY_MS, recordings_ms=NOW, personal_ms=None)
    removed = await runner(world, blobs, only_traces).run()
    assert (removed.traces, removed.recordings, removed.personal) == (1, 0, 0)
    (cdr,) = await world.database.read(cdrs.of_call, call.lease.call_id)
    assert cdr.outcome.recording_key is not None
    assert await blobs.get(cdr.outcome.recording_key) == b"voice"
    assert await world.database.read(traces.read, call.lease.call_id) == []
    young = RetentionOptions(traces_ms=DAY_MS, recordings_ms=DAY_MS, personal_ms=DAY_MS)
    assert await runner(world, blobs, young, at(world.now + DAY_MS)).run() == Removed()


async def test_a_dry_run_tells_the_same_and_changes_nothing(world: World, blobs: Blobs) -> None:
    await done(world, blobs)
    await world.database.run(note, at=1)
    before = await stored(world)
    told = await runner(world, blobs).run(dry_run=True)
    assert await stored(world) == before
    assert await runner(world, blobs).run() == told
    assert told.audit == 1


async def test_calls_that_are_not_done_or_still_to_be_told_are_left_alone(world: World, blobs: Blobs) -> None:
    (queued,) = await world.queue(due_at=NOW)
    hook = await endpoint(world)
    told = await done(world, blobs, webhook_id=str(hook.id))
    later = await done(world, blobs)
    removed = await runner(world, blobs).run(from_start=False)
    assert (removed.personal, removed.waiting) == (1, 3)
    for call_id, number in ((queued.id, CALLEE), (told.lease.call_id, CALLEE), (later.lease.call_id, "")):
        call = await world.database.read(calls.get, call_id)
        assert call is not None
        assert call.to == number
    await world.database.run(
        lambda conn: conn.execute(sa.update(outbox).values(state="delivered", ended_at=1))
    )
    removed = await runner(world, blobs).run(from_start=False)
    assert (removed.traces, removed.recordings, removed.personal, removed.waiting) == (1, 1, 1, 0)


async def test_a_call_that_came_to_wait_meanwhile_is_left_out(world: World, blobs: Blobs) -> None:
    hook = await endpoint(world)
    call = await done(world, blobs, webhook_id=str(hook.id))
    assert await world.database.run(retention.remove, Kind.PERSONAL, [call.lease.call_id]) == 0


async def test_the_next_run_goes_on_where_the_last_one_came_to(
    world: World, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention.ended_calls, "__kwdefaults__", {"limit": 1})
    first, second = await done(world, blobs), await done(world, blobs)
    assert (await runner(world, blobs).run(from_start=False)).personal == 2
    place = await world.database.read(retention.mark, Kind.PERSONAL)
    assert place.at == world.now
    await world.database.run(lambda conn: conn.execute(sa.update(call_table).values(to_number=CALLEE)))
    assert (await runner(world, blobs).run(from_start=False)).personal == 0
    assert (await runner(world, blobs).run()).personal == 2
    assert first.lease.call_id != second.lease.call_id
    found = await world.database.read(
        retention.ended_calls, Kind.PERSONAL, after=Mark(place.at, place.seq - 1), before=NOW, limit=9
    )
    assert [call.id for call in found] == [second.lease.call_id]


async def test_one_process_gets_the_turn(world: World) -> None:
    take = world.database.run
    turns = await asyncio.gather(*(take(retention.take_turn, now=NOW, next_at=NOW + 10) for _ in range(5)))
    assert turns.count(True) == 1
    assert not await take(retention.take_turn, now=NOW + 9, next_at=NOW + 19)
    assert await take(retention.take_turn, now=NOW + 10, next_at=NOW + 20)


def note(conn: sa.Connection, at: int) -> None:
    audit.write(conn, Actor(name="t"), at=at, action="create", thing="trunk", thing_id=at)


def keep_answer(conn: sa.Connection, key: str, now: int) -> None:
    taken = IdempotencyKey(account_id=1, key=key, request_sha256="a")
    idempotency.claim(conn, taken, now=now)
    idempotency.keep(conn, taken, b"answer")


async def test_logs_are_cut_at_their_age(world: World, blobs: Blobs) -> None:
    for moment in (1, 2, NOW):
        await world.database.run(note, at=moment)
    await world.database.run(keep_answer, "new", NOW)
    await world.database.run(keep_answer, "old", 1)
    removed = await runner(world, blobs).run()
    assert (removed.audit, removed.idempotency_keys) == (2, 1)
    left = await world.database.read(lambda conn: list(conn.scalars(sa.select(audit_table.c.at))))
    assert left == [NOW]
    forever = RetentionOptions(audit_ms=None)
    assert (await runner(world, blobs, forever, at(9 * NOW)).run()).audit == 0


async def test_a_number_is_forgotten_however_new_its_calls_are(world: World, blobs: Blobs) -> None:
    await done(world, blobs)
    await done(world, blobs, to="12025550123")
    await world.queue(due_at=NOW)
    forgotten = await runner(world, blobs).forget(CALLEE)
    assert (forgotten.calls, forgotten.left) == (1, 1)
    text = await stored(world)
    assert text.count("4711") == 1
    assert "12025550123" in text


async def test_what_is_not_done_is_left_out_even_if_it_is_named(world: World, blobs: Blobs) -> None:
    (queued,) = await world.queue(due_at=NOW)
    ended = await done(world, blobs)
    assert await world.database.run(retention.remove, Kind.PERSONAL, [queued.id, ended.lease.call_id]) == 1
    call = await world.database.read(calls.get, queued.id)
    assert call is not None
    assert call.to == CALLEE


async def test_the_oldest_of_the_audit_log_goes_first(world: World) -> None:
    for moment in (2, 1, 3):
        await world.database.run(note, at=moment)
    assert await world.database.run(retention.prune_audit, before=9, limit=2) == 2
    left = await world.database.read(lambda conn: list(conn.scalars(sa.select(audit_table.c.at))))
    assert left == [3]
