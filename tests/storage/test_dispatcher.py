"""The dispatcher over a real database and a scripted network."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest

from outdial.dispatch.dispatcher import Dispatcher
from outdial.dispatch.lines import Lines
from outdial.dispatch.options import DispatchOptions
from outdial.dispatch.runner import Runner
from outdial.domain.call import AttemptState, Call, CallState
from outdial.domain.disposition import EndReason, HangupBy
from outdial.storage import attempts, calls, cdrs, leases, traces, trunks
from outdial.storage.database import Database
from outdial.telemetry import metrics
from tests.storage.world import World, count_by_state, switch_trunk
from tests.unit.dispatch.scripted import (
    BUSY,
    AnyClip,
    HandClock,
    ScriptedNetwork,
    ScriptedPhone,
    answering_at_once,
)

_ids = count(1)
HOUR_MS = 60 * 60 * 1000


class Stage:
    """A dispatcher with everything around it."""

    def __init__(
        self,
        world: World,
        database: Database,
        clock: Callable[[], int],
        *,
        max_concurrent: int = 1000,
        **options: object,
    ) -> None:
        self.world = world
        self.database = database
        self.network = ScriptedNetwork()
        self.lines = Lines(most=max_concurrent)
        runner = Runner(database, self.network, AnyClip(), clock, new_sip_call_id=lambda: f"sip-{next(_ids)}")
        self.dispatcher = Dispatcher(
            database,
            self.network,
            runner,
            clock,
            lines=self.lines,
            new_dialer_id=lambda: f"dialer-{next(_ids)}",
            options=DispatchOptions(**{"poll_s": 30.0, "drain_s": 10.0} | options),  # type: ignore[arg-type]
        )

    async def phone(self, index: int = 0) -> ScriptedPhone:
        async with asyncio.timeout(10):
            while len(self.network.phones) <= index:
                await asyncio.sleep(0.002)
            await self.network.phones[index].dialing.wait()
        return self.network.phones[index]

    async def call(self, call_id: str) -> Call:
        call = await self.database.read(calls.get, call_id)
        assert call is not None
        return call

    async def done(self, call_id: str) -> Call:
        async with asyncio.timeout(10):
            while (call := await self.call(call_id)).state is not CallState.DONE:
                await asyncio.sleep(0.002)
        return call


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@asynccontextmanager
async def staged(world: World, clock: Callable[[], int], **options: Any) -> AsyncIterator[Stage]:
    stage = Stage(world, world.database, clock, **options)
    await stage.dispatcher.start()
    try:
        yield stage
    finally:
        for phone in stage.network.phones:
            phone.hang_up()
        await stage.dispatcher.stop()


async def test_an_accepted_call_is_dialled_at_once_and_its_way_is_on_disk(
    world: World, clock: HandClock
) -> None:
    async with staged(world, clock) as stage:
        await asyncio.sleep(0)
        (call,) = await world.queue()
        phone = await stage.phone()
        assert phone.request.to == call.to
        assert phone.request.caller_number == call.bridge
        (attempt,) = await world.database.read(attempts.of_call, call.id)
        assert attempt.state is AttemptState.DIALING
        clock.now += 100
        phone.ring()
        clock.now += 900
        phone.answer()
        await phone.playing.wait()
        (attempt,) = await world.database.read(attempts.of_call, call.id)
        assert attempt.state is AttemptState.ANSWERED
        assert [clip.name for clip in phone.clips] == ["PCMA.clip"]
        phone.press("4")
        clock.now += 3000
        phone.finish_playing(2980)
        stored = await stage.done(call.id)
        assert (stored.disposition, stored.reason) == ("ANSWER", "completed")
        (cdr,) = await world.database.read(cdrs.of_call, call.id)
        assert (cdr.outcome.ring_ms, cdr.outcome.talk_ms, cdr.outcome.played_ms) == (900, 3000, 2980)
        assert (cdr.outcome.dtmf, cdr.outcome.codec, cdr.outcome.sip_code) == ("4", "PCMA", 200)
        assert cdr.outcome.sip_call_id == phone.request.sip_call_id
        assert cdr.outcome.quality is not None
        (trace,) = await world.database.read(traces.read, call.id)
        assert [entry["summary"] for entry in trace.entries] == ["INVITE", "BYE"]
        assert phone.closed


async def test_busy_is_retried_when_the_interval_is_over(world: World, clock: HandClock) -> None:
    async with staged(world, clock, poll_s=0.02, lease_s=3600) as stage:
        (call,) = await world.queue(retries=1, interval_minutes=5)
        (await stage.phone(0)).dialed.set_result(BUSY)
        while (await stage.call(call.id)).state is not CallState.QUEUED:
            await asyncio.sleep(0.002)
        assert (await stage.call(call.id)).due_at == clock.now + 5 * 60_000
        clock.now += 5 * 60_000
        (await stage.phone(1)).dialed.set_result(BUSY)
        stored = await stage.done(call.id)
        assert (stored.disposition, stored.attempts_spent) == ("BUSY", 2)
        assert [cdr.number for cdr in await world.database.read(cdrs.of_call, call.id)] == [1, 2]


async def test_many_calls_keep_to_the_limits_and_all_end(world: World) -> None:
    trunk = trunks.NewTrunk(name="trunk", host="192.0.2.1", calls_per_second=5000, max_concurrent=7)
    await world.database.run(trunks.update, world.trunk_id, trunk)
    now = time.time_ns() // 1_000_000

    def wall() -> int:
        return time.time_ns() // 1_000_000

    async with staged(world, wall, max_concurrent=5) as stage:
        stage.network.on_phone = answering_at_once
        accepted = await world.queue(200, due_at=now)
        most = 0
        async with asyncio.timeout(30):
            while (await world.database.read(count_by_state))[CallState.DONE] < len(accepted):
                most = max(most, stage.dispatcher.in_progress)
                await asyncio.sleep(0.001)
        assert 1 <= most <= 5
        assert len(stage.network.phones) == 200


async def test_a_cancel_reaches_a_ringing_call(world: World, clock: HandClock) -> None:
    async with staged(world, clock) as stage:
        (call,) = await world.queue()
        phone = await stage.phone()
        phone.ring()
        await world.database.run(calls.request_cancel, call.id, now=clock.now)
        stored = await stage.done(call.id)
        assert phone.hung_up is EndReason.CANCELLED
        assert (stored.disposition, stored.reason) == ("CANCEL", "cancelled")


async def test_a_call_whose_time_is_over_while_it_waits_ends(world: World, clock: HandClock) -> None:
    (call,) = await world.queue(due_at=clock.now + 60_000, expires_at=clock.now + 30_000)
    async with staged(world, clock, poll_s=0.02, lease_s=3600) as stage:
        clock.now += 30_000
        stored = await stage.done(call.id)
    assert (stored.disposition, stored.reason, stored.done_at) == ("CANCEL", "expired", clock.now)
    assert not stage.network.phones


async def test_a_call_that_waits_while_the_clock_is_set_back_is_dialled(
    world: World, clock: HandClock
) -> None:
    (call,) = await world.queue(submitted_at=clock.now, due_at=clock.now)
    clock.now -= 3_600_000
    async with staged(world, clock, poll_s=0.02, lease_s=7200) as stage:
        stage.network.on_phone = answering_at_once
        assert (await stage.done(call.id)).disposition == "ANSWER"


async def test_a_stop_lets_calls_finish_and_claims_no_more(world: World, clock: HandClock) -> None:
    async with staged(world, clock) as stage:
        (call,) = await world.queue()
        phone = await stage.phone()
        stopping = asyncio.create_task(stage.dispatcher.stop())
        await asyncio.sleep(0)
        (later,) = await world.queue()
        phone.answer()
        phone.finish_playing()
        await stopping
        assert (await stage.call(call.id)).disposition == "ANSWER"
        assert (await stage.call(later.id)).state is CallState.QUEUED
        assert await world.database.read(leases.alive, now=clock.now) == []
        await stage.dispatcher.stop()


async def test_after_the_drain_time_calls_are_hung_up(world: World, clock: HandClock) -> None:
    async with staged(world, clock, drain_s=0.05) as stage:
        answered, ringing = await world.queue(2)
        first, second = await stage.phone(0), await stage.phone(1)
        first.answer()
        await first.playing.wait()
        await stage.dispatcher.stop()
        assert first.hung_up is second.hung_up is EndReason.SHUTDOWN
        stored = await stage.call(answered.id)
        assert (stored.state, stored.disposition, stored.reason) == (CallState.DONE, "ANSWER", "shutdown")
        # nobody noticed the other one, so it is dialled again after the restart
        stored = await stage.call(ringing.id)
        assert (stored.state, stored.disposition, stored.attempts_spent) == (CallState.QUEUED, "CANCEL", 0)


async def test_a_lost_lease_hangs_up_at_once_and_writes_nothing(world: World, clock: HandClock) -> None:
    async with staged(world, clock, lease_s=0.15) as stage:
        talking, ringing = await world.queue(2)
        first, second = await stage.phone(0), await stage.phone(1)
        first.answer()
        await first.playing.wait()
        lost = stage.dispatcher.dialer_id
        await world.database.run(leases.give_up, lost, now=clock.now)
        assert (await stage.done(talking.id)).reason is EndReason.INTERRUPTED
        assert (await stage.done(ringing.id)).disposition == "CHANUNAVAIL"
        async with asyncio.timeout(5):
            while stage.dispatcher.in_progress or stage.dispatcher.dialer_id == lost:
                await asyncio.sleep(0.005)
        assert first.hung_up is second.hung_up is EndReason.INTERRUPTED
        for call_id in (talking.id, ringing.id):
            (cdr,) = await world.database.read(cdrs.of_call, call_id)
            assert (cdr.outcome.reason, cdr.outcome.hangup_by) == (EndReason.INTERRUPTED, HangupBy.SYSTEM)
        # and it goes on under its new lease
        (call,) = await world.queue()
        stage.network.on_phone = answering_at_once
        assert (await stage.done(call.id)).disposition == "ANSWER"


async def test_what_a_dead_dialer_left_is_cleared_up_at_the_start(world: World, clock: HandClock) -> None:
    world.now = clock.now - 60_000
    untouched, dialled = await world.queue(2)
    claimed = await world.claim(await world.dialer("dead"))
    assert await world.database.run(attempts.mark_dialing, claimed[1].lease, now=world.now)
    async with staged(world, clock, lease_s=0.1, poll_s=0.05) as stage:
        stage.network.on_phone = answering_at_once
        assert (await stage.done(untouched.id)).disposition == "ANSWER"
        assert (await stage.done(dialled.id)).reason is EndReason.INTERRUPTED
        assert len(stage.network.phones) == 1


@pytest.mark.parametrize("jump_ms", [HOUR_MS, -HOUR_MS])
async def test_a_clock_that_jumps_interrupts_nothing_and_gives_no_call_to_two(
    world: World, database_url: str, clock: HandClock, jump_ms: int
) -> None:
    """The other dialer's clock stays, so each sees the other an hour away.

    A busy machine is late, too, and must not lose the lease.
    """
    options: dict[str, Any] = {
        "lease_s": 3.0,
        "poll_s": 0.05,
    }
    steady = HandClock()
    async with Database(database_url) as other_database, staged(world, clock, **options) as stage:
        other = Stage(world, other_database, steady, **options)
        await other.dispatcher.start()
        (call,) = await world.queue(due_at=min(clock.now, clock.now + jump_ms))
        async with asyncio.timeout(10):
            while not (stage.network.phones or other.network.phones):
                await asyncio.sleep(0.005)
        (phone,) = stage.network.phones + other.network.phones
        phone.answer()
        await phone.playing.wait()
        clock.now += jump_ms
        before = await world.database.read(leases.beats)
        async with asyncio.timeout(10):
            while True:
                beats = await world.database.read(leases.beats)
                if all(beats[each] >= before[each] + 4 for each in before):
                    break
                await asyncio.sleep(0.01)
        assert set(beats) == {stage.dispatcher.dialer_id, other.dispatcher.dialer_id}
        assert phone.hung_up is None
        phone.finish_playing(2980)
        stored = await stage.done(call.id)
        assert (stored.disposition, stored.reason) == ("ANSWER", "completed")
        assert len(stage.network.phones + other.network.phones) == 1
        await other.dispatcher.stop()


async def test_an_attempt_that_nothing_runs_is_ended_by_its_own_dialer(
    world: World, clock: HandClock
) -> None:
    """The answer to a claim may be lost with the connection: the call must not stay leased."""
    async with staged(world, clock, lease_s=0.3, poll_s=0.05) as stage:
        stage.network.on_phone = answering_at_once
        await world.database.run(switch_trunk, world.trunk_id, enabled=False)
        await asyncio.sleep(0.1)
        (call,) = await world.queue()
        (claimed,) = await world.claim(stage.dispatcher.dialer_id)
        assert claimed.call.id == call.id
        await world.database.run(switch_trunk, world.trunk_id, enabled=True)
        stored = await stage.done(call.id)
        assert (stored.disposition, stored.attempts_started) == ("ANSWER", 1)


async def test_two_dispatchers_share_the_calls(world: World, database_url: str) -> None:
    def wall() -> int:
        return time.time_ns() // 1_000_000

    fast = trunks.NewTrunk(name="trunk", host="192.0.2.1", calls_per_second=2000, max_concurrent=50)
    await world.database.run(trunks.update, world.trunk_id, fast)
    async with Database(database_url) as other_database, staged(world, wall, max_concurrent=20) as one:
        other = Stage(world, other_database, wall, max_concurrent=20)
        await other.dispatcher.start()
        waiting: list[ScriptedPhone] = []

        def answering_once_both_have_some(phone: ScriptedPhone) -> None:
            waiting.append(phone)
            if one.network.phones and other.network.phones:
                while waiting:
                    answering_at_once(waiting.pop())

        one.network.on_phone = other.network.on_phone = answering_once_both_have_some
        accepted = await world.queue(300, due_at=wall())
        async with asyncio.timeout(30):
            while (await world.database.read(count_by_state))[CallState.DONE] < len(accepted):
                await asyncio.sleep(0.01)
        await other.dispatcher.stop()
        assert len(one.network.phones) + len(other.network.phones) == 300
        assert one.network.phones
        assert other.network.phones


async def test_a_leg_to_an_agent_has_one_of_the_dialer_s_places_and_leaves_it_to_a_call(
    world: World, clock: HandClock
) -> None:
    async with staged(world, clock, max_concurrent=2) as stage:
        (first,) = await world.queue()
        phone = await stage.phone(0)
        await world.queue()
        await stage.phone(1)
        stage.dispatcher.note_figures()
        assert metrics.DIALER_CALLS.values[()] == 2
        (third,) = await world.queue()
        phone.dialed.set_result(BUSY)
        with stage.lines.waiting():
            await stage.done(first.id)
            assert stage.lines.take_agent(world.trunk_id, asyncio.get_running_loop().time())
        stage.dispatcher.note_figures()
        assert (metrics.DIALER_CALLS.values[()], metrics.TRUNK_CALLS.values[("trunk",)]) == (2, 2)
        assert (await stage.call(third.id)).state is CallState.QUEUED
        stage.lines.release_agent(world.trunk_id)
        await stage.phone(2)
