"""Events that flows send in the middle of a call: who is told, in which order, and by whom."""

from typing import Any

import pytest

from outdial.domain.call import ClaimedCall
from outdial.storage import attempts, leases, outbox, outbox_claims, subscriptions
from outdial.storage.outbox_claims import Event, FlowEvent
from tests.storage.test_outbox import claim, claimed, endpoint, finish
from tests.storage.world import World, rescue_lost


async def talking(world: World, **changes: Any) -> ClaimedCall:
    call = await claimed(world, **changes)
    run = world.database.run
    assert await run(attempts.mark_dialing, call.lease, now=world.now)
    assert await run(attempts.mark_answered, call.lease, at=world.now)
    return call


async def say(world: World, call: ClaimedCall, name: str, **data: Any) -> bool:
    said: bool = await world.database.run(outbox.add_flow_event, call.lease, name, data, now=world.now)
    return said


async def delivered(world: World) -> Event:
    """Take the one event that may be sent now, and send it."""
    (event,) = await claim(world)
    assert await world.database.run(outbox_claims.delivered, event, now=world.now)
    return event


async def test_what_a_flow_says_comes_before_the_end_and_in_order(world: World) -> None:
    webhook = await endpoint(world)
    call = await talking(world, webhook_id=str(webhook.id))
    assert await say(world, call, "promised", amount="5")
    assert await say(world, call, "paid")
    first = await delivered(world)
    assert first.flow_event == FlowEvent(name="promised", data={"amount": "5"}, attempt=1)
    assert first.cdr is None
    await finish(world, call)
    second, end = await delivered(world), await delivered(world)
    assert second.flow_event == FlowEvent(name="paid", data={}, attempt=1)
    assert (end.flow_event, end.cdr is not None) == (None, True)
    assert [each.sequence for each in (first, second, end)] == [1, 2, 3]


async def test_a_later_attempt_counts_on(world: World) -> None:
    webhook = await endpoint(world)
    call = await claimed(world, webhook_id=str(webhook.id), retries=1)
    await finish(world, call, retry_at=world.now)
    (again,) = await world.claim("dialer")
    assert await world.database.run(attempts.mark_dialing, again.lease, now=world.now)
    assert await world.database.run(attempts.mark_answered, again.lease, at=world.now)
    assert await say(world, again, "promised")
    await finish(world, again)
    assert [(await delivered(world)).sequence for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("event", "hears"), [(outbox.CALL_ENDED, ["end"]), (outbox.FLOW_EVENT, ["promised"])]
)
async def test_a_subscription_is_to_one_kind_of_event(world: World, event: str, hears: list[str]) -> None:
    webhook = await endpoint(world)
    wish: dict[str, Any] = {"event": event, "identity": "all", "webhook_id": webhook.id, "now": 1}
    await world.database.run(subscriptions.insert, world.account_id, **wish)
    call = await talking(world)
    assert await say(world, call, "promised")
    await finish(world, call)
    events = [await delivered(world)]
    assert [each.flow_event.name if each.flow_event else "end" for each in events] == hears
    assert await claim(world) == []


async def test_who_lost_the_call_says_nothing(world: World) -> None:
    webhook = await endpoint(world)
    call = await talking(world, webhook_id=str(webhook.id))
    assert await say(world, call, "promised")
    await world.lose()
    assert not await say(world, call, "too late")
    await world.database.run(rescue_lost, now=world.now)
    first, end = await delivered(world), await delivered(world)
    assert first.flow_event is not None
    assert end.cdr is not None
    assert (first.sequence, end.sequence) == (1, 2)


async def test_a_call_that_nobody_answered_says_nothing(world: World) -> None:
    webhook = await endpoint(world)
    call = await claimed(world, webhook_id=str(webhook.id))
    assert not await say(world, call, "promised")
    await world.database.run(leases.give_up, "dialer", now=world.now)
    assert await claim(world) == []
