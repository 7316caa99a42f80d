"""Somebody picks up after \"no answer\" was written: nobody who answered is called again."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from outdial.domain.call import Call, CallState, ClaimedCall
from outdial.domain.disposition import Disposition, EndReason
from outdial.domain.retry_policy import Done, Retry
from outdial.storage import attempts, calls, cdrs, credit, dial, endings, traces
from outdial.storage.credit import Kind
from outdial.storage.dial import Dial
from outdial.storage.tables import outbox
from tests.storage.test_outbox import endpoint
from tests.storage.world import LEASE_MS, World, outcome, rescue_lost

RESERVED = 700


async def not_answered(world: World, **changes: Any) -> ClaimedCall:
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


async def dialled_again(world: World, **changes: Any) -> tuple[ClaimedCall, ClaimedCall]:
    """The first try of a call, and its second, which is dialled when somebody picks up the first."""
    claimed = await not_answered(world, **changes)
    world.now += 20
    (again,) = await world.claim("dialer")
    assert await world.database.run(attempts.mark_dialing, again.lease, now=world.now)
    await world.database.run(endings.answered_late, claimed.lease, now=world.now)
    return claimed, again


@pytest.mark.parametrize(
    ("disposition", "reason"),
    [(Disposition.CANCEL, EndReason.CANCELLED), (Disposition.BUSY, EndReason.REJECTED)],
)
async def test_a_call_that_was_picked_up_late_is_answered_whatever_its_next_try_comes_to(
    world: World, disposition: Disposition, reason: EndReason
) -> None:
    webhook = await endpoint(world)
    claimed, again = await dialled_again(world, webhook_id=str(webhook.id))
    over = outcome(world.now, disposition=disposition, reason=reason, answered_at=None)
    retry = Retry(world.now + 10, spends_attempt=True)
    decision = Done() if reason is EndReason.CANCELLED else retry
    assert await world.database.run(attempts.finish, again.lease, over, decision, now=world.now)
    call = await the_call(world, claimed)
    assert (call.state, call.disposition, call.reason) == (CallState.DONE, "ANSWER", "answered_late")
    second = (await world.database.read(cdrs.of_call, call.id))[1]
    assert second.outcome.disposition is disposition, "the record of the try says what became of the try"
    world.now += 20
    assert await world.claim("dialer") == []
    # The last event says what the call came to.
    assert await world.database.read(_events) == [(1, 1), (2, 2), (None, 3)]
    notes = [each.entries for each in await world.database.read(traces.read, call.id)]
    assert [entry["summary"] for entry in notes[-1]] == [
        "the try before was picked up after all, too late: this one is given up"
    ]


async def test_a_try_that_is_only_claimed_is_given_back_and_the_call_was_answered(world: World) -> None:
    webhook = await endpoint(world)
    claimed = await not_answered(world, webhook_id=str(webhook.id))
    world.now += 20
    (again,) = await world.claim("dialer")
    await world.database.run(endings.answered_late, claimed.lease, now=world.now)
    assert await world.database.run(dial.begin, again.lease, again.call, now=world.now) is Dial.WAITS
    call = await the_call(world, claimed)
    assert (call.state, call.disposition, call.reason) == (CallState.DONE, "ANSWER", "answered_late")
    assert await world.database.read(_events) == [(1, 1), (None, 2)]


async def test_one_who_picks_up_both_is_told_of_once(world: World) -> None:
    webhook = await endpoint(world)
    claimed, again = await dialled_again(world, webhook_id=str(webhook.id))
    both = outcome(world.now, reason=EndReason.CANCELLED)
    assert await world.database.run(attempts.finish, again.lease, both, Done(), now=world.now)
    call = await the_call(world, claimed)
    assert (call.disposition, call.reason) == ("ANSWER", "answered_late")
    assert await world.database.read(_events) == [(1, 1), (2, 2)]


async def test_a_dialer_that_dies_meanwhile_changes_nothing_about_it(world: World) -> None:
    webhook = await endpoint(world)
    claimed, _ = await dialled_again(world, webhook_id=str(webhook.id))
    world.now += LEASE_MS
    await world.database.run(rescue_lost, now=world.now)
    call = await the_call(world, claimed)
    assert (call.state, call.disposition, call.reason) == (CallState.DONE, "ANSWER", "answered_late")
    assert await world.database.read(_events) == [(1, 1), (2, 2), (None, 3)]


async def test_before_its_outcome_is_written_there_is_no_retry(world: World) -> None:
    await world.queue(retries=2, interval_minutes=5)
    (claimed,) = await world.claim(await world.dialer())
    await world.database.run(endings.answered_late, claimed.lease, now=world.now)
    rang = outcome(
        world.now, disposition=Disposition.NOANSWER, reason=EndReason.RING_TIMEOUT, answered_at=None
    )
    retry = Retry(world.now + 10, spends_attempt=True)
    assert await world.database.run(attempts.finish, claimed.lease, rang, retry, now=world.now)
    call = await the_call(world, claimed)
    assert (call.state, call.disposition, call.reason) == (CallState.DONE, "ANSWER", "answered_late")


async def test_who_never_dialled_this_call_says_nothing_about_it(world: World) -> None:
    claimed = await not_answered(world)
    for wrong in (replace(claimed.lease, fence=99), replace(claimed.lease, number=7)):
        await world.database.run(endings.answered_late, wrong, now=world.now)
    assert (await the_call(world, claimed)).state is CallState.QUEUED


def _events(conn: sa.Connection) -> list[tuple[int | None, int]]:
    query = sa.select(outbox.c.attempt, outbox.c.sequence).order_by(outbox.c.id)
    return [(row.attempt, row.sequence) for row in conn.execute(query)]
