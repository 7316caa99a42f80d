"""What happens to the calls of a dialer that died."""

import asyncio

from outdial.domain.call import AttemptState, CallState
from outdial.domain.disposition import EndReason, HangupBy
from outdial.domain.retry_policy import Done
from outdial.storage import attempts, calls, cdrs, leases, rescue
from outdial.storage.database import Database
from tests.storage.world import LEASE_MS, World, outcome, rescue_lost


async def test_each_state_is_cleared_up_in_its_own_way(world: World) -> None:
    run, now = world.database.run, world.now
    await world.queue(5, retries=3)
    dialer = await world.dialer()
    claimed, dialing, ringing, answered, ended = [claim.lease for claim in await world.claim(dialer)]
    for lease in (dialing, ringing, answered):
        assert await run(attempts.mark_dialing, lease, now=now + 10)
    for lease in (ringing, answered):
        assert await run(attempts.mark_ringing, lease, at=now + 20)
    assert await run(attempts.mark_answered, answered, at=now + 30)
    assert await run(attempts.finish, ended, outcome(now + 40), Done(), now=now + 40)
    assert await run(leases.renew, dialer, now=now + 5_000, lease_until=now + 5_000 + LEASE_MS)

    lost_at = now + 5_000 + LEASE_MS
    assert await run(rescue_lost, now=lost_at - 1) == rescue.Rescued([], [])
    rescued = await run(rescue_lost, now=lost_at)
    assert rescued.requeued == [claimed]
    assert set(rescued.interrupted) == {dialing, ringing, answered}

    call = await world.database.read(calls.get, claimed.call_id)
    assert call is not None
    assert (call.state, call.attempts_started, call.attempts_spent) == (CallState.QUEUED, 0, 0)
    assert await world.database.read(attempts.of_call, claimed.call_id) == []

    for lease, disposition in ((dialing, "CHANUNAVAIL"), (ringing, "CHANUNAVAIL"), (answered, "ANSWER")):
        call = await world.database.read(calls.get, lease.call_id)
        assert call is not None
        assert (call.state, call.disposition, call.reason) == (CallState.DONE, disposition, "interrupted")
        (cdr,) = await world.database.read(cdrs.of_call, lease.call_id)
        assert (cdr.outcome.reason, cdr.outcome.hangup_by) == (EndReason.INTERRUPTED, HangupBy.SYSTEM)
        assert cdr.outcome.ended_at == now + 5_000  # when the dialer was last known to be alive
        (attempt,) = await world.database.read(attempts.of_call, lease.call_id)
        assert attempt.state is AttemptState.ENDED
    (cdr,) = await world.database.read(cdrs.of_call, answered.call_id)
    assert (cdr.outcome.ring_ms, cdr.outcome.talk_ms) == (10, 4_970)

    (cdr,) = await world.database.read(cdrs.of_call, ended.call_id)
    assert cdr.outcome.reason is EndReason.COMPLETED


async def test_steps_after_the_last_renewal_are_not_before_the_end(world: World) -> None:
    """The dialer renewed its lease, dialled, and died at once."""
    run, now = world.database.run, world.now
    await world.queue(3)
    leased = [claim.lease for claim in await world.claim(await world.dialer())]
    for lease in leased:
        assert await run(attempts.mark_dialing, lease, now=now + 100)
    assert await run(attempts.mark_ringing, leased[1], at=now + 200)
    assert await run(attempts.mark_answered, leased[2], at=now + 300)
    await run(rescue_lost, now=now + LEASE_MS)
    ended = [(await world.database.read(cdrs.of_call, lease.call_id))[0].outcome for lease in leased]
    assert [cdr.ended_at for cdr in ended] == [now + 100, now + 200, now + 300]
    assert [cdr.talk_ms for cdr in ended] == [0, 0, 0]


async def test_a_call_that_was_requeued_is_dialled_by_another_dialer(world: World) -> None:
    await world.queue()
    (lost,) = await world.claim(await world.dialer("lost"))
    world.now += LEASE_MS
    await world.database.run(rescue_lost, now=world.now)
    (again,) = await world.claim(await world.dialer("other"))
    assert again.call.id == lost.call.id
    assert (again.lease.number, again.lease.fence) == (1, 2)


async def test_a_cancelled_call_is_not_queued_again(world: World) -> None:
    (call,) = await world.queue()
    await world.claim(await world.dialer())
    await world.database.run(calls.request_cancel, call.id, now=world.now)
    await world.database.run(rescue_lost, now=world.now + LEASE_MS)
    stored = await world.database.read(calls.get, call.id)
    assert stored is not None
    assert (stored.state, stored.disposition, stored.reason) == (CallState.DONE, "CANCEL", "cancelled")


async def test_a_dialer_that_gave_up_is_rescued_at_once(world: World) -> None:
    await world.queue()
    await world.claim(await world.dialer())
    await world.database.run(leases.give_up, "dialer", now=world.now)
    rescued = await world.database.run(rescue_lost, now=world.now)
    assert len(rescued.requeued) == 1


async def test_a_living_dialers_calls_are_left_alone(world: World) -> None:
    await world.queue()
    (claimed,) = await world.claim(await world.dialer())
    await world.database.run(rescue_lost, now=world.now)
    assert await world.database.run(attempts.mark_dialing, claimed.lease, now=world.now)


async def test_rescuers_at_the_same_time_do_the_work_once(world: World, database_url: str) -> None:
    total = 60
    await world.queue(total)
    leased = [claim.lease for claim in await world.claim(await world.dialer())]
    for lease in leased[::2]:
        assert await world.database.run(attempts.mark_dialing, lease, now=world.now)
    databases = [Database(database_url) for _ in range(3)]
    for database in databases:
        await database.start()
    now = world.now + LEASE_MS
    rescued = await asyncio.gather(*(database.run(rescue_lost, now=now) for database in databases))
    for database in databases:
        await database.stop()
    requeued = [lease for part in rescued for lease in part.requeued]
    interrupted = [lease for part in rescued for lease in part.interrupted]
    assert sorted(lease.call_id for lease in requeued) == sorted(lease.call_id for lease in leased[1::2])
    assert sorted(lease.call_id for lease in interrupted) == sorted(lease.call_id for lease in leased[::2])


async def test_many_are_rescued_in_bounded_transactions(world: World) -> None:
    await world.queue(7)
    await world.claim(await world.dialer())
    counts = []
    for _ in range(4):
        rescued = await world.database.run(rescue_lost, now=world.now + LEASE_MS, limit=3)
        counts.append(len(rescued.requeued))
    assert counts == [3, 3, 1, 0]


async def test_named_attempts_of_a_living_dialer(world: World) -> None:
    await world.queue(2)
    dialer = await world.dialer()
    leased = [claim.lease for claim in await world.claim(dialer)]
    assert await world.database.read(leases.active, dialer) == leased
    assert await world.database.run(attempts.mark_dialing, leased[0], now=world.now)
    rescued = await world.database.run(rescue.rescue_leases, leased, now=world.now)
    assert rescued == rescue.Rescued(requeued=[leased[1]], interrupted=[leased[0]])
    assert await world.database.read(leases.active, dialer) == []
    assert await world.database.run(rescue.rescue_leases, leased, now=world.now) == rescue.Rescued([], [])


async def test_a_dialer_that_renewed_since_is_not_declared_lost(world: World) -> None:
    await world.queue()
    dialer = await world.dialer()
    (claimed,) = await world.claim(dialer)
    run = world.database.run
    stood_at = await world.database.read(leases.beats)
    assert stood_at == {dialer: 0}
    assert await run(leases.renew, dialer, now=world.now, lease_until=world.now)
    assert await run(rescue.rescue_lost, silent=stood_at, now=world.now) == rescue.Rescued([], [])
    assert await run(attempts.mark_dialing, claimed.lease, now=world.now)
    rescued = await run(rescue.rescue_lost, silent={dialer: 1}, now=world.now)
    assert rescued.interrupted == [claimed.lease]
    assert not await run(leases.renew, dialer, now=world.now, lease_until=world.now)


async def test_no_clock_of_the_day_takes_a_lease_away(world: World) -> None:
    await world.queue()
    (claimed,) = await world.claim(await world.dialer())
    run, hour = world.database.run, 3_600_000
    assert await run(attempts.mark_dialing, claimed.lease, now=world.now + hour)
    assert await run(attempts.mark_answered, claimed.lease, at=world.now - hour)
    assert await run(leases.renew, claimed.lease.dialer_id, now=world.now + hour, lease_until=0)
    ended = outcome(world.now + hour)
    assert await run(attempts.finish, claimed.lease, ended, Done(), now=world.now + hour)
