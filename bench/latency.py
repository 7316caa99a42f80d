"""How long one waits: HTTP answer → INVITE, ACK → the sound's first packet, BYE → webhook request.

``python -m bench.latency [--calls 100] [--rate 50] [--full] [--write]``

First one call after the other through an idle server, then calls at a steady pace while the sound of those
before is played, all of them measured. The far end (bench/timed_callees.py) and the webhook's endpoint are
here, so that its times are the kernel's receive timestamps of the INVITE, the ACK and the RTP packets, on the
same clock as the times of the HTTP request and its answer. A call is measured from its answer (it is on disk
then), and from the moment when the request was sent. The sound's first packet is the first one that is not
silence; silence leaves at once. The peer is what the way cannot do without: two SQLite commits for the INVITE
(claim, attempt), one for the audio (answer), two for the webhook (the outcome with its outbox row, the claim
of that row), each measured in the same run as one row in a file of its own.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.processes import many_files
from bench.report import percentile, publish, table
from bench.server import BRIDGE, Server
from bench.timed_callees import TimedCallees, Times
from bench.webhook_sink import WebhookSink

from outdial.cli.client import ApiClient

_SHORT_S = 0.2
"""Of sound, in a call that finds the server idle."""
_PAUSE_S = 0.05
"""Between calls: the next one finds the system idle."""
_CALL_WITHIN_S = 30.0
_FIRST_NUMBER = 12025550000


@dataclass(frozen=True)
class Load:
    """Calls at a steady pace."""

    a_second: float
    sound_s: float
    """Of each; so many seconds pass before the first call is measured."""
    seconds: float
    """For which calls are measured."""


@dataclass
class Caller:
    """Makes calls, each to a number of its own."""

    client: ApiClient
    callees: TimedCallees
    sink: WebhookSink
    made: int = 0

    async def call(self, sound: str, within_s: float) -> Times:
        """One call, from its request until the webhook was told. Raises TimeoutError."""
        number = str(_FIRST_NUMBER + self.made)
        self.made += 1
        times = Times(requested=time.time())
        self.callees.expect(number, times)
        sent = await self.client.post_form("outgoing/send", {"bridge": BRIDGE, "to": number, "audio": sound})
        times.accepted = time.time()
        async with asyncio.timeout(within_s):
            await times.over.wait()
            times.told = await self.sink.told(sent["data"][0]["id"])
        return times


async def measure(calls: int, load: Load) -> tuple[list[Times], list[Times]]:
    """Make `calls` one by one, then those of the load. Raises TimeoutError when one does not end."""
    with (
        many_files(),
        tempfile.TemporaryDirectory(prefix="outdial-bench-") as name,
        TimedCallees() as callees,
    ):
        at_once = max(100, round(2 * load.a_second * load.sound_s))
        async with (
            WebhookSink() as sink,
            Server(Path(name), callees.port, calls=at_once, calls_per_second=1000) as server,
            server.client() as client,
        ):
            await server.subscribe(client, sink.url)
            caller = Caller(client, callees, sink)
            short = await server.upload_sound(client, _SHORT_S)
            idle = []
            for number in range(calls + 1):
                times = await caller.call(short, _CALL_WITHIN_S)
                await asyncio.sleep(_PAUSE_S)
                if number:  # the first call pays for what is loaded once
                    idle.append(times)
            return idle, await _under(load, caller, await server.upload_sound(client, load.sound_s))


async def _under(load: Load, caller: Caller, sound: str) -> list[Times]:
    """Call at the load's pace; the times of those that began when it was all there."""
    started = time.monotonic()
    first = round(load.a_second * load.sound_s)
    within_s = load.sound_s + _CALL_WITHIN_S
    async with asyncio.TaskGroup() as group:
        calls = []
        for number in range(first + round(load.a_second * load.seconds)):
            await asyncio.sleep(max(0.0, started + number / load.a_second - time.monotonic()))
            calls.append(group.create_task(caller.call(sound, within_s)))
    return [call.result() for call in calls[first:]]


def commit_times(count: int) -> list[float]:
    """Milliseconds of durable SQLite commits of one row, each after a pause as between calls."""
    with tempfile.TemporaryDirectory(prefix="outdial-bench-") as name:
        conn = sqlite3.connect(Path(name) / "floor.db", isolation_level=None)
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
        found = []
        for _ in range(count):
            time.sleep(_PAUSE_S / 5)
            started = time.perf_counter()
            conn.execute("BEGIN IMMEDIATE")
            conn.execute("INSERT INTO t (text) VALUES ('a row of a usual size, which is about this long')")
            conn.execute("COMMIT")
            found.append((time.perf_counter() - started) * 1000)
        conn.close()
        return found


def _waits(found: list[Times]) -> dict[str, list[float]]:
    """Milliseconds."""
    return {
        "HTTP answer → INVITE": [(t.invite - t.accepted) * 1000 for t in found],
        "HTTP request → INVITE": [(t.invite - t.requested) * 1000 for t in found],
        "ACK → first RTP packet": [(t.rtp - t.ack) * 1000 for t in found],
        "ACK → first packet of the sound": [(t.audio - t.ack) * 1000 for t in found],
        "BYE → webhook request": [(t.told - t.bye) * 1000 for t in found],
    }


_COMMITS = (2, 3, 0, 1, 2, 1)
_AIMS = ("≤ 15, ≤ 50 ms", "", "", "p99 ≤ 25 ms", "p99 ≤ 100 ms", "")


def show(idle: list[Times], busy: list[Times], commits: list[float], load: Load) -> str:
    """The tables."""
    commit = percentile(commits, 50)
    waits = _waits(idle)
    rows = []
    for (what, values), needed, aim in zip(
        {**waits, "one commit": commits}.items(), _COMMITS, _AIMS, strict=True
    ):
        ratio = f"{percentile(values, 50) / (needed * commit):.1f} ×" if needed else ""
        rows.append([what, *_figures(values), needed or "", ratio, aim])
    head = ["idle: wait", "p50", "p99", "worst", "commits on the way", "p50 to them", "aim"]
    busy_rows = []
    for what, values in _waits(busy).items():
        ratios = (percentile(values, percent) / percentile(waits[what], percent) for percent in (50, 99))
        busy_rows.append([what, *_figures(values), *(f"{ratio:.1f} ×" for ratio in ratios)])
    busy_head = ["under load: wait", "p50", "p99", "worst", "p50 to idle", "p99 to idle"]
    return (
        f"{table(head, rows)}\n\n{len(idle)} calls, one after the other, through an idle server on SQLite\n\n"
        f"{table(busy_head, busy_rows)}\n\n{len(busy)} calls, {load.a_second:g} a second, through the same"
        f" server, while {load.a_second * load.sound_s:.0f} others hear a sound of {load.sound_s:g} s"
    )


def _figures(values: list[float]) -> list[str]:
    return [f"{value:.1f} ms" for value in (percentile(values, 50), percentile(values, 99), max(values))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, help="one by one")
    parser.add_argument("--rate", type=float, default=50.0, help="calls a second, at a steady pace")
    parser.add_argument("--full", action="store_true", help="500 calls one by one, 1,000 under load")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    calls = options.calls or (500 if options.full else 100)
    load = Load(options.rate, *((10.0, 1000 / options.rate) if options.full else (4.0, 4.0)))
    commits = commit_times(max(20, calls))
    idle, busy = asyncio.run(measure(calls, load))
    publish(
        "latency",
        show(idle, busy, commits, load),
        command="python -m bench.latency" + (" --full" if options.full else ""),
        write=options.write,
    )


if __name__ == "__main__":
    main()
