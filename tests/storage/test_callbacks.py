"""Calls that a callee asked for in another call: one, linked, paid for, and not while the first goes on."""

from typing import Any

import pytest

from outdial.domain.call import Call, CallState, ClaimedCall
from outdial.domain.retry_policy import Done
from outdial.storage import attempts, callbacks, calls, credit, dial, giving_back
from outdial.storage.dial import Dial
from tests.storage.test_credit import RATE, audit, prepaid
from tests.storage.test_flow_events import talking
from tests.storage.world import LEASE_MS, World, outcome, rescue_lost

PIN = {"ivr_id": "7", "flow_version": 3, "sound_id": None}


async def ask(world: World, call: ClaimedCall, at: int) -> str | None:
    problem: str | None = await world.database.run(callbacks.request, call.lease, at=at, now=world.now)
    return problem


async def callback_of(world: World, call_id: str) -> Call:
    found = await world.database.read(calls.get, callbacks.id_of(call_id))
    assert found is not None
    return found


async def end(world: World, call: ClaimedCall) -> None:
    assert await world.database.run(attempts.finish, call.lease, outcome(world.now), Done(), now=world.now)


async def talking_flow(world: World, **changes: Any) -> ClaimedCall:
    return await talking(world, **(PIN | changes))


async def test_a_callback_is_a_new_call_of_the_same_kind(world: World) -> None:
    first = await talking_flow(
        world, webhook_id="5", customid="c", name="n", variables={"a": "1"}, retries=2, interval_minutes=5
    )
    assert await ask(world, first, world.now + 60_000) is None
    made = await callback_of(world, first.call.id)
    same = (
        "to",
        "bridge",
        "trunk_id",
        "ivr_id",
        "flow_version",
        "webhook_id",
        "customid",
        "name",
        "variables",
    )
    assert [getattr(made, name) for name in same] == [getattr(first.call, name) for name in same]
    assert (made.retries, made.interval_minutes) == (2, 5)
    assert (made.callback_of, made.due_at, made.state) == (first.call.id, world.now + 60_000, "queued")
    assert (made.attempts_started, made.attempts_spent) == (0, 0)


async def test_asking_twice_is_one_callback_at_the_time_that_was_said_last(world: World) -> None:
    await prepaid(world)
    await world.database.run(credit.reserve, world.account_id, 15_000, call_id="call:1", now=world.now)
    first = await talking_flow(world, rate=RATE, reserved=15_000)
    assert await ask(world, first, world.now + 60_000) is None
    assert await ask(world, first, world.now + 90_000) is None
    assert (await callback_of(world, first.call.id)).due_at == world.now + 90_000
    assert (await world.database.read(audit, world.account_id)).reserved == 30_000


async def test_what_it_may_cost_is_reserved_or_it_is_not_promised(world: World) -> None:
    await prepaid(world, 20_000)
    await world.database.run(credit.reserve, world.account_id, 15_000, call_id="call:1", now=world.now)
    first = await talking_flow(world, rate=RATE, reserved=15_000)
    assert await ask(world, first, world.now + 60_000) == "the balance does not cover another call"
    assert await world.database.read(calls.get, callbacks.id_of(first.call.id)) is None
    await world.database.read(audit, world.account_id)


async def test_it_is_not_dialled_while_the_first_call_goes_on(world: World) -> None:
    first = await talking_flow(world)
    assert await ask(world, first, world.now + 1_000) is None
    world.now += 1_000
    (again,) = await world.claim("dialer")
    assert again.call.callback_of == first.call.id
    begin = world.database.run
    assert await begin(dial.begin, again.lease, again.call, now=world.now) is Dial.TOO_EARLY
    later = world.now + 500
    assert await world.database.run(giving_back.release, again.lease, now=world.now, due_at=later)
    assert await world.claim("dialer") == []
    await end(world, first)
    world.now = later
    (again,) = await world.claim("dialer")
    assert await begin(dial.begin, again.lease, again.call, now=world.now) is Dial.NOW
    assert again.lease.number == 1


async def test_a_dialer_that_dies_leaves_the_promise_and_calls_nobody_for_the_first_call(
    world: World,
) -> None:
    first = await talking_flow(world)
    assert await ask(world, first, world.now + 60_000) is None
    world.now += LEASE_MS
    await world.database.run(rescue_lost, now=world.now)
    done = await world.database.read(calls.get, first.call.id)
    assert done is not None
    assert (done.state, done.reason) == (CallState.DONE, "interrupted")
    world.now += LEASE_MS
    (again,) = await world.claim(await world.dialer("next"))
    assert again.call.id == callbacks.id_of(first.call.id)
    assert not await world.claim("next")


async def test_who_lost_the_call_promises_nothing(world: World) -> None:
    first = await talking_flow(world)
    await world.lose()
    assert await ask(world, first, world.now + 60_000) is not None
    assert await world.database.read(calls.get, callbacks.id_of(first.call.id)) is None


async def test_callbacks_of_callbacks_end(world: World) -> None:
    call = await talking_flow(world)
    for _ in range(callbacks.MOST_IN_A_ROW):
        assert await ask(world, call, world.now) is None
        await end(world, call)
        (call,) = await world.claim("dialer")
        assert await world.database.run(dial.begin, call.lease, call.call, now=world.now) is Dial.NOW
        assert await world.database.run(attempts.mark_answered, call.lease, at=world.now)
    problem = await ask(world, call, world.now)
    assert problem is not None
    assert "in a row" in problem


@pytest.mark.parametrize("cancelled", [True, False], ids=["cancelled", "waiting"])
async def test_a_cancelled_callback_stays_cancelled(world: World, cancelled: bool) -> None:
    first = await talking_flow(world)
    assert await ask(world, first, world.now + 60_000) is None
    if cancelled:
        await world.database.run(calls.request_cancel, callbacks.id_of(first.call.id), now=world.now)
    assert (await ask(world, first, world.now + 60_000) is None) is not cancelled
