"""The caller of bench.dialer_call and bench.dialers, in a process of its own: its CPU time is its own.

``python -m bench.dialer_process agent|dialer --port P --calls N --window W --rate R [--database URL]``
prints one line of JSON: calls, CPU and wall seconds, commits. With ``--shared`` a dialer finds the calls in
the database, beside other dialers; it begins when a line comes on standard input, and tells its own part.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
import uuid
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path

import sqlalchemy as sa
import uvloop
from bench.far_end import HOST
from bench.silent_media import SilentMedia

from outdial.dispatch.dispatcher import Dispatcher
from outdial.dispatch.lines import Lines
from outdial.dispatch.phones import SipNetwork
from outdial.dispatch.runner import Runner
from outdial.domain.call import NewCall
from outdial.storage import accounts, bridges, calls, schema, tables, trunks
from outdial.storage.database import Database
from outdial.supervisor.parts import collect_garbage_rarely
from outdial.telephony.leg import Leg
from outdial.telephony.leg_values import Answered, LegRequest
from outdial.telephony.trace import Trace
from outdial.telephony.trunk import Trunk
from outdial.telephony.user_agent import UserAgent, UserAgentOptions

BRIDGE = "12025550199"
NUMBER = "12025550100"
SOUND = "sound"
LONGEST_S = 300.0
LINGER_S = 64.0
"""After this long the last transaction timer is over (Timer M, 32 s); it belongs to the cost of a call."""
LOOK_S = 0.05
"""How often the end is looked for: at the slow pace each look costs as much as a step of a call."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Clip:
    """Finds any sound: the media that would play it is silent."""

    async def find(self, sound_id: str, codec: str) -> Path | None:
        return Path("silence.clip")


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def user_agent() -> UserAgent:
    return UserAgent(UserAgentOptions(bind_address=HOST, port=0))


async def run_agent(options: argparse.Namespace) -> dict[str, float]:
    """Call with the user agent alone: `window` calls at a time, each hung up as soon as it is answered."""
    trunk = Trunk(name="sipp", host=HOST, port=options.port)
    media = SilentMedia()
    left = options.calls
    failed = 0

    async def one() -> None:
        nonlocal failed
        request = LegRequest(trunk=trunk, caller_number=BRIDGE, to=NUMBER, sip_call_id=uuid.uuid4().hex)
        trace = Trace(now_ms)
        leg = Leg(agent, media, request, trace)
        if not isinstance(await leg.dial(), Answered):
            failed += 1
        leg.hang_up()
        await leg.close()
        trace.take()

    async def line() -> None:
        nonlocal left
        while left:
            left -= 1
            await one()

    async with user_agent() as agent:
        collect_garbage_rarely()
        cpu, wall = cpu_s(), time.monotonic()
        async with asyncio.TaskGroup() as lines:
            for _ in range(options.window):
                lines.create_task(line())
        await until_idle(agent)
        agent.endpoint.run_timers(agent.now + LINGER_S)
        return figures(options.calls, failed, cpu, wall, 0)


async def run_dialer(options: argparse.Namespace) -> dict[str, float]:
    """Call with a dispatcher on a database that holds the calls, as the dialer process does."""
    if not options.shared:
        schema.upgrade(options.database)
    media = SilentMedia()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(options.database))
        agent = await stack.enter_async_context(user_agent())
        if not options.shared:
            await database.run(fill, options)
        network = SipNetwork(agent, media, now_ms)
        runner = Runner(database, network, Clip(), now_ms, new_sip_call_id=lambda: uuid.uuid4().hex)
        dispatcher = Dispatcher(
            database,
            network,
            runner,
            now_ms,
            lines=Lines(most=options.window),
            new_dialer_id=lambda: f"bench-{uuid.uuid4().hex}",
        )
        if options.shared:
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
        cpu, wall, commits = cpu_s(), time.monotonic(), database.commits
        await dispatcher.start()
        collect_garbage_rarely()
        fallen = asyncio.create_task(dispatcher.finished())
        while not fallen.done():
            over = not await database.read(count_open) if options.shared else media.closed >= options.calls
            if over and not dispatcher.in_progress:
                break
            await asyncio.sleep(LOOK_S)
        await until_idle(agent)
        agent.endpoint.run_timers(agent.now + LINGER_S)
        await dispatcher.stop()
        await fallen
        commits = database.commits - commits
        measured = figures(options.calls, 0, cpu, wall, commits)
        if options.shared:
            return measured | {"calls": media.closed}
        answered = await database.read(count_answered)
        return measured | {"failed": options.calls - answered}


def fill(conn: sa.Connection, options: argparse.Namespace) -> None:
    """An account with a trunk to the far end, and the calls, due now."""
    now = now_ms()
    account = accounts.insert(conn, name="bench", now=now)
    wanted = trunks.NewTrunk(
        name="sipp",
        host=HOST,
        port=options.port,
        max_concurrent=options.window,
        calls_per_second=options.rate,
    )
    trunk = trunks.insert(conn, wanted, now=now)
    bridges.insert(conn, number=BRIDGE, account_id=account.id, trunk_id=trunk.id, now=now)
    request = uuid.uuid4()
    calls.insert_calls(
        conn,
        [
            NewCall(
                id=f"{request}:{number}",
                account_id=account.id,
                bridge=BRIDGE,
                trunk_id=trunk.id,
                to=NUMBER,
                submitted_at=now,
                due_at=now,
                sound_id=SOUND,
            )
            for number in range(1, options.calls + 1)
        ],
    )


def count_open(conn: sa.Connection) -> int:
    """Calls that are not done; one is enough to know."""
    open_calls = sa.select(tables.calls.c.seq).where(tables.calls.c.state != "done").limit(1).subquery()
    return conn.execute(sa.select(sa.func.count()).select_from(open_calls)).scalar_one()


def count_answered(conn: sa.Connection) -> int:
    """CDRs of calls that were answered and ended by us."""
    table = tables.cdrs
    query = sa.select(sa.func.count()).where(table.c.disposition == "ANSWER", table.c.reason == "completed")
    return conn.execute(query).scalar_one()


async def until_idle(agent: UserAgent) -> None:
    """Wait until the last BYE is answered."""
    while agent.endpoint.dialogs:
        await asyncio.sleep(0.01)


def figures(count: int, failed: int, cpu: float, wall: float, commits: int) -> dict[str, float]:
    return {
        "calls": count,
        "failed": failed,
        "cpu_s": cpu_s() - cpu,
        "wall_s": time.monotonic() - wall,
        "commits": commits,
    }


async def bounded(run: Awaitable[dict[str, float]]) -> dict[str, float]:
    async with asyncio.timeout(LONGEST_S):
        return await run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["agent", "dialer"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--window", type=int, required=True)
    parser.add_argument("--rate", type=float, default=10_000.0)
    parser.add_argument("--database")
    parser.add_argument("--shared", action="store_true")
    options = parser.parse_args()
    run = run_agent if options.what == "agent" else run_dialer
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(bounded(run(options)))))


if __name__ == "__main__":
    main()
