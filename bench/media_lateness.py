"""How late packets leave: the worker's own histogram, and what the far ends saw.

``python -m bench.media_lateness [--streams 1000 3000] [--seconds 10] [--echo] [--joined] [--write]``

The worker counts each packet of a tick as late as the tick's last one. The far ends, a process of their own,
measure by the kernel's receive timestamps how far two packets of a stream are from being 20 ms apart.
With ``--joined`` streams are joined two by two, and the far ends send back what they hear: each packet is
what came from the partner's far end a moment before.
"""

import argparse
import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.media_rig import (
    Seen,
    Sink,
    client_with_streams,
    compile_c,
    connect_gently,
    one_stats,
    work_folder,
    write_clip,
)
from bench.report import publish, table

_USUAL, _USUAL_JOINED = (1000, 3000), (400,)


@dataclass(frozen=True)
class Figures:
    """Of one number of streams."""

    streams: int
    cpu: float
    """The worker's CPU seconds per second."""
    late: dict[str, Any]
    """The worker's own histogram."""
    seen: Seen
    """By the far ends."""


async def measure(streams: int, seconds: float, *, echo: bool, joined: bool = False) -> Figures:
    """Let one worker send for so many seconds."""
    with work_folder() as name:
        folder = Path(name)
        sink = Sink(compile_c("media_sink.c", folder), streams, echo=echo or joined)
        clip = write_clip(folder, 60)
        try:
            async with client_with_streams(streams) as (client, legs):
                await connect_gently(legs)
                for leg in legs:
                    leg.play("bench", [clip] * 10)
                if joined:
                    # What goes round between a pair from now on is what was played for a moment.
                    await asyncio.sleep(1)
                    for index, leg in enumerate(legs[: streams // 2 * 2]):
                        leg.join(f"pair {index // 2}")
                        leg.stop_playing()
                await asyncio.sleep(2)
                before = await one_stats(client)
                sink.seen()
                await asyncio.sleep(seconds)
                after = await one_stats(client)
                cpu = (after["cpu_s"] - before["cpu_s"]) / seconds
                return Figures(streams, cpu, after["lateness"], sink.seen())
        finally:
            sink.close()


def show(found: list[Figures], how: str) -> str:
    """The table."""
    rows = []
    for each in found:
        late, seen = each.late, each.seen
        ours = (late["p50_ms"], late["p99_ms"], late["p999_ms"], late["max_ms"])
        theirs = (seen.p50_ms, seen.p99_ms, seen.p999_ms, seen.max_ms)
        cells = [" / ".join(f"{value:.2f}" for value in values) for values in (ours, theirs)]
        rows.append([f"{each.streams:,}", f"{each.cpu:.0%}", f"{late['packets']:,}", *cells, seen.lost])
    head = ["streams", "CPU", "packets", "worker late, ms", "far ends: spacing off, ms", "lost"]
    return (
        f"{table(head, rows)}\n\np50 / p99 / p99.9 / worst; {how}, packets of 20 ms, one worker;"
        " aim: p99 ≤ 1 ms at 3,000 streams"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", help="1000 3000, or 400 joined")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--echo", action="store_true", help="the far ends send every packet back")
    parser.add_argument("--joined", action="store_true", help="streams hear each other, two by two")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    joined = options.joined
    found = [
        asyncio.run(measure(streams, options.seconds, echo=options.echo, joined=joined))
        for streams in options.streams or (_USUAL_JOINED if joined else _USUAL)
    ]
    echo = "far ends send back what they hear" if options.echo else "far ends listen"
    publish(
        "media_joined" if joined else "media_lateness",
        show(found, "joined in pairs, far ends send back what they hear" if joined else echo),
        command="python -m bench.media_lateness" + (" --joined" if joined else ""),
        write=options.write,
    )


if __name__ == "__main__":
    main()
