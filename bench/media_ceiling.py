"""Packets per CPU second of the media worker, against C's sendmsg in the same run.

``python -m bench.media_ceiling [--streams 2000] [--seconds 4] [--rounds 3] [--echo] [--write]``

The two take turns, so that a drift of the machine hits both. Both send to the same far ends, which read
everything in a process of their own. The worker's figure has everything in it: pacing, RTCP, timers.
"""

import argparse
import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.media_rig import (
    PACKET_SIZE,
    SINK_PORT,
    Sink,
    client_with_streams,
    compile_c,
    connect_gently,
    one_stats,
    work_folder,
    write_clip,
)
from bench.report import median, publish, table

from outdial.sdp.direction import Direction


@dataclass(frozen=True)
class Round:
    """Packets per CPU second, and how late the worker's were."""

    top: float
    paced: float
    ours: float
    p99_ms: float


def ceiling(program: Path, streams: int, packets: int, *, paced: bool) -> float:
    """Packets per CPU second of the C program."""
    arguments = [str(SINK_PORT), str(streams), str(packets), str(PACKET_SIZE), str(int(paced))]
    answer = subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout
    taken, cpu_s = answer.split()
    return int(taken) / float(cpu_s)


async def measure(streams: int, seconds: float, rounds: int, *, echo: bool) -> list[Round]:
    with work_folder() as name:
        folder = Path(name)
        sender = compile_c("sendmsg_ceiling.c", folder)
        sink = Sink(compile_c("media_sink.c", folder), streams, echo=echo)
        clip = write_clip(folder, 60)
        found = []
        try:
            async with client_with_streams(streams) as (client, legs):
                await connect_gently(legs)
                for leg in legs:
                    leg.play("bench", [clip] * 10)
                for _ in range(rounds):
                    await connect_gently(legs, Direction.INACTIVE)
                    top = ceiling(sender, streams, 600_000, paced=False)
                    paced = ceiling(sender, streams, int(50 * streams * seconds), paced=True)
                    await connect_gently(legs)
                    await asyncio.sleep(1)
                    before = await one_stats(client)
                    await asyncio.sleep(seconds)
                    after = await one_stats(client)
                    late = after["lateness"]
                    ours = late["packets"] / (after["cpu_s"] - before["cpu_s"])
                    found.append(Round(top, paced, ours, late["p99_ms"]))
        finally:
            sink.close()
        return found


def show(found: list[Round], streams: int) -> str:
    """The table."""
    rows = [
        [
            f"round {number}",
            *(f"{1e6 / rate:.2f} µs" for rate in (each.top, each.paced, each.ours)),
            f"{each.ours / each.top:.2f}",
            f"{each.ours / each.paced:.2f}",
            f"{each.p99_ms:.2f} ms",
        ]
        for number, each in enumerate(found, 1)
    ]
    ratio, ratio_paced = (
        median([each.ours / each.top for each in found]),
        median([each.ours / each.paced for each in found]),
    )
    rows.append(["median", "", "", "", f"{ratio:.2f}", f"{ratio_paced:.2f}", ""])
    head = ["CPU per packet", "C", "C, paced", "worker", "worker to C", "to C, paced", "worker late, p99"]
    return f"{table(head, rows)}\n\n{streams:,} streams of 20 ms; aim 0.65 of C at full speed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--echo", action="store_true", help="the far ends send every packet back")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    found = asyncio.run(measure(options.streams, options.seconds, options.rounds, echo=options.echo))
    publish(
        "media_ceiling",
        show(found, options.streams),
        command="python -m bench.media_ceiling",
        write=options.write,
    )


if __name__ == "__main__":
    main()
