"""Somebody picks up after \"no answer\" was written: nobody who answered is called again."""

from dataclasses import replace

import sqlalchemy as sa

from outdial.domain.call import Call, CallState, ClaimedCall
from outdial.domain.disposition import Disposition, EndReason
from outdial.domain.retry_policy import Retry
from outdial.storage import attempts, calls, cdrs, credit, endings
from outdial.storage.credit import Kind
from outdial.storage.tables import outbox
from tests.storage.test_outbox import endpoint
from tests.storage.world import World, outcome

RESERVED = 700


async def not_answered(world: World, **changes: object) -> ClaimedCall:
    """A call whose first attempt rang too long, and which waits for its retry."""
    await world.queue(retries=2, interval_minutes=5, **changes)
    (claimed,) = await world.claim(await world.dialer())
    rang = outcome(
        world.now, disposition=Disposition.NOANSWER, reason=EndReason.RING_TIMEOUT, answered_at=None
    )
    retry = Retry(world.now + 10, spends_attempt=True)
    assert await world.database.run(attempts.finish, claimed.lease, rang, retry, now=world.now)
    return claimed


async def the_call(world: World, claimed: ClaimedCall) -> Call:
    call = await world.database.read(calls.get, claimed.call.id)
    assert call is not None
    return call


async def test_a_retry_that_waits_is_withdrawn(world: World) -> None:
    run = world.database.run
    await run(credit.add, world.account_id, 10_000, kind=Kind.TOP_UP, note="", now=world.now)
    await run(credit.reserve, world.account_id, RESERVED, call_id="call:1", now=world.now)
    webhook = await endpoint(world)
    claimed = await not_answered(world, reserved=RESERVED, webhook_id=str(webhook.id))
    world.now += 20
    await run(endings.answered_late, claimed.lease, now=world.now)
    call = await the_call(world, claimed)
    assert (call.state, call.disposition, call.reason) == (CallState.DONE, "ANSWER", "answered_late")
    assert call.done_at == world.now
    assert await world.claim("dialer") == []
    (cdr,) = await world.database.read(cdrs.of_call, call.id)
    assert cdr.outcome.disposition is Disposition.NOANSWER, "the record of the attempt stays what it was"
    account = await world.database.read(credit.get, world.account_id)
    assert account is not None
    assert account.reserved == 0
    events = await world.database.read(_events)
    assert events == [(1, 1), (None, 2)]
    await run(endings.answered_late, claimed.lease, now=world.now + 1)
    assert await the_call(world, claimed) == call
    assert await world.database.read(_events) == events


async def test_a_retry_that_is_dialled_already_is_cancelled(world: World) -> None:
    claimed = await not_answered(world)
    world.now += 20
    (again,) = await world.claim("dialer")
    assert await world.database.run(attempts.mark_dialing, again.lease, now=world.now)
    await world.database.run(endings.answered_late, claimed.lease, now=world.now)
    assert await world.database.read(calls.cancelling, "dialer") == [again.call.id]
    assert (await the_call(world, claimed)).state is CallState.LEASED


async def test_before_its_outcome_is_written_there_is_no_retry(world: World) -> None:
    await world.queue(retries=2, interval_minutes=5)
    (claimed,) = await world.claim(await world.dialer())
    await world.database.run(endings.answered_late, claimed.lease, now=world.now)
    rang = outcome(
        world.now, disposition=Disposition.NOANSWER, reason=EndReason.RING_TIMEOUT, answered_at=None
    )
    retry = Retry(world.now + 10, spends_attempt=True)
    assert await world.database.run(attempts.finish, claimed.lease, rang, retry, now=world.now)
    assert (await the_call(world, claimed)).state is CallState.DONE


async def test_who_never_dialled_this_call_says_nothing_about_it(world: World) -> None:
    claimed = await not_answered(world)
    for wrong in (replace(claimed.lease, fence=99), replace(claimed.lease, number=7)):
        await world.database.run(endings.answered_late, wrong, now=world.now)
    assert (await the_call(world, claimed)).state is CallState.QUEUED


def _events(conn: sa.Connection) -> list[tuple[int | None, int]]:
    query = sa.select(outbox.c.attempt, outbox.c.sequence).order_by(outbox.c.id)
    return [(row.attempt, row.sequence) for row in conn.execute(query)]
