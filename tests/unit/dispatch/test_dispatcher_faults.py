"""The dispatcher when the database is away, a runner breaks, or the listener dies."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.storage.world import World, count_by_state, switch_trunk
from tests.unit.dispatch.scripted import AnyClip, HandClock, ScriptedNetwork, answering_at_once

from outdial.dispatch.calls_in_progress import CallsInProgress
from outdial.dispatch.clips import StoredClips
from outdial.dispatch.dispatcher import Dispatcher
from outdial.dispatch.lines import Lines
from outdial.dispatch.options import DispatchOptions
from outdial.dispatch.phones import SipNetwork
from outdial.dispatch.runner import Runner
from outdial.domain.call import CallState, Lease
from outdial.domain.disposition import EndReason
from outdial.errors import DatabaseUnavailable
from outdial.storage import calls, leases, rescue, traces, trunks
from outdial.storage.blobs import Blobs
from outdial.storage.database import Database
from outdial.storage.sounds import clip_key
from outdial.telephony.leg_values import LegRequest
from outdial.telephony.trunk import Trunk
from outdial.telephony.user_agent import Reachability


class FlakyDatabase(Database):
    """Away for the queries named in `away`, as often as their numbers say."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.away: Counter[str] = Counter()

    def _check(self, fn: Callable[..., Any]) -> None:
        if self.away[fn.__name__] > 0:
            self.away[fn.__name__] -= 1
            raise DatabaseUnavailable(fn.__name__)

    async def run(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        self._check(fn)
        return await super().run(fn, *args, **kwargs)

    async def run_patiently(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        self._check(fn)
        return await super().run_patiently(fn, *args, **kwargs)

    async def read(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        self._check(fn)
        return await super().read(fn, *args, **kwargs)


class Stage:
    def __init__(self, world: World, database: FlakyDatabase) -> None:
        self.world = world
        self.database = database
        self.clock = HandClock()
        self.network = ScriptedNetwork()
        self.runner = Runner(
            database, self.network, AnyClip(), self.clock, new_sip_call_id=lambda: "sip-call-id"
        )
        self.ids = 0
        self.dispatcher = self.dispatch()

    def dispatch(self, **changes: float) -> Dispatcher:
        options: dict[str, Any] = {"poll_s": 0.02, "lease_s": 0.09, "drain_s": 0.05} | changes
        return Dispatcher(
            self.database,
            self.network,
            self.runner,
            self.clock,
            lines=Lines(),
            new_dialer_id=self.new_id,
            monotonic=lambda: self.clock.now / 1000,
            options=DispatchOptions(**options),
        )

    def new_id(self) -> str:
        self.ids += 1
        return f"dialer-{self.ids}"

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.002)

    async def done(self, call_id: str) -> str:
        async with asyncio.timeout(10):
            while True:
                call = await self.database.read(calls.get, call_id)
                if call.state is CallState.DONE:
                    return str(call.disposition)
                await asyncio.sleep(0.002)


@pytest.fixture
async def stage(sqlite_url: str) -> AsyncIterator[Stage]:
    async with FlakyDatabase(sqlite_url) as database:
        yield Stage(await World.make(database), database)


@pytest.mark.parametrize("query", ["claim_due", "rescue_lost", "cancelling", "load"])
async def test_it_goes_on_when_the_database_is_back(
    stage: Stage, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outdial.dispatch.dispatcher._AFTER_FAULT_S", 0.01)
    stage.network.on_phone = lambda phone: phone.answer()
    await stage.dispatcher.start()
    (first,) = await stage.world.queue()
    await stage.until(lambda: len(stage.network.phones) == 1)
    stage.database.away[query] = 2
    await stage.database.run(calls.request_cancel, first.id, now=1)
    assert await stage.done(first.id) == "ANSWER"
    stage.network.on_phone = answering_at_once
    (second,) = await stage.world.queue()
    assert await stage.done(second.id) == "ANSWER"
    await stage.until(lambda: stage.database.away[query] == 0 or query == "load")
    await stage.dispatcher.stop()


async def test_a_lease_that_cannot_be_renewed_is_lost_by_the_clock(stage: Stage) -> None:
    await stage.dispatcher.start()
    await stage.world.queue()
    await stage.until(lambda: len(stage.network.phones) == 1)
    phone = stage.network.phones[0]
    stage.database.away["renew"] = 10_000
    await asyncio.sleep(0.05)
    assert phone.hung_up is None  # the lease still holds
    stage.clock.now += 90
    await stage.until(lambda: phone.hung_up is EndReason.INTERRUPTED)
    await stage.until(lambda: stage.ids == 2)  # it began again under a new id
    stage.database.away.clear()
    stage.network.on_phone = answering_at_once
    (call,) = await stage.world.queue()
    assert await stage.done(call.id) == "ANSWER"
    await stage.dispatcher.stop()


async def test_a_cancel_is_heard_while_draining(stage: Stage) -> None:
    dispatcher = stage.dispatch(drain_s=30, lease_s=30)
    await dispatcher.start()
    (call,) = await stage.world.queue()
    await stage.until(lambda: len(stage.network.phones) == 1)
    async with asyncio.TaskGroup() as group:
        group.create_task(dispatcher.stop())
        await asyncio.sleep(0.05)
        await stage.database.run(calls.request_cancel, call.id, now=1)
    assert await stage.done(call.id) == "CANCEL"


async def test_a_large_dialers_death_is_cleared_up_in_parts(stage: Stage) -> None:
    total = rescue.BATCH + 7
    await stage.world.queue(total)
    await stage.world.dialer("dead")
    assert len(await stage.world.claim("dead", limit=total, free=total)) == total
    await stage.database.run(switch_trunk, stage.world.trunk_id, enabled=False)
    await stage.database.run(leases.give_up, "dead", now=stage.clock.now)
    await stage.dispatcher.start()
    async with asyncio.timeout(20):
        while (await stage.database.read(count_by_state))[CallState.QUEUED] < total:
            await asyncio.sleep(0.005)
    await stage.dispatcher.stop()


async def test_registering_again_is_tried_until_it_works(stage: Stage) -> None:
    await stage.dispatcher.start()
    stage.database.away["register"] = 2
    await stage.database.run(leases.give_up, "dialer-1", now=stage.clock.now)
    await stage.until(lambda: stage.dispatcher.dialer_id not in ("", "dialer-1"))
    await stage.dispatcher.stop()


async def test_a_start_without_a_database_fails(stage: Stage) -> None:
    stage.database.away["register"] = 1
    with pytest.raises(DatabaseUnavailable):
        await stage.dispatcher.start()
    await stage.dispatcher.stop()


async def test_a_stop_without_a_database_ends_all_the_same(stage: Stage) -> None:
    await stage.dispatcher.start()
    await stage.dispatcher.start()
    stage.database.away["give_up"] = 1
    await stage.dispatcher.stop()
    await stage.dispatcher.finished()


async def test_a_call_that_will_not_end_is_given_up_at_a_stop(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outdial.dispatch.dispatcher._HANG_UP_S", 0.05)
    monkeypatch.setattr("outdial.dispatch.runner.asyncio.sleep", lambda _: _nothing())
    stage.network.on_phone = lambda phone: phone.answer()
    await stage.dispatcher.start()
    (call,) = await stage.world.queue()
    await stage.until(lambda: len(stage.network.phones) == 1 and stage.network.phones[0].playing.is_set())
    stage.database.away["finish"] = 1_000_000
    await stage.dispatcher.stop()
    stored = await stage.database.read(calls.get, call.id)
    assert stored.state is CallState.LEASED  # for the next dialer's rescuer
    later = stage.dispatch()
    await later.start()
    assert await stage.done(call.id) == "ANSWER"
    await later.stop()


async def _nothing() -> None:
    loop = asyncio.get_running_loop()
    passed = loop.create_future()
    loop.call_later(0.001, passed.set_result, None)
    await passed


async def test_a_runner_that_breaks_costs_only_its_own_call(stage: Stage) -> None:
    class BrokenRunner:
        def __init__(self, runner: Runner) -> None:
            self.left = 1
            self.runner = runner
            self.late_answers = runner.late_answers

        async def run(self, *args: Any) -> Any:
            if self.left:
                self.left -= 1
                raise RuntimeError("a fault of ours")
            return await self.runner.run(*args)

    stage.network.on_phone = answering_at_once
    stage.runner = BrokenRunner(stage.runner)  # type: ignore[assignment]
    dispatcher = stage.dispatch()
    await dispatcher.start()
    (call,) = await stage.world.queue()
    assert await stage.done(call.id) == "ANSWER"  # ended by the lease keeper, claimed again
    await dispatcher.stop()


async def test_what_a_helper_dies_of_is_raised_by_stop(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def dies() -> None:
        raise OSError("no socket")

    monkeypatch.setattr(stage.dispatcher._wake, "run", dies)
    await stage.dispatcher.start()
    await stage.dispatcher.finished()
    with pytest.raises(ExceptionGroup):
        await stage.dispatcher.stop()


async def test_a_silent_trunks_calls_wait_until_it_answers(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outdial.dispatch.health._TICK_S", 0.002)
    stage.network.on_phone = answering_at_once
    settings = trunks.NewTrunk(name="trunk", host="192.0.2.1", options_interval_s=1)
    await stage.database.run(trunks.update, stage.world.trunk_id, settings)
    dispatcher = stage.dispatch(lease_s=30)
    monkeypatch.setattr(Lines, "to_ask", _a_hundred_times_as_often(Lines.to_ask))
    await dispatcher.start()
    await stage.until(lambda: len(stage.network.asked) >= 1)
    stage.network.answering = False
    asked = len(stage.network.asked)
    await stage.until(lambda: len(stage.network.asked) >= asked + 3)
    (call,) = await stage.world.queue()
    asked = len(stage.network.asked)
    await stage.until(lambda: len(stage.network.asked) >= asked + 3)
    assert stage.network.phones == []
    stage.network.answering = True
    assert await stage.done(call.id) == "ANSWER"
    # a trunk that wants no OPTIONS any more is not asked
    await stage.database.run(trunks.update, stage.world.trunk_id, replace(settings, options_interval_s=0))
    await stage.until(lambda: dispatcher._lines.to_ask() == {})
    await dispatcher.stop()


async def test_a_silent_trunk_that_is_not_asked_any_more_gets_its_calls(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outdial.dispatch.health._TICK_S", 0.002)
    monkeypatch.setattr(Lines, "to_ask", _a_hundred_times_as_often(Lines.to_ask))
    stage.network.on_phone = answering_at_once
    settings = trunks.NewTrunk(name="trunk", host="192.0.2.1", options_interval_s=1)
    await stage.database.run(trunks.update, stage.world.trunk_id, settings)
    dispatcher = stage.dispatch(lease_s=30)
    await dispatcher.start()
    await stage.until(lambda: len(stage.network.asked) >= 1)
    stage.network.answering = False
    asked = len(stage.network.asked)
    await stage.until(lambda: len(stage.network.asked) >= asked + 3)
    await stage.database.run(trunks.update, stage.world.trunk_id, replace(settings, options_interval_s=0))
    (call,) = await stage.world.queue()
    assert await stage.done(call.id) == "ANSWER"
    await dispatcher.stop()


def _a_hundred_times_as_often(to_ask: Callable[[Lines], dict[int, Any]]) -> Any:
    return lambda lines: {key: (every / 100, line) for key, (every, line) in to_ask(lines).items()}


async def test_a_trunk_that_never_answered_options_gets_its_calls(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outdial.dispatch.health._TICK_S", 0.002)
    stage.network.on_phone = answering_at_once
    stage.network.answering = False
    settings = trunks.NewTrunk(name="trunk", host="192.0.2.1", options_interval_s=1)
    await stage.database.run(trunks.update, stage.world.trunk_id, settings)
    monkeypatch.setattr(Lines, "to_ask", _a_hundred_times_as_often(Lines.to_ask))
    dispatcher = stage.dispatch(lease_s=30)
    await dispatcher.start()
    await stage.until(lambda: len(stage.network.asked) >= 4)
    (call,) = await stage.world.queue()
    assert await stage.done(call.id) == "ANSWER"
    await dispatcher.stop()


async def test_traces_are_stored_while_a_call_runs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outdial.dispatch.dispatcher._TRACE_INTERVAL_S", 0.01)
    dispatcher = stage.dispatch(lease_s=30)
    await dispatcher.start()
    (call,) = await stage.world.queue()
    await stage.until(lambda: len(stage.network.phones) == 1)
    found: list[traces.AttemptTrace] = []
    async with asyncio.timeout(5):
        while not found:
            found = await stage.database.read(traces.read, call.id)
            await asyncio.sleep(0.002)
    assert found[0].entries == [{"at": 1, "summary": "INVITE"}]
    await dispatcher.stop()


def test_calls_in_progress_are_known_by_their_lease() -> None:
    held = CallsInProgress()
    old, new = Lease("call:1", 1, 1, "a"), Lease("call:1", 1, 2, "b")
    first = held.add(old)
    second = held.add(new)
    held.remove(first)  # ends after the call came back under another lease
    assert held.holds(new)
    assert not held.holds(old)
    held.cancel(["call:1", "call:2"])
    assert second.reason is EndReason.CANCELLED
    held.lose("a")
    assert not second.lost
    held.lose("b")
    assert second.lost
    held.remove(second)
    assert len(held) == 0


async def test_stored_clips(tmp_path: Path) -> None:
    blobs = Blobs(f"file://{tmp_path}")
    await blobs.put(clip_key("hello", "PCMA"), b"\xd5" * 8)
    clips = StoredClips(blobs)
    path = await clips.find("hello", "PCMA")
    assert path is not None
    assert path.read_bytes() == b"\xd5" * 8
    assert await clips.find("hello", "PCMU") is None


class NotingUserAgent:
    def __init__(self) -> None:
        self.known: list[tuple[str, object]] = []

    async def locate(self, trunk: Trunk) -> tuple[tuple[str, int], ...]:
        if trunk.host == "nowhere.invalid":
            raise OSError("no such name")
        return ((trunk.host, trunk.port),)

    async def check(self, trunk: Trunk) -> Reachability:
        if trunk.host == "nowhere.invalid":
            raise OSError("no such name")
        return Reachability(404 if trunk.host == "192.0.2.2" else None, "", 1.0)

    def distrust_all(self) -> None:
        self.known.clear()

    def trust(self, trunk: Trunk, address: object) -> None:
        self.known.append((trunk.name, address))


async def test_the_network_knows_the_trunks_that_it_is_told() -> None:
    agent = NotingUserAgent()
    network = SipNetwork(agent, None, lambda: 7)  # type: ignore[arg-type]
    await network.trust([Trunk(name="old", host="192.0.2.1")])
    await network.trust([Trunk(name="a", host="192.0.2.2"), Trunk(name="b", host="nowhere.invalid")])
    assert agent.known == [("a", (("192.0.2.2", 5060),)), ("b", ())]
    assert await network.answers(Trunk(name="a", host="192.0.2.2"))
    assert not await network.answers(Trunk(name="a", host="192.0.2.3"))
    assert not await network.answers(Trunk(name="b", host="nowhere.invalid"))
    phone, tracer = network.new_phone(
        LegRequest(
            trunk=Trunk(name="a", host="192.0.2.2"), caller_number="1", to="2", sip_call_id="sip-call-id"
        )
    )
    assert phone.digits == ""
    assert tracer.take() == []
