"""How far a dial came, its end, and who may say so."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, IntegrityError

from outdial.domain.call import AttemptOutcome, AttemptState, CallState, ClaimedCall, MediaQuality
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.retry_policy import Done, Retry
from outdial.storage import attempts, calls, cdrs, giving_back, leases, traces
from tests.storage.world import LEASE_MS, World, outcome, rescue_lost


async def claimed_call(world: World, **changes: object) -> ClaimedCall:
    await world.queue(**changes)  # type: ignore[arg-type]
    (claimed,) = await world.claim(await world.dialer())
    return claimed


async def test_the_way_of_an_attempt(world: World) -> None:
    run, lease = world.database.run, (await claimed_call(world)).lease
    now = world.now
    assert await run(attempts.mark_dialing, lease, now=now + 1)
    assert await run(attempts.mark_ringing, lease, at=now + 2)
    assert await run(attempts.mark_answered, lease, at=now + 4)
    (attempt,) = await world.database.read(attempts.of_call, lease.call_id)
    assert attempt.state is AttemptState.ANSWERED
    assert (attempt.claimed_at, attempt.dialing_at, attempt.ringing_at, attempt.answered_at) == (
        now,
        now + 1,
        now + 2,
        now + 4,
    )


async def test_steps_do_not_go_back_or_happen_twice(world: World) -> None:
    run, lease = world.database.run, (await claimed_call(world)).lease
    now = world.now
    assert not await run(attempts.mark_ringing, lease, at=now)
    assert not await run(attempts.mark_answered, lease, at=now)
    assert await run(attempts.mark_dialing, lease, now=now)
    assert not await run(attempts.mark_dialing, lease, now=now)
    assert await run(attempts.mark_answered, lease, at=now)  # answered without ringing
    assert not await run(attempts.mark_ringing, lease, at=now)
    assert not await run(attempts.mark_answered, lease, at=now)


async def test_finish_writes_everything_at_once(world: World) -> None:
    claimed = await claimed_call(world)
    lease = claimed.lease
    full = AttemptOutcome(
        disposition=Disposition.ANSWER,
        reason=EndReason.CALLEE_HUNG_UP,
        hangup_by=HangupBy.CALLEE,
        dialing_at=world.now + 10,
        ringing_at=world.now + 20,
        answered_at=world.now + 30,
        ended_at=world.now + 90,
        sip_call_id="abc@host",
        sip_code=200,
        sip_reason="OK",
        q850=16,
        dtmf="12#",
        codec="G722",
        ptime_ms=30,
        played_ms=55,
        recording_key="recordings/abc.wav",
        detail="example.com did not answer.",
        quality=MediaQuality(
            packets_sent=9,
            packets_received=8,
            packets_lost=1,
            jitter_ms=0.5,
            remote_loss=0.25,
            remote_jitter_ms=1.5,
            round_trip_ms=20.0,
            mos=4.25,
        ),
    )
    entries = [{"at": 1, "summary": "INVITE"}]
    done = await world.database.run(attempts.finish, lease, full, Done(), now=world.now + 90, trace=entries)
    assert done
    (cdr,) = await world.database.read(cdrs.of_call, lease.call_id)
    assert (cdr.number, cdr.dialer_id, cdr.outcome) == (1, "dialer", full)
    (attempt,) = await world.database.read(attempts.of_call, lease.call_id)
    assert (attempt.state, attempt.ended_at) == (AttemptState.ENDED, full.ended_at)
    call = await world.database.read(calls.get, lease.call_id)
    assert call is not None
    assert (call.state, call.disposition, call.reason) == (CallState.DONE, "ANSWER", "callee_hung_up")
    assert (call.done_at, call.attempts_spent, call.trunk_faults) == (full.ended_at, 1, 0)
    (trace,) = await world.database.read(traces.read, lease.call_id)
    assert trace.entries == entries


async def test_an_attempt_ends_once(world: World) -> None:
    lease = (await claimed_call(world)).lease
    ended = outcome(world.now)
    assert await world.database.run(attempts.finish, lease, ended, Done(), now=world.now)
    assert not await world.database.run(attempts.finish, lease, ended, Done(), now=world.now)
    assert len(await world.database.read(cdrs.of_call, lease.call_id)) == 1


@pytest.mark.parametrize("spends", [True, False])
async def test_a_retry_queues_the_call_again_with_a_new_fence(world: World, spends: bool) -> None:
    claimed = await claimed_call(world)
    due_at = world.now + 60_000
    busy = outcome(world.now, disposition=Disposition.BUSY, reason=EndReason.REJECTED, answered_at=None)
    retry = Retry(due_at, spends_attempt=spends)
    assert await world.database.run(attempts.finish, claimed.lease, busy, retry, now=world.now)
    call = await world.database.read(calls.get, claimed.call.id)
    assert call is not None
    assert (call.state, call.due_at, call.disposition) == (CallState.QUEUED, due_at, "BUSY")
    assert (call.attempts_spent, call.trunk_faults) == ((1, 0) if spends else (0, 1))
    assert call.done_at is None
    assert await world.claim("dialer") == []
    world.now = due_at
    await world.dialer("second")
    (again,) = await world.claim("second")
    assert (again.lease.number, again.lease.fence) == (2, 2)
    assert again.call.bridge == claimed.call.bridge


async def test_a_cancel_that_came_meanwhile_prevents_the_retry(world: World) -> None:
    claimed = await claimed_call(world)
    assert await world.database.run(calls.request_cancel, claimed.call.id, now=world.now) == "leased"
    busy = outcome(world.now, disposition=Disposition.BUSY, reason=EndReason.REJECTED, answered_at=None)
    retry = Retry(world.now, spends_attempt=True)
    assert await world.database.run(attempts.finish, claimed.lease, busy, retry, now=world.now)
    call = await world.database.read(calls.get, claimed.call.id)
    assert call is not None
    assert (call.state, call.disposition, call.done_at) == (CallState.DONE, "BUSY", world.now)


@pytest.mark.parametrize(("expires_in", "state"), [(60, CallState.DONE), (61, CallState.QUEUED)])
async def test_there_is_no_retry_after_the_call_s_time(
    world: World, expires_in: int, state: CallState
) -> None:
    claimed = await claimed_call(world, expires_at=world.now + expires_in)
    busy = outcome(world.now, disposition=Disposition.BUSY, reason=EndReason.REJECTED, answered_at=None)
    retry = Retry(world.now + 60, spends_attempt=True)
    assert await world.database.run(attempts.finish, claimed.lease, busy, retry, now=world.now)
    call = await world.database.read(calls.get, claimed.call.id)
    assert call is not None
    assert (call.state, call.disposition, call.reason) == (state, "BUSY", "rejected")


async def test_a_dialer_that_lost_its_lease_writes_nothing(world: World) -> None:
    """It is declared lost; nobody has looked after its calls yet."""
    lease = (await claimed_call(world)).lease
    await world.lose()
    run, now = world.database.run, world.now
    before = await world.database.read(_everything)
    assert not await run(leases.renew, lease.dialer_id, now=now, lease_until=now + LEASE_MS)
    assert not await run(attempts.mark_dialing, lease, now=now)
    assert not await run(attempts.append_trace, lease, [{"at": 1}])
    assert not await run(giving_back.release, lease, now=now)
    assert not await run(attempts.finish, lease, outcome(now), Done(), now=now, trace=[{"at": 1}])
    assert await world.database.read(_everything) == before


async def test_a_dialer_that_comes_back_after_the_rescue_writes_nothing(world: World) -> None:
    """Its clock may even be behind, so that it believes in its lease."""
    lease = (await claimed_call(world)).lease
    run, now = world.database.run, world.now
    assert await run(attempts.mark_dialing, lease, now=now)
    await run(rescue_lost, now=now + LEASE_MS)
    before = await world.database.read(_everything)
    assert not await run(leases.renew, lease.dialer_id, now=now, lease_until=now + LEASE_MS)
    assert not await run(attempts.mark_ringing, lease, at=now)
    assert not await run(attempts.mark_answered, lease, at=now)
    assert not await run(attempts.append_trace, lease, [{"at": 1}])
    assert not await run(attempts.finish, lease, outcome(now), Done(), now=now)
    assert await world.database.read(_everything) == before


async def test_an_old_fence_writes_nothing_even_for_the_same_dialer_and_number(world: World) -> None:
    claimed = await claimed_call(world)
    run, old, now = world.database.run, claimed.lease, world.now
    assert await run(giving_back.release, old, now=now)
    (again,) = await world.claim("dialer")
    assert (again.lease.number, again.lease.dialer_id) == (old.number, old.dialer_id)
    assert not await run(attempts.mark_dialing, old, now=now)
    assert not await run(attempts.finish, old, outcome(now), Done(), now=now)
    assert await run(attempts.mark_dialing, again.lease, now=now)


async def test_the_trace_goes_on_after_the_end(world: World) -> None:
    lease = (await claimed_call(world)).lease
    run, now = world.database.run, world.now
    assert await run(attempts.append_trace, lease, [{"at": 1}])
    assert await run(attempts.finish, lease, outcome(now), Done(), now=now, trace=[{"at": 2}])
    assert await run(attempts.append_trace, lease, [{"at": 3}])
    (trace,) = await world.database.read(traces.read, lease.call_id)
    assert [entry["at"] for entry in trace.entries] == [1, 2, 3]


async def test_the_schema_holds_what_the_code_promises(world: World) -> None:
    """One CDR an attempt, an attempt for each CDR, and a time for each end."""
    lease = (await claimed_call(world)).lease
    ended = outcome(world.now)
    await world.database.run(attempts.finish, lease, ended, Done(), now=world.now)
    with pytest.raises(IntegrityError):
        await world.database.run(cdrs.insert, lease, ended)
    for statement in (
        "UPDATE attempts SET state = 'ended', ended_at = NULL",
        "UPDATE attempts SET state = 'nonsense'",
        "UPDATE calls SET state = 'queued'",
        "DELETE FROM attempts",
    ):
        with pytest.raises(DatabaseError):
            await world.database.run(_execute, statement)


def _execute(conn: sa.Connection, statement: str) -> None:
    conn.execute(sa.text(statement))


def _everything(conn: sa.Connection) -> list[list[tuple[object, ...]]]:
    tables = ("calls", "attempts", "cdrs", "traces", "dialers")
    return [[tuple(row) for row in conn.execute(sa.text(f"SELECT * FROM {table}"))] for table in tables]
