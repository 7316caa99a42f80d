"""Calls in a menu that take a key every few seconds: the dialer's CPU, and how soon the next prompt starts.

``python -m bench.menus [--concurrent 50] [--seconds 15] [--every 3] [--full] [--write]``

The far end is bench/key_phones.py: callees who press 1 again and again (RFC 4733) while the menu's prompt
plays, which stops at the key and begins anew; a last key ends the call. From the end of a key to the next
prompt, heard at the far end, is the way of a key through media worker, dialer and flow to the next packet,
which waits for its place in the stream, up to 20 ms. A call that was not answered, missed a key or did not
end by its last one has failed.
"""

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.key_phones import KeyPhones, Pressed
from bench.processes import cpu_s, many_files
from bench.records import database, most_at_once, until_done
from bench.report import percentile, publish, table
from bench.server import BRIDGE, Server

_NUMBER = "12025550180"
_DONE = "success"
_CALLS_PER_SECOND = 50
_SETTLE_S = 1.0
_LAST_CALLS_S = 60.0


@dataclass(frozen=True)
class Figures:
    """One run."""

    calls: int
    most: int
    """Calls that were up at the same time, by their records."""
    completed: int
    """Calls whose flow took the last key, by their records."""
    talk_min: float
    dialer_s: float
    workers_s: float
    far_end_s: float
    wall_s: float
    packets_sent: int
    packets_missed: int
    """Of the far end's, by the server's count."""
    pressed: Pressed

    @property
    def failed(self) -> int:
        """Calls that did not go all the way, as either end saw it."""
        return self.calls - min(self.completed, self.pressed.ended)


async def measure(concurrent: int, seconds: float, every_s: float) -> Figures:
    """Have `concurrent` calls of about `seconds`, with a key `every_s`."""
    keys = max(1, int((seconds - 1) / every_s))
    with (
        many_files(),
        tempfile.TemporaryDirectory(prefix="outdial-bench-") as name,
        KeyPhones(keys, round(every_s * 1000)) as phones,
    ):
        pace = 2 * _CALLS_PER_SECOND
        async with Server(Path(name), phones.port, calls=concurrent, calls_per_second=pace) as server:
            return await _run(server, phones, concurrent, seconds, every_s)


async def _run(server: Server, phones: KeyPhones, concurrent: int, seconds: float, every_s: float) -> Figures:
    async with server.client() as client:
        sound = await server.upload_sound(client, every_s + 2)
        flow = await client.send_json("POST", "flows", {"name": "menu", "document": _menu(sound)})
        flow_id = str(flow["data"]["id"])
        await client.send_json("POST", f"flows/{flow_id}/publish", {})
        await asyncio.sleep(_SETTLE_S)
        processes = server.processes()
        before = [cpu_s(process.pid) for process in processes]
        phones_before, started = cpu_s(phones.pid), time.monotonic()
        form = {"bridge": BRIDGE, "to": _NUMBER, "ivr_id": flow_id}
        async with asyncio.TaskGroup() as requests:
            for number in range(concurrent):
                due = started + number / _CALLS_PER_SECOND
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                requests.create_task(client.post_form("outgoing/send", form))
        await until_done(server, concurrent, seconds + _LAST_CALLS_S)
        wall_s = time.monotonic() - started
        used = {process.name: 0.0 for process in processes}
        for process, was in zip(processes, before, strict=True):
            used[process.name] += cpu_s(process.pid) - was
        far_end_s = cpu_s(phones.pid) - phones_before
    with database(server) as conn:
        (completed,) = conn.execute("SELECT count(*) FROM flow_runs WHERE result = ?", (_DONE,)).fetchone()
        talk_ms, sent, missed = conn.execute(
            "SELECT sum(talk_ms), sum(packets_sent), sum(packets_lost) FROM cdrs"
        ).fetchone()
    figures = Figures(
        calls=concurrent,
        most=most_at_once(server),
        completed=completed,
        talk_min=(talk_ms or 0) / 60_000,
        dialer_s=used["dialer"],
        workers_s=used["media worker"],
        far_end_s=far_end_s,
        wall_s=wall_s,
        packets_sent=sent or 0,
        packets_missed=missed or 0,
        pressed=phones.stop(),
    )
    if figures.failed:
        server.tell_why()
    return figures


def _menu(sound: str) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "entry": "menu",
        "nodes": {
            "menu": {
                "type": "menu",
                "settings": {"prompt": {"sound": sound}, "timeout": 30, "repeats": 0},
                "exits": {"1": "menu", "0": "bye", "invalid": "lost", "timeout": "lost"},
            },
            "bye": {"type": "hang_up", "settings": {"result": _DONE}},
            "lost": {"type": "hang_up", "settings": {"result": "failure"}},
        },
    }


def show(figures: Figures) -> str:
    """The table."""
    pressed = figures.pressed
    delays = pressed.delays_ms or [0.0]
    minutes = max(figures.talk_min, 1e-9)
    head = ("calls at a time", "answered", "keys", "acted upon", "p50", "p99", "worst", "failed")
    row = (
        figures.most,
        pressed.answered,
        pressed.keys,
        pressed.acted_upon,
        f"{percentile(delays, 50):.1f} ms",
        f"{percentile(delays, 99):.1f} ms",
        f"{max(delays):.1f} ms",
        figures.failed,
    )
    costs = [
        (name, f"{seconds * 1000 / minutes:.1f} ms", f"{seconds / figures.wall_s:.0%}")
        for name, seconds in (
            ("dialer", figures.dialer_s),
            ("media worker", figures.workers_s),
            ("far end", figures.far_end_s),
        )
    ]
    lost = max(0, figures.packets_sent - pressed.packets)
    return (
        f"{table(head, [row])}\n\n"
        f"{table(('process', 'CPU per call-minute', 'of a core'), costs)}\n\n"
        f"p50, p99 and worst are from the end of a key to the next prompt (aim < 40 ms). Packets to the far"
        f" end: {figures.packets_sent:,}, lost {lost}; from it: lost {figures.packets_missed}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concurrent", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between keys")
    parser.add_argument("--full", action="store_true", help="500 calls for a minute")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    options = parser.parse_args()
    concurrent, seconds = (500, 60.0) if options.full else (50, 15.0)
    figures = asyncio.run(
        measure(options.concurrent or concurrent, options.seconds or seconds, options.every)
    )
    command = "python -m bench.menus --full" if options.full else "python -m bench.menus"
    publish("menus", show(figures), command=command, write=options.write)


if __name__ == "__main__":
    main()
