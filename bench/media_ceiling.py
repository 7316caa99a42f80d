"""Packets per CPU second of the media worker, against C's sendmsg in the same run.

``python -m bench.media_ceiling [--streams 2000] [--seconds 4] [--rounds 3] [--echo]``

The two take turns, so that a drift of the machine hits both. Both send to the same far ends, which read
everything in a process of their own. The worker's figure has everything in it: pacing, RTCP, timers.
"""

import argparse
import asyncio
import statistics
import subprocess
from pathlib import Path

from bench.media_rig import (
    PACKET_SIZE,
    SINK_PORT,
    Sink,
    client_with_streams,
    compile_c,
    connect_gently,
    machine,
    one_stats,
    work_folder,
    write_clip,
)

from outdial.sdp.direction import Direction


def ceiling(program: Path, streams: int, packets: int, *, paced: bool) -> float:
    """Packets per CPU second of the C program."""
    arguments = [str(SINK_PORT), str(streams), str(packets), str(PACKET_SIZE), str(int(paced))]
    answer = subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout
    taken, cpu_s = answer.split()
    return int(taken) / float(cpu_s)


async def measure(streams: int, seconds: float, rounds: int, *, echo: bool) -> None:
    with work_folder() as name:
        folder = Path(name)
        sender = compile_c("sendmsg_ceiling.c", folder)
        sink = Sink(compile_c("media_sink.c", folder), streams, echo=echo)
        clip = write_clip(folder, 60)
        rows = []
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
                    rows.append((top, paced, ours, late["p99_ms"]))
        finally:
            sink.close()
    print(f"{streams} streams of 20 ms, far ends {'echo' if echo else 'listen'}; {machine()}")
    print("            µs of CPU per packet           ratio of the worker to")
    print("round   C    C, paced   worker       C    C, paced     worker's lateness, p99")
    for number, (top, paced, ours, p99_ms) in enumerate(rows, 1):
        print(
            f"{number:5} {1e6 / top:5.2f} {1e6 / paced:8.2f} {1e6 / ours:9.2f}"
            f" {ours / top:10.2f} {ours / paced:8.2f} {p99_ms:14.2f} ms"
        )
    ratio = statistics.median(ours / top for top, _, ours, _ in rows)
    ratio_paced = statistics.median(ours / paced for _, paced, ours, _ in rows)
    print(f"median ratio {ratio:.2f} to C at full speed (aim 0.65), {ratio_paced:.2f} to C at the same pace")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--echo", action="store_true", help="the far ends send every packet back")
    options = parser.parse_args()
    asyncio.run(measure(options.streams, options.seconds, options.rounds, echo=options.echo))


if __name__ == "__main__":
    main()
