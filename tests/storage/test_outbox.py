"""The outbox: who gets an event, in which order, and that nothing is lost or sent by two at once."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from outdial.domain.call import AttemptOutcome, Call, Cdr, ClaimedCall
from outdial.domain.disposition import Disposition, EndReason
from outdial.domain.retry_policy import Done, Retry
from outdial.storage import (
    attempts,
    calls,
    deliveries,
    giving_back,
    leases,
    outbox,
    outbox_claims,
    subscriptions,
    wake,
    webhooks,
)
from outdial.storage.database import Database
from outdial.storage.outbox_claims import Event
from outdial.storage.tables import outbox as outbox_table
from outdial.storage.webhooks import NewWebhook, Webhook
from tests.storage.world import BRIDGE, World, outcome, rescue_lost

LEASE_MS = 30_000
DAY_MS = 86_400_000
FORMER, SECRET = "whsec_Zm9ybWVy", "whsec_c2Vjb25k"


def new_webhook(**changes: object) -> NewWebhook:
    values: dict[str, object] = {
        "name": "crm",
        "uri": "https://example.com/hook",
        "secret": "whsec_c2VjcmV0",
        "secret_as_bearer": False,
        "verification_code": "code",
    }
    return NewWebhook(**(values | changes))  # type: ignore[arg-type]


async def endpoint(world: World, **changes: object) -> Webhook:
    """An endpoint that is on."""
    added = await world.database.run(webhooks.insert, world.account_id, new_webhook(**changes), now=1)
    assert await world.database.run(webhooks.mark_verified, added, now=2)
    return await reread(world, added)


async def reread(world: World, webhook: Webhook) -> Webhook:
    found = await world.database.read(webhooks.get, world.account_id, webhook.id)
    assert found is not None
    return found


async def claimed(world: World, dialer: str = "dialer", **changes: object) -> ClaimedCall:
    await world.queue(**changes)  # type: ignore[arg-type]
    if dialer not in await world.database.read(leases.alive, now=world.now):
        await world.dialer(dialer)
    (call,) = await world.claim(dialer)
    return call


def busy(at: int) -> AttemptOutcome:
    return outcome(at, disposition=Disposition.BUSY, reason=EndReason.REJECTED, answered_at=None)


async def finish(world: World, call: ClaimedCall, *, retry_at: int | None = None) -> None:
    decision = Done() if retry_at is None else Retry(retry_at, spends_attempt=True)
    ended = outcome(world.now) if retry_at is None else busy(world.now)
    assert await world.database.run(attempts.finish, call.lease, ended, decision, now=world.now)


async def ended_call(world: World, **changes: object) -> ClaimedCall:
    call = await claimed(world, **changes)  # type: ignore[arg-type]
    await finish(world, call)
    return call


async def claim(world: World, **changes: Any) -> list[Event]:
    return (await claim_all(world, **changes)).events


async def claim_all(world: World, **changes: Any) -> outbox_claims.Claims:
    values: dict[str, Any] = {
        "now": world.now,
        "lease_until": world.now + LEASE_MS,
        "limit": 100,
        "per_endpoint": 10,
        "in_flight": {},
    }
    return await world.database.run(outbox_claims.claim_due, **(values | changes))


async def states(world: World) -> list[tuple[int, str]]:
    def read(conn: sa.Connection) -> list[tuple[int, str]]:
        rows = conn.execute(sa.select(outbox_table).order_by(outbox_table.c.id)).mappings()
        return [(row["sequence"], row["state"]) for row in rows]

    return await world.database.read(read)


async def test_an_ended_attempt_is_an_event_with_call_and_cdr(world: World) -> None:
    webhook = await endpoint(world)
    call = await ended_call(world, webhook_id=str(webhook.id), customid="c1", variables={"otp": "1234"})
    (event,) = await claim(world)
    assert event.webhook == webhook
    assert isinstance(event.call, Call)
    assert (event.call.id, event.call.customid, event.call.variables) == (call.call.id, "c1", {"otp": "1234"})
    assert isinstance(event.cdr, Cdr)
    assert (event.cdr.number, event.cdr.outcome.disposition) == (1, "ANSWER")
    assert (event.sequence, event.attempts_left, event.tries) == (1, 0, 1)
    assert (event.created_at, event.expires_at) == (world.now, world.now + 3 * DAY_MS)
    assert event.time_zone == "UTC"


async def test_the_event_is_in_the_transaction_that_ends_the_attempt(world: World) -> None:
    """What is rolled back with the CDR was never announced."""
    webhook = await endpoint(world)
    call = await claimed(world, webhook_id=str(webhook.id))

    def finish_and_fail(conn: sa.Connection) -> None:
        attempts.finish(conn, call.lease, outcome(world.now), Done(), now=world.now)
        raise RuntimeError("the database's disk is full")

    with pytest.raises(RuntimeError):
        await world.database.run(finish_and_fail)
    assert await states(world) == []
    await finish(world, call)
    assert await states(world) == [(1, "pending")]


async def test_a_lost_lease_leaves_no_event(world: World) -> None:
    webhook = await endpoint(world)
    call = await claimed(world, webhook_id=str(webhook.id))
    await world.database.run(leases.give_up, "dialer", now=world.now)
    assert not await world.database.run(
        attempts.finish, call.lease, outcome(world.now), Done(), now=world.now
    )
    assert await states(world) == []


async def test_calls_without_a_webhook_leave_nothing(world: World) -> None:
    await endpoint(world)
    await ended_call(world)
    assert await states(world) == []


@pytest.mark.parametrize(
    ("identity", "hit"), [("all", True), (BRIDGE, True), ("12025550198", False)], ids=["all", "own", "other"]
)
async def test_subscriptions_stand_in_for_the_webhook_id(world: World, identity: str, hit: bool) -> None:
    webhook = await endpoint(world)
    await world.database.run(
        subscriptions.insert,
        world.account_id,
        event=outbox.CALL_ENDED,
        identity=identity,
        webhook_id=webhook.id,
        now=1,
    )
    await ended_call(world)
    assert [event.webhook.id for event in await claim(world)] == ([webhook.id] if hit else [])


async def test_each_webhook_gets_an_event_once_whatever_names_it(world: World) -> None:
    named, subscribed = await endpoint(world), await endpoint(world)
    for webhook, identity in ((named, "all"), (named, BRIDGE), (subscribed, "all")):
        await world.database.run(
            subscriptions.insert,
            world.account_id,
            event=outbox.CALL_ENDED,
            identity=identity,
            webhook_id=webhook.id,
            now=1,
        )
    await ended_call(world, webhook_id=str(named.id))
    assert sorted(event.webhook.id for event in await claim(world)) == [named.id, subscribed.id]


async def test_every_end_of_a_call_is_an_event(world: World) -> None:
    """Cancelled in the queue, cancelled while claimed, and what a dead dialer left behind."""
    webhook_id = str((await endpoint(world)).id)
    (queued,) = await world.queue(webhook_id=webhook_id)
    await world.database.run(calls.request_cancel, queued.id, now=world.now)
    (event,) = await claim(world)
    assert (event.call.disposition, event.cdr, event.sequence) == ("CANCEL", None, 1)

    released = await claimed(world, webhook_id=webhook_id)
    await world.database.run(calls.request_cancel, released.call.id, now=world.now)
    assert await world.database.run(giving_back.release, released.lease, now=world.now)
    (event,) = await claim(world)
    assert (event.call.id, event.cdr) == (released.call.id, None)

    untouched = await claimed(world, "dead", webhook_id=webhook_id)
    await world.database.run(calls.request_cancel, untouched.call.id, now=world.now)
    dialled = await claimed(world, "dead", webhook_id=webhook_id)
    assert await world.database.run(attempts.mark_dialing, dialled.lease, now=world.now)
    waiting = await claimed(world, "dead", webhook_id=webhook_id)
    await world.database.run(leases.give_up, "dead", now=world.now)
    await world.database.run(rescue_lost, now=world.now)
    found = {event.call.id: event for event in await claim(world)}
    assert set(found) == {untouched.call.id, dialled.call.id}  # the third waits to be dialled again
    assert found[untouched.call.id].cdr is None
    cdr = found[dialled.call.id].cdr
    assert cdr is not None
    assert cdr.outcome.reason is EndReason.INTERRUPTED
    assert waiting.call.id not in found


async def test_a_retry_left_behind_by_a_cancel_is_the_last_event(world: World) -> None:
    webhook_id = str((await endpoint(world)).id)
    call = await claimed(world, webhook_id=webhook_id, retries=3)
    await world.database.run(calls.request_cancel, call.call.id, now=world.now)
    await finish(world, call, retry_at=world.now + 1000)
    (event,) = await claim(world)
    assert event.attempts_left == 0


async def two_attempts(world: World, webhook: Webhook) -> ClaimedCall:
    """A call that was busy, then answered: two events, of which the first is not delivered yet."""
    call = await claimed(world, webhook_id=str(webhook.id), retries=2)
    await finish(world, call, retry_at=world.now)
    (again,) = await world.claim("dialer")
    await finish(world, again)
    return again


async def test_a_call_s_events_come_one_after_the_other(world: World) -> None:
    webhook = await endpoint(world)
    await two_attempts(world, webhook)
    (first,) = await claim(world)
    assert (first.sequence, first.attempts_left) == (1, 2)
    assert await claim(world) == []  # the second waits for the first
    assert await world.database.run(outbox_claims.delivered, first, now=world.now)
    (second,) = await claim(world)
    assert (second.sequence, second.attempts_left) == (2, 0)
    assert second.cdr is not None
    assert second.cdr.number == 2


async def test_a_failed_event_holds_the_later_ones_back_until_it_is_given_up(world: World) -> None:
    webhook = await endpoint(world)
    await two_attempts(world, webhook)
    (first,) = await claim(world)
    assert await world.database.run(outbox_claims.try_again, first, due_at=world.now + 60_000)
    claims_now = await claim_all(world)
    assert claims_now.events == []
    assert claims_now.next_due_at == world.now + 60_000  # and not at once: the second is behind the first
    world.now += 60_000
    (first,) = await claim(world)
    assert (first.sequence, first.tries) == (1, 2)
    assert await world.database.run(outbox_claims.give_up, first, now=world.now)
    (second,) = await claim(world)
    assert second.sequence == 2


async def test_other_calls_and_other_webhooks_do_not_wait(world: World) -> None:
    one, other = await endpoint(world), await endpoint(world)
    await world.database.run(
        subscriptions.insert,
        world.account_id,
        event=outbox.CALL_ENDED,
        identity="all",
        webhook_id=other.id,
        now=1,
    )
    await two_attempts(world, one)
    events = await claim(world)
    assert sorted((event.webhook.id, event.sequence) for event in events) == [(one.id, 1), (other.id, 1)]
    await ended_call(world, webhook_id=str(one.id))
    assert {event.webhook.id for event in await claim(world)} == {one.id, other.id}


async def test_what_a_killed_process_was_sending_is_sent_again(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    (lost,) = await claim(world)
    assert await claim(world) == []
    world.now += LEASE_MS
    (again,) = await claim(world)
    assert (again.id, again.tries) == (lost.id, 2)
    # the first one comes back from the dead: it may not decide any more
    assert not await world.database.run(outbox_claims.delivered, lost, now=world.now)
    assert not await world.database.run(outbox_claims.try_again, lost, due_at=world.now + DAY_MS)
    assert not await world.database.run(outbox_claims.give_up, lost, now=world.now)
    assert await world.database.run(outbox_claims.delivered, again, now=world.now)
    assert not await world.database.run(outbox_claims.delivered, again, now=world.now)


async def test_claims_that_are_given_back_are_due_at_once_and_cost_no_try(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    events = await claim(world)
    await world.database.run(outbox_claims.release, events, now=world.now)
    (again,) = await claim(world)
    assert again.tries == 1


async def test_no_endpoint_gets_more_than_its_share(world: World) -> None:
    slow, quick = await endpoint(world), await endpoint(world)
    for _ in range(5):
        await ended_call(world, webhook_id=str(slow.id))
    await ended_call(world, webhook_id=str(quick.id))

    taken = await claim_all(world, per_endpoint=3)
    assert [event.webhook.id for event in taken.events] == [slow.id] * 3 + [quick.id]
    # not now: there is no room for the rest of the slow one, and the end of a delivery wakes us
    assert taken.next_due_at == world.now + LEASE_MS
    taken = await claim_all(world, per_endpoint=3, in_flight={slow.id: 2, quick.id: 3})
    assert [event.webhook.id for event in taken.events] == [slow.id]


async def test_the_limit_holds_over_all_endpoints(world: World) -> None:
    one, other = await endpoint(world), await endpoint(world)
    for webhook in (one, other, one, other):
        await ended_call(world, webhook_id=str(webhook.id))
    assert len(await claim(world, limit=3)) == 3


async def test_a_failing_endpoint_gets_one_at_a_time_until_it_succeeds(world: World) -> None:
    webhook = await endpoint(world)
    for _ in range(4):
        await ended_call(world, webhook_id=str(webhook.id))
    assert await world.database.run(webhooks.failed, webhook.id, now=world.now) == world.now
    assert await world.database.run(webhooks.failed, webhook.id, now=world.now + 5) == world.now
    assert len(await claim(world)) == 1
    await world.database.run(webhooks.succeeded, webhook.id)
    assert len(await claim(world)) == 3


async def test_an_endpoint_that_asked_for_time_is_left_alone(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    await world.database.run(webhooks.failed, webhook.id, now=world.now, not_before=world.now + 5_000)
    await world.database.run(webhooks.failed, webhook.id, now=world.now, not_before=world.now + 1_000)
    taken = await claim_all(world)
    assert (taken.events, taken.next_due_at) == ([], world.now + 5_000)
    world.now += 5_000
    assert len(await claim(world)) == 1


async def test_an_endpoint_that_is_off_gets_nothing_until_it_is_on_again(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    await world.database.run(webhooks.switch_off, webhook.id, "It answered 410.", now=world.now)
    webhook = await reread(world, webhook)
    assert (webhook.is_on, webhook.off_reason) == (False, "It answered 410.")
    assert await claim(world) == []
    await world.database.run(webhooks.mark_verified, webhook, now=world.now)
    assert len(await claim(world)) == 1


async def test_what_waits_for_an_endpoint_that_is_off_is_given_up_after_three_days(world: World) -> None:
    off, on = await endpoint(world), await endpoint(world)
    await ended_call(world, webhook_id=str(off.id))
    await ended_call(world, webhook_id=str(on.id))
    await world.database.run(webhooks.switch_off, off.id, "It answered 410.", now=world.now)
    assert await world.database.run(outbox_claims.give_up_expired, now=world.now + 3 * DAY_MS - 1) == 0
    assert await world.database.run(outbox_claims.give_up_expired, now=world.now + 3 * DAY_MS) == 1
    assert await states(world) == [(1, "given_up"), (1, "pending")]


async def test_another_address_has_to_be_verified_first(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    await world.database.run(webhooks.update, webhook, {"name": "other"}, now=world.now)
    assert (await reread(world, webhook)).is_on
    await world.database.run(webhooks.update, webhook, {"uri": "https://example.org/"}, now=world.now)
    assert await claim(world) == []
    # the answer to a challenge that was sent to the former address does not count
    assert not await world.database.run(webhooks.mark_verified, webhook, now=world.now)
    changed = await reread(world, webhook)
    assert (changed.name, changed.uri, changed.is_on) == ("other", "https://example.org/", False)
    assert await world.database.run(webhooks.mark_verified, changed, now=world.now)
    assert len(await claim(world)) == 1


async def test_a_deleted_webhook_gets_nothing_more_and_its_number_is_not_used_again(world: World) -> None:
    webhook = await endpoint(world)
    await world.database.run(
        subscriptions.insert,
        world.account_id,
        event=outbox.CALL_ENDED,
        identity="all",
        webhook_id=webhook.id,
        now=1,
    )
    await ended_call(world)
    assert await world.database.run(webhooks.delete, world.account_id, webhook.id, now=world.now)
    assert not await world.database.run(webhooks.delete, world.account_id, webhook.id, now=world.now)
    assert await world.database.read(webhooks.get, world.account_id, webhook.id) is None
    assert await world.database.read(webhooks.find, world.account_id) == ([], 0)
    assert await world.database.read(subscriptions.find, world.account_id) == ([], 0)
    await ended_call(world, webhook_id=str(webhook.id))
    assert await states(world) == [(1, "given_up")]
    assert (await endpoint(world)).id > webhook.id


async def test_a_replay_sends_an_event_once_more(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    (event,) = await claim(world)
    assert not await world.database.run(outbox_claims.replay, event.id, now=world.now)  # it is on its way
    assert await world.database.run(outbox_claims.delivered, event, now=world.now)
    world.now += 10 * DAY_MS
    assert await world.database.run(outbox_claims.replay, event.id, now=world.now)
    (again,) = await claim(world)
    assert (again.id, again.sequence, again.tries) == (event.id, 1, 1)
    assert again.expires_at == world.now + 3 * DAY_MS
    assert not await world.database.run(outbox_claims.replay, 999_999, now=world.now)


async def test_the_log_of_deliveries(world: World) -> None:
    webhook = await endpoint(world)
    await ended_call(world, webhook_id=str(webhook.id))
    (event,) = await claim(world)
    new = deliveries.NewDelivery(at=5, ms=12, status=500, error="It answered 500.", answer="oops")
    for _ in range(3):
        await world.database.run(deliveries.insert, new, outbox_id=event.id, webhook_id=webhook.id)
    found, total = await world.database.read(deliveries.find, webhook.id, limit=2)
    assert (len(found), total) == (2, 3)
    assert found[0].id > found[1].id
    assert (found[0].at, found[0].ms, found[0].status, found[0].answer) == (5, 12, 500, "oops")
    assert (found[0].call_id, found[0].sequence, found[0].state) == (event.call.id, 1, "pending")
    assert await world.database.read(deliveries.get, webhook.id, found[0].id) == found[0]
    assert await world.database.read(deliveries.get, webhook.id + 1, found[0].id) is None

    assert await world.database.run(deliveries.prune, ended_before=world.now + 1) == 0
    await world.database.run(outbox_claims.delivered, event, now=world.now)
    assert await world.database.run(deliveries.prune, ended_before=world.now) == 0
    assert await world.database.run(deliveries.prune, ended_before=world.now + 1) == 1
    assert await states(world) == []
    assert await world.database.read(deliveries.find, webhook.id) == ([], 0)


async def test_an_event_wakes_whoever_delivers(world: World, database_url: str) -> None:
    webhook = await endpoint(world)
    call = await claimed(world, webhook_id=str(webhook.id))
    listener = wake.WakeListener(database_url, [wake.OUTBOX])
    listening = asyncio.create_task(listener.run())
    await listener.listening.wait()
    await listener.wait(0)
    await finish(world, call)
    assert await listener.wait(10) == {wake.OUTBOX}
    listening.cancel()


async def test_two_processes_share_the_events(world: World, database_url: str) -> None:
    """Each event is claimed by one of them only."""
    webhook = await endpoint(world)
    for _ in range(40):
        await ended_call(world, webhook_id=str(webhook.id))
    async with Database(database_url) as other:
        taken: list[int] = []

        async def take(database: Database) -> None:
            while True:
                found = await database.run(
                    outbox_claims.claim_due,
                    now=world.now,
                    lease_until=world.now + LEASE_MS,
                    limit=3,
                    per_endpoint=3,
                    in_flight={},
                )
                if not found.events and found.next_due_at != world.now:
                    return
                taken.extend(event.id for event in found.events)

        await asyncio.gather(take(world.database), take(other))
    assert len(taken) == len(set(taken)) == 40


async def test_rotation_keeps_the_former_secret_for_a_while(world: World) -> None:
    webhook = await endpoint(world, secret=FORMER)
    await world.database.run(webhooks.rotate, webhook, SECRET, as_bearer=True, now=5, until=9)
    rotated = await reread(world, webhook)
    assert (rotated.secret, rotated.former_secret, rotated.former_secret_until) == (SECRET, FORMER, 9)
    assert rotated.secret_as_bearer
    assert rotated.is_on
    assert FORMER not in repr(rotated)
    assert SECRET not in repr(rotated)


async def test_finding_webhooks(world: World) -> None:
    for name in ("CRM", "crm 50%", "billing"):
        await endpoint(world, name=name)
    found, total = await world.database.read(webhooks.find, world.account_id, name="crm")
    assert ([each.name for each in found], total) == (["CRM", "crm 50%"], 2)
    found, total = await world.database.read(webhooks.find, world.account_id, name="%")
    assert [each.name for each in found] == ["crm 50%"]
    found, total = await world.database.read(webhooks.find, world.account_id, limit=1, offset=1)
    assert ([each.name for each in found], total) == (["crm 50%"], 3)


async def test_subscriptions(world: World) -> None:
    webhook = await endpoint(world)
    wish = {"event": outbox.CALL_ENDED, "identity": "all", "webhook_id": webhook.id, "now": 1}
    added = await world.database.run(subscriptions.insert, world.account_id, **wish)  # type: ignore[arg-type]
    same = await world.database.run(subscriptions.insert, world.account_id, **wish)  # type: ignore[arg-type]
    assert same == added
    assert await world.database.read(subscriptions.get, world.account_id, added.id) == added
    assert await world.database.read(subscriptions.get, world.account_id + 1, added.id) is None
    assert await world.database.read(subscriptions.find, world.account_id) == ([added], 1)
    assert not await world.database.run(subscriptions.delete, world.account_id + 1, added.id)
    assert await world.database.run(subscriptions.delete, world.account_id, added.id)
