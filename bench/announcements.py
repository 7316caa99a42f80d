"""Announcement calls through the whole system: HTTP in, SIP and RTP out, outcome on disk.

``python -m bench.announcements [--concurrent 200] [--seconds 20] [--sound 10] [--full | --many] [--write]``

Requests arrive evenly, so that the wanted number of calls is in progress; each call plays the whole sound and
is hung up, and is told to a webhook (bench/webhook_sink.py). The far end is sipp, whose answers name
bench/rtp_sink.py for the audio. Counted is everything from the first request to the last outcome: the CPU
time of all the server's processes against the time that callees listened, and the memory that the calls
added. The peer is the kernel's own price for the same packets from C (sendmsg_ceiling.c, paced, in the same
run), and what the same calls cost sipp, which sends no audio.
"""

import argparse
import asyncio
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.far_end import Phones
from bench.media_rig import PACKET_SIZE, compile_c
from bench.processes import cpu_s, many_files, pss_kb
from bench.records import database, most_at_once, until_done
from bench.report import publish, table
from bench.rtp_sink import Heard, RtpSink, deaf_ports
from bench.server import BRIDGE, Server
from bench.webhook_sink import WebhookSink

_SETTLE_S = 1.0
_SLOTS = 20
"""Of 1 ms, in a packet time: fewer streams than that cannot be paced by sendmsg_ceiling.c."""
_LAST_CALLS_S = 60.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Cost:
    """One process, or all of them."""

    cpu_s: float
    idle_kb: int
    busy_kb: int


@dataclass(frozen=True)
class Figures:
    """One run."""

    calls: int
    failed: Counter[str]
    concurrent: int
    talk_s: float
    wall_s: float
    costs: dict[str, Cost]
    sipp_s: float
    packets_sent: int
    heard: Heard
    told: int
    """Calls that the webhook heard of."""
    most: int
    """Calls that were up at the same time, by their records."""
    c_packet_us: float


async def measure(concurrent: int, seconds: float, sound_s: float, *, priced_s: int = 3) -> Figures:
    """Keep `concurrent` calls of `sound_s` in progress for `seconds`; C sends for `priced_s`."""
    with many_files(), tempfile.TemporaryDirectory(prefix="outdial-bench-") as name:
        folder = Path(name)
        c_packet_us = kernel_price(folder, max(concurrent, _SLOTS), priced_s)
        rate = concurrent / sound_s
        with RtpSink() as sink, Phones(sink.port, folder) as phones:
            async with (
                WebhookSink() as endpoint,
                Server(folder, phones.port, calls=concurrent, calls_per_second=2 * rate) as server,
            ):
                return await _run(server, phones, sink, endpoint, concurrent, seconds, sound_s, c_packet_us)


async def _run(
    server: Server,
    phones: Phones,
    sink: RtpSink,
    endpoint: WebhookSink,
    concurrent: int,
    seconds: float,
    sound_s: float,
    c_packet_us: float,
) -> Figures:
    rate = concurrent / sound_s
    count = int(rate * (seconds + sound_s))
    async with server.client() as client:
        sound = await server.upload_sound(client, sound_s)
        await server.subscribe(client, endpoint.url)
        # The first call pays for what is loaded once.
        await client.post_form("outgoing/send", {"bridge": BRIDGE, "to": "12025550100", "audio": sound})
        await until_done(server, 1, sound_s + _LAST_CALLS_S)
        await asyncio.sleep(_SETTLE_S)
        processes = server.processes()
        idle = {process: pss_kb(process.pid) for process in processes}
        before = {process: cpu_s(process.pid) for process in processes}
        sipp_before, started = cpu_s(phones.pid), time.monotonic()
        busy: dict[int, int] = {}
        async with asyncio.TaskGroup() as requests:
            for number in range(count):
                await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
                to = f"1202555{100 + number % 100:04}"
                form = {"bridge": BRIDGE, "to": to, "audio": sound}
                requests.create_task(client.post_form("outgoing/send", form))
                if number == count - 1:
                    busy = {process.pid: pss_kb(process.pid) for process in processes}
        await until_done(server, count + 1, sound_s + _LAST_CALLS_S)
        async with asyncio.timeout(_LAST_CALLS_S):
            while len(endpoint.heard) <= count:
                await asyncio.sleep(_LOOK_EVERY_S)
        wall_s = time.monotonic() - started
        await asyncio.sleep(_SETTLE_S)
        after = {process: cpu_s(process.pid) for process in processes}
        sipp_s = cpu_s(phones.pid) - sipp_before
    costs: dict[str, Cost] = {}
    for process in processes:
        cost = Cost(after[process] - before[process], idle[process], busy[process.pid])
        old = costs.get(process.name, Cost(0.0, 0, 0))
        costs[process.name] = Cost(
            old.cpu_s + cost.cpu_s, old.idle_kb + cost.idle_kb, old.busy_kb + cost.busy_kb
        )
    outcomes, talk_s, packets = _outcomes(server, sound_s)
    failed = Counter({outcome: number for outcome, number in outcomes.items() if outcome != "completed"})
    if failed:
        server.tell_why()
    return Figures(
        count,
        failed,
        concurrent,
        talk_s - sound_s,
        wall_s,
        costs,
        sipp_s,
        packets,
        sink.stop(),
        len(endpoint.heard) - 1,
        most_at_once(server),
        c_packet_us,
    )


def kernel_price(folder: Path, streams: int, seconds: int) -> float:
    """µs of CPU of one packet from C, paced, to as many far ends, which drop it as ours does."""
    program = compile_c("sendmsg_ceiling.c", folder)
    with deaf_ports(streams) as first:
        arguments = [str(first), str(streams), str(50 * streams * seconds), str(PACKET_SIZE), "1"]
        answer = subprocess.run([program, *arguments], check=True, capture_output=True, text=True)
    packets, cpu = answer.stdout.split()
    return float(cpu) / int(packets) * 1e6


def _outcomes(server: Server, sound_s: float) -> tuple[Counter[str], float, int]:
    """How attempts ended, seconds of listening, packets sent; a call that was cut short has failed."""
    outcomes: Counter[str] = Counter()
    talk_ms = packets = 0
    with database(server) as conn:
        for reason, talk, played, sent in conn.execute(
            "SELECT reason, talk_ms, played_ms, packets_sent FROM cdrs"
        ):
            short = reason == "completed" and played < sound_s * 1000 - 1
            outcomes["cut short" if short else reason] += 1
            talk_ms += talk
            packets += sent or 0
        unfinished = conn.execute("SELECT count(*) FROM calls WHERE state <> 'done'").fetchone()[0]
    if unfinished:
        outcomes["no outcome"] = unfinished
    return outcomes, talk_ms / 1000, packets


def show(found: Figures) -> str:
    """The table."""
    per_1000 = 1000 / found.talk_s
    total = Cost(*(sum(getattr(c, name) for c in found.costs.values()) for name in Cost.__dataclass_fields__))
    rows = []
    for name, cost in [*found.costs.items(), ("all of the server", total)]:
        rows.append(
            [
                name,
                f"{cost.cpu_s * per_1000:.3f}",
                f"{cost.idle_kb / 1024:.0f} MB",
                f"{(cost.busy_kb - cost.idle_kb) / found.concurrent:.0f} kB",
            ]
        )
    floor = found.packets_sent * found.c_packet_us / 1e6
    rows.append(["C sendmsg, the same packets", f"{floor * per_1000:.3f}", "", ""])
    rows.append(["sipp, the same calls without audio", f"{found.sipp_s * per_1000:.3f}", "", ""])
    head = ["process", "CPU-s per 1,000 call-s", "idle", "memory per call"]
    failed = ", ".join(f"{number} {reason}" for reason, number in found.failed.items()) or "none"
    heard = found.heard
    lost = max(0, found.packets_sent - heard.packets)
    peer = floor + found.sipp_s
    return (
        f"{table(head, rows)}\n\n"
        f"{found.calls} calls, {found.most} at a time, {found.told} told to the webhook, {found.talk_s:.0f} s"
        f" of listening in {found.wall_s:.0f} s; failed: {failed}. All of the server to C and sipp together:"
        f" {total.cpu_s / peer:.2f} × (aim ≤ 0.36 CPU-s). Packets at the far end: {heard.packets:,}, missing"
        f" {lost}; later than the earliest of their stream ({heard.streams_timed} streams timed): p50"
        f" {heard.p50_ms:.2f} ms, p99 {heard.p99_ms:.2f} ms, p99.9 {heard.p999_ms:.2f} ms, worst"
        f" {heard.max_ms:.1f} ms."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concurrent", type=int, help="calls in progress at a time")
    parser.add_argument("--seconds", type=float, help="for how long")
    parser.add_argument("--sound", type=float, help="seconds of the announcement")
    parser.add_argument("--full", action="store_true", help="1,000 calls of 20 s at a time for 2 minutes")
    parser.add_argument("--many", action="store_true", help="5,000 calls of a minute at a time, for as long")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    concurrent, seconds, sound_s = (200, 20.0, 10.0)
    name, command = "announcements", "python -m bench.announcements"
    if options.full:
        concurrent, seconds, sound_s = (1000, 120.0, 20.0)
        command += " --full"
    elif options.many:
        concurrent, seconds, sound_s = (5000, 15.0, 60.0)
        name, command = "announcements_many", command + " --many"
    concurrent = options.concurrent or concurrent
    found = asyncio.run(measure(concurrent, options.seconds or seconds, options.sound or sound_s))
    publish(name, show(found), command=command, write=options.write)


if __name__ == "__main__":
    main()
