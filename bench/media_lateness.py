"""How late packets leave: the worker's own histogram, and what the far ends saw.

``python -m bench.media_lateness [--streams 1000 3000] [--seconds 10] [--echo] [--joined]``

The worker counts each packet of a tick as late as the tick's last one. The far ends, a process of their own,
measure by the kernel's receive timestamps how far two packets of a stream are from being 20 ms apart.
With ``--joined`` streams are joined two by two, and the far ends send back what they hear: each packet is
what came from the partner's far end a moment before.
"""

import argparse
import asyncio
from pathlib import Path

from bench.media_rig import (
    Seen,
    Sink,
    client_with_streams,
    compile_c,
    connect_gently,
    machine,
    one_stats,
    work_folder,
    write_clip,
)


async def measure(
    streams: int, seconds: float, *, echo: bool, joined: bool = False
) -> tuple[dict[str, object], Seen, float]:
    """The worker's figures, the far ends' and the worker's CPU seconds per second."""
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
                return after, sink.seen(), (after["cpu_s"] - before["cpu_s"]) / seconds
        finally:
            sink.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1000, 3000])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--echo", action="store_true", help="the far ends send every packet back")
    parser.add_argument("--joined", action="store_true", help="streams hear each other, two by two")
    options = parser.parse_args()
    far_ends = "joined in pairs, far ends echo" if options.joined else "far ends listen"
    print(f"20 ms, {'far ends echo' if options.echo else far_ends}; {machine()}")
    print("            worker                                          far ends: spacing off by")
    print("streams   CPU   packets   p50    p99   p99.9     max ms     p50    p99   p99.9     max ms   lost")
    for streams in options.streams:
        figures, seen, cpu = asyncio.run(
            measure(streams, options.seconds, echo=options.echo, joined=options.joined)
        )
        late = figures["lateness"]
        print(
            f"{streams:7} {cpu:5.0%} {late['packets']:9} {late['p50_ms']:5.2f} {late['p99_ms']:6.2f}"
            f" {late['p999_ms']:7.2f} {late['max_ms']:7.2f} {seen.p50_ms:11.2f} {seen.p99_ms:6.2f}"
            f" {seen.p999_ms:7.2f} {seen.max_ms:7.2f} {seen.lost:9}"
        )
    print("aim: p99 ≤ 1 ms at 3,000 streams")


if __name__ == "__main__":
    main()
