"""Calls over a trunk that wants to know our address: they wait until it does, and say why."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from outdial.api.waiting import waits_for
from outdial.domain.call import CallState
from outdial.sip.registration.status import RegistrationProblem, RegistrationStatus
from outdial.storage import attempts, registrations, trunk_health, trunks, wake
from outdial.storage.registrations import StoredRegistration
from outdial.storage.trunk_health import TrunkHealth, TrunkState
from outdial.storage.trunks import NewTrunk
from outdial.telemetry import metrics
from tests.storage.test_dispatcher import Stage, staged
from tests.storage.world import World
from tests.unit.dispatch.scripted import HandClock, ScriptedBinding, answering_at_once

CONTACT, OTHER = "sip:u@192.0.2.1:5060", "sip:u@192.0.2.9:5060"
WRONG = "wrong user name or password, SIP 403 Forbidden"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


async def want(world: World, **changes: Any) -> None:
    """Let the trunk want our address."""
    values: dict[str, Any] = {"name": "trunk", "host": "192.0.2.2", "username": "u", "password": "p"}
    wanted = NewTrunk(**(values | {"register_expires_s": 300} | changes))
    await world.database.run(trunks.update, world.trunk_id, wanted)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


async def binding(stage: Stage, index: int = 0) -> ScriptedBinding:
    await until(lambda: len(stage.network.bindings) > index)
    await asyncio.wait_for(stage.network.bindings[index].kept.wait(), 10)
    return stage.network.bindings[index]


def granted() -> RegistrationStatus:
    loop = asyncio.get_running_loop()
    return RegistrationStatus(registered=True, contact=CONTACT, until=loop.time() + 300)


def refused(retry_in_s: float = 30.0) -> RegistrationStatus:
    return RegistrationStatus(
        contact=CONTACT,
        retry_at=asyncio.get_running_loop().time() + retry_in_s,
        problem=RegistrationProblem.LOGIN_REFUSED,
        status=403,
        reason="Forbidden",
    )


async def health(world: World, now: int) -> TrunkHealth:
    found = await world.database.read(trunks.find_all)
    return (await world.database.read(trunk_health.of_trunks, found, now=now))[world.trunk_id]


async def state(world: World, clock: HandClock, wanted: TrunkState, reason: str | None = None) -> TrunkHealth:
    """Wait until the trunk is seen like that; state and reason are written one after the other."""
    async with asyncio.timeout(10):
        while True:
            found = await health(world, clock.now)
            if (found.state, found.reason) == (wanted, reason):
                return found
            await asyncio.sleep(0.005)


async def test_calls_wait_without_losing_a_try_until_the_trunk_knows_us(
    world: World, clock: HandClock
) -> None:
    await want(world)
    async with staged(world, clock, poll_s=0.02) as stage:
        stage.network.on_phone = answering_at_once
        kept = await binding(stage)
        (call,) = await world.queue()
        kept.on_status(refused())
        found = await state(world, clock, TrunkState.UNREGISTERED, f"not registered: {WRONG}")
        assert [(each.problem, each.sip_code) for each in found.registrations] == [(WRONG, 403)]
        sentence = await world.database.read(waits_for, await stage.call(call.id), now=clock.now)
        assert sentence is not None
        assert f"takes no calls just now (not registered: {WRONG}); it is tried again at" in sentence
        assert stage.network.phones == []
        assert (await stage.call(call.id)).state is CallState.QUEUED
        assert await world.database.read(attempts.of_call, call.id) == []
        kept.on_status(granted())
        assert (await stage.done(call.id)).attempts_started == 1
        found = await state(world, clock, TrunkState.UP)
        assert found.held_until is None
        (row,) = found.registrations
        assert (row.contact, row.problem) == (CONTACT, None)
        assert row.registered_until is not None
        assert abs(row.registered_until - clock.now - 300_000) < 5_000


async def test_nothing_is_dialled_before_the_first_answer(world: World, clock: HandClock) -> None:
    await want(world)
    await world.queue()
    async with staged(world, clock, poll_s=0.02) as stage:
        await binding(stage)
        assert stage.lines.free(1e9) == {}
        await state(world, clock, TrunkState.HELD, "not registered: it has not answered yet")
        assert stage.network.phones == []


async def test_a_refresh_that_fails_costs_no_call_while_the_trunk_still_knows_us(
    world: World, clock: HandClock
) -> None:
    await want(world)
    async with staged(world, clock, poll_s=0.02) as stage:
        stage.network.on_phone = answering_at_once
        kept = await binding(stage)
        late = granted()
        kept.on_status(
            RegistrationStatus(
                registered=True, contact=CONTACT, until=late.until, problem=RegistrationProblem.NO_ANSWER
            )
        )
        (call,) = await world.queue()
        await stage.done(call.id)
        (row,) = (await state(world, clock, TrunkState.UP)).registrations
        assert row.problem == "it does not answer REGISTER"


async def test_a_changed_trunk_is_registered_anew_and_only_where_that_matters(
    world: World, clock: HandClock
) -> None:
    await want(world)
    async with staged(world, clock, poll_s=0.02) as stage:
        first = await binding(stage)
        first.on_status(granted())
        await until(stage.dispatcher._wake.listening.is_set)
        await until(lambda: not stage.dispatcher._wake._seen and not stage.dispatcher._renew)
        before = first.renewals  # PostgreSQL reports every channel once when it begins to listen
        await want(world, max_concurrent=7)
        await until(lambda: stage.lines._routes.trunks[world.trunk_id].max_concurrent == 7)
        await until(lambda: first.renewals == before + 1)
        assert not first.stopped
        await want(world, password="another")
        second = await binding(stage, 1)
        assert first.stopped
        assert second.trunk.credentials is not None
        assert second.trunk.credentials.password == "another"
        assert first.renewals == before + 1, "the old password is not tried again"
        assert stage.lines.free(1e9) == {}
        second.on_status(granted())
        assert stage.lines.free(1e9) == {world.trunk_id: 1}


async def test_late_news_of_a_registration_that_was_replaced_says_nothing_about_the_new_one(
    world: World, clock: HandClock
) -> None:
    """The old carrier confirms, or is given up, when the new one has us registered; and when none has."""
    await want(world)
    async with staged(world, clock, poll_s=0.02) as stage:
        first = await binding(stage)
        first.confirms = False
        first.on_status(granted())
        await want(world, host="192.0.2.3")
        second = await binding(stage, 1)
        assert stage.lines.free(1e9) == {}, "nothing is dialled before the new one answers"
        second.on_status(granted())
        first.on_status(RegistrationStatus(ended=True))
        assert stage.lines.free(1e9) == {world.trunk_id: 1}
        second.confirms = False
        await want(world, register_expires_s=0)
        await until(lambda: second.stopped and not stage.dispatcher._registrations._kept)
        second.on_status(RegistrationStatus(ended=True))
        assert stage.lines.free(1e9) == {world.trunk_id: 1}


async def test_whoever_checked_a_trunk_has_it_registered_again_at_once(
    world: World, clock: HandClock
) -> None:
    """Some carriers keep one address of an account, and the check's was the last."""
    await want(world)
    async with staged(world, clock, poll_s=0.02) as stage:
        kept = await binding(stage)
        await until(stage.dispatcher._wake.listening.is_set)
        before = kept.renewals
        await world.database.run(wake.announce, wake.REGISTRATIONS)
        await until(lambda: kept.renewals > before)


@pytest.mark.parametrize("change", [{"register_expires_s": 0}, {"enabled": False}])
async def test_a_trunk_that_wants_it_no_more_forgets_us(
    world: World, clock: HandClock, change: dict[str, Any]
) -> None:
    await want(world)
    async with staged(world, clock, poll_s=0.02) as stage:
        stage.network.on_phone = answering_at_once
        kept = await binding(stage)
        kept.on_status(refused())
        await want(world, **change)
        await until(lambda: kept.stopped)
        await want(world, register_expires_s=0)
        (call,) = await world.queue()
        await stage.done(call.id)
        found = await state(world, clock, TrunkState.UP)
        assert found.registrations == ()
        assert await world.database.read(registrations.of_trunks, now=clock.now) == {}


async def test_a_graceful_stop_takes_our_address_back(world: World, clock: HandClock) -> None:
    await want(world)
    async with staged(world, clock) as stage:
        kept = await binding(stage)
        kept.on_status(granted())
        assert not kept.stopped
    assert kept.stopped
    assert await world.database.read(registrations.of_trunks, now=clock.now) == {}


async def test_a_fault_of_ours_at_one_trunk_ends_nothing_else(world: World, clock: HandClock) -> None:
    await want(world)
    async with staged(world, clock, poll_s=0.02) as stage:
        register = stage.network.register

        def breaks(*arguments: Any) -> ScriptedBinding:
            made = register(*arguments)
            made.fault = ValueError("nonsense")
            return made

        stage.network.register = breaks  # type: ignore[method-assign, assignment]
        await want(world, password="another")
        await until(lambda: len(stage.network.bindings) > 0)
        await until(lambda: "a fault of ours" in (stage.lines._why.get(world.trunk_id) or ""))
        stage.network.register = register  # type: ignore[method-assign]
        await want(world, password="right")
        await until(lambda: stage.network.bindings[-1].fault is None)
        stage.network.bindings[-1].on_status(granted())
        stage.network.on_phone = answering_at_once
        (call,) = await world.queue()
        await stage.done(call.id)


async def test_the_metric_says_so(world: World, clock: HandClock) -> None:
    await want(world)
    async with staged(world, clock) as stage:
        kept = await binding(stage)
        for status, value in ((refused(), 1.0), (granted(), 0.0)):
            kept.on_status(status)
            stage.dispatcher.note_figures()
            assert metrics.TRUNK_UNREGISTERED.values["trunk",] == value


async def test_each_dialer_has_its_own_row_and_one_that_is_known_is_enough(world: World) -> None:
    await want(world)
    now = world.now

    async def note(contact: str, **values: Any) -> None:
        given: dict[str, Any] = {"contact": contact, "holds_until": now + 9_000} | values
        row = StoredRegistration(**given)
        await world.database.run(registrations.note, world.trunk_id, row, now=now)

    await note(OTHER, registered_until=now + 9_000)
    await note(CONTACT, problem=WRONG, sip_code=403, holds_until=now + 5_000)
    await note(CONTACT, problem=WRONG, sip_code=401, holds_until=now + 5_000)
    found = await health(world, now)
    assert [(each.contact, each.sip_code) for each in found.registrations] == [(CONTACT, 401), (OTHER, None)]
    assert found.state is TrunkState.UP
    assert [each.contact for each in (await health(world, now + 5_000)).registrations] == [OTHER]
    await world.database.run(registrations.forget, world.trunk_id, OTHER)
    assert (await health(world, now)).state is TrunkState.UNREGISTERED
    now += 5_000
    await note(OTHER, registered_until=now + 1)
    assert (await health(world, 0)).registrations[0].contact == OTHER, "what is over is forgotten"
