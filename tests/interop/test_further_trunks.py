"""A whole dialer with two carriers: what the first does not take goes by the second, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from outdial.dispatch.dispatcher import Dispatcher
from outdial.dispatch.lines import Lines
from outdial.dispatch.options import DispatchOptions
from outdial.dispatch.phones import SipNetwork
from outdial.dispatch.runner import Runner
from outdial.domain.call import Call, CallState, Cdr
from outdial.sip.timers import TimerValues
from outdial.storage import bridges, calls, cdrs, schema, traces, trunks
from outdial.storage.database import Database
from outdial.telephony.user_agent import UserAgent, UserAgentOptions
from tests.helpers.sipp import Sipp
from tests.helpers.udp import silent_socket
from tests.interop.caller import BOUND_S, PATIENT, SilentMedia, until
from tests.interop.conftest import StartSipp
from tests.storage.world import BRIDGE, World, switch_trunk
from tests.unit.dispatch.scripted import AnyClip

pytestmark = pytest.mark.sipp

BRIEF = TimerValues(t1=0.02)
_ids = count(1)


@dataclass
class Dialer:
    """A dispatcher on a database of its own, with real signalling and no audio."""

    world: World
    first: int
    second: int
    lines: Lines

    async def switch(self, *, enabled: bool) -> None:
        """Switch the first trunk on or off, and wait until the dialer knows: it may be claiming just now."""
        await self.world.database.run(switch_trunk, self.first, enabled=enabled)
        await until(
            lambda: bool(self.lines.detours(asyncio.get_running_loop().time())) is not enabled,
            "the dialer to read its trunks",
        )

    async def call(self, **values: Any) -> Call:
        """Send a call and wait until it is over."""
        (new,) = await self.world.queue(due_at=1, submitted_at=1, **values)
        async with asyncio.timeout(BOUND_S):
            while True:
                call = await self.world.database.read(calls.get, new.id)
                assert call is not None
                if call.state is CallState.DONE:
                    return call
                await asyncio.sleep(0.01)

    async def records(self, call: Call) -> list[Cdr]:
        return await self.world.database.read(cdrs.of_call, call.id)

    async def tried(self, call: Call) -> list[tuple[str | None, int | None]]:
        """By which trunks it went, and what came of it."""
        return [(each.outcome.trunk, each.outcome.sip_code) for each in await self.records(call)]


@asynccontextmanager
async def dialing(
    tmp_path: Path,
    first: tuple[str, int],
    second: tuple[str, int],
    *,
    timers: TimerValues = PATIENT,
    trunk_fault_delays_ms: tuple[int, ...] = (),
) -> AsyncIterator[Dialer]:
    url = f"sqlite:///{tmp_path}/dialer.db"
    schema.upgrade(url)
    async with Database(url) as database:
        world = await World.make(database)
        await database.run(trunks.update, world.trunk_id, _trunk("first", first))
        added = await database.run(trunks.insert, _trunk("second", second), now=1)
        bridge = await database.read(bridges.get_by_number, BRIDGE)
        assert bridge is not None
        await database.run(bridges.update, bridge.id, {"further_trunk_ids": (added.id,)})
        agent = UserAgent(UserAgentOptions(bind_address="127.0.0.1", port=0, timer_values=timers))
        media: Any = SilentMedia()
        async with agent:
            network = SipNetwork(agent, media, lambda: 0)
            lines = Lines()
            runner = Runner(
                database,
                network,
                AnyClip(),
                lambda: 1_000,
                new_sip_call_id=lambda: f"call{next(_ids)}",
                trunk_fault_delays_ms=trunk_fault_delays_ms,
            )
            dispatcher = Dispatcher(
                database,
                network,
                runner,
                lambda: 1_000_000,
                lines=lines,
                new_dialer_id=lambda: f"dialer-{next(_ids)}",
                options=DispatchOptions(drain_s=0.0),
            )
            await dispatcher.start()
            try:
                yield Dialer(world, world.trunk_id, added.id, lines)
            finally:
                await dispatcher.stop()


def _trunk(name: str, address: tuple[str, int]) -> trunks.NewTrunk:
    return trunks.NewTrunk(name=name, host=address[0], port=address[1], calls_per_second=1000.0)


def at(far_end: Sipp) -> tuple[str, int]:
    return far_end.host, far_end.port


@contextmanager
def closed_port() -> Iterator[tuple[str, int]]:
    with silent_socket("127.0.0.2") as (address, _):
        pass
    yield address


async def test_a_dead_port(sipp: StartSipp, tmp_path: Path) -> None:
    backup = await sipp("answers")
    with closed_port() as closed:
        async with dialing(tmp_path, closed, at(backup)) as dialer:
            call = await dialer.call()
            assert (call.disposition, call.attempts_spent, call.trunk_faults) == ("ANSWER", 1, 0)
            assert await dialer.tried(call) == [("first", None), ("second", 200)]
            _, last = await dialer.records(call)
            assert last.outcome.detour == (
                "It went by the trunk second, not by first: it took no call just before."
            )
            trace = (await dialer.world.database.read(traces.read, call.id))[-1]
            assert trace.entries[0]["summary"] == last.outcome.detour
    await backup.passed()
    (invite,) = backup.received("INVITE")
    assert invite.from_.uri.user == BRIDGE, "the call keeps its number"


@pytest.mark.parametrize("status", ["503 Service Unavailable", "500 Server Internal Error", "403 Forbidden"])
async def test_a_carrier_that_refuses(sipp: StartSipp, tmp_path: Path, status: str) -> None:
    refusing = await sipp("refuses", keywords={"status": status, "headers": ""})
    backup = await sipp("answers")
    async with dialing(tmp_path, at(refusing), at(backup)) as dialer:
        call = await dialer.call()
        assert call.disposition == "ANSWER"
        assert await dialer.tried(call) == [("first", int(status[:3])), ("second", 200)]
    await refusing.passed()
    await backup.passed()


async def test_silence(sipp: StartSipp, tmp_path: Path) -> None:
    backup = await sipp("answers")
    with silent_socket() as (silent, heard):
        async with dialing(tmp_path, silent, at(backup), timers=BRIEF) as dialer:
            call = await dialer.call()
            assert call.disposition == "ANSWER"
            first, last = await dialer.records(call)
            assert (first.outcome.reason, last.outcome.trunk) == ("no_response", "second")
            assert heard()
    await backup.passed()


@pytest.mark.parametrize(
    ("scenario", "status", "disposition"),
    [
        ("refuses", "486 Busy Here", "BUSY"),
        ("refuses", "603 Decline", "BUSY"),
        ("refuses", "404 Not Found", "CONGESTION"),
        ("refuses", "606 Not Acceptable", "CHANUNAVAIL"),
        ("rings_then_refuses", "503 Service Unavailable", "CHANUNAVAIL"),
        ("rings_then_refuses", "603 Decline", "BUSY"),
    ],
)
async def test_whose_phone_may_have_rung_or_who_refused_is_called_by_nobody_else(
    sipp: StartSipp, tmp_path: Path, scenario: str, status: str, disposition: str
) -> None:
    keywords = {"status": status, "headers": ""} if scenario == "refuses" else {"status": status}
    far_end = await sipp(scenario, keywords=keywords)
    with silent_socket() as (backup, heard):
        async with dialing(tmp_path, at(far_end), backup) as dialer:
            call = await dialer.call()
            assert call.disposition == disposition
            assert await dialer.tried(call) == [("first", int(status[:3]))]
            assert heard() == 0
    await far_end.passed()


async def test_a_trunk_that_is_switched_off_is_passed_over_and_used_again_when_it_is_back(
    sipp: StartSipp, tmp_path: Path
) -> None:
    preferred, backup = await sipp("answers"), await sipp("answers")
    async with dialing(tmp_path, at(preferred), at(backup)) as dialer:
        await dialer.switch(enabled=False)
        call = await dialer.call()
        assert await dialer.tried(call) == [("second", 200)]
        (record,) = await dialer.records(call)
        assert record.outcome.detour == "It went by the trunk second, not by first: it is switched off."
        await backup.passed()
        await dialer.switch(enabled=True)
        call = await dialer.call()
        assert await dialer.tried(call) == [("first", 200)]
        (record,) = await dialer.records(call)
        assert record.outcome.detour is None
    await preferred.passed()


async def test_when_no_trunk_takes_it_the_call_has_failed_after_one_round_for_each_try(
    tmp_path: Path,
) -> None:
    with closed_port() as first, closed_port() as second:
        async with dialing(tmp_path, first, second, trunk_fault_delays_ms=(0,)) as dialer:
            call = await dialer.call()
            assert (call.disposition, call.reason, call.trunk_faults) == (
                "CHANUNAVAIL",
                "transport_failed",
                1,
            )
            assert [trunk for trunk, _ in await dialer.tried(call)] == ["first", "second"] * 2
