"""What a leg's media costs the dialer's own process: open, connect, play, close.

``python -m bench.media_client [--calls 3000] [--write]``

The far ends listen in a process of their own, and each call's clip is one packet, so that the CPU time of
this process is the client's: its messages, futures and callbacks on uvloop.
"""

import argparse
import asyncio
import time
from pathlib import Path

import uvloop
from bench.media_rig import RTP_PORT, Sink, agreed, compile_c, work_folder
from bench.report import publish, table

from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.events import MediaEvent, PlayFinished
from outdial.telephony.media.options import MediaOptions

AT_ONCE = 50


async def one_call(client: MediaClient, index: int, clip: Path) -> None:
    finished = asyncio.get_running_loop().create_future()

    def on_event(event: MediaEvent) -> None:
        if isinstance(event, PlayFinished):
            finished.set_result(None)

    stream = await client.open(on_event)
    stream.connect(agreed(index))
    stream.play("clip", [clip])
    await finished
    await stream.close()


async def measure(calls: int) -> float:
    """The CPU seconds of so many calls."""
    with work_folder() as name:
        folder = Path(name)
        sink = Sink(compile_c("media_sink.c", folder), AT_ONCE)
        clip = folder / "short.clip"
        clip.write_bytes(bytes(160))
        client = MediaClient(MediaOptions(port_min=RTP_PORT, port_max=RTP_PORT + 2000, quarantine_s=0.1))
        await client.start()
        queue = iter(range(calls))

        async def caller(index: int) -> None:
            for _ in queue:
                await one_call(client, index, clip)

        async def all_calls() -> float:
            before = time.process_time()
            await asyncio.gather(*(caller(index) for index in range(AT_ONCE)))
            return time.process_time() - before

        cpu_s = await all_calls()
        await client.stop()
        sink.close()
    return cpu_s


def show(calls: int, cpu_s: float) -> str:
    """The table."""
    row = (f"{calls:,}", AT_ONCE, f"{1e6 * cpu_s / calls:.0f} µs", "≤ 150 µs")
    return table(("calls", "at a time", "dialer's CPU for a call's media", "aim"), [row])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    text = show(options.calls, uvloop.run(measure(options.calls)))
    publish("media_client", text, command="python -m bench.media_client", write=options.write)


if __name__ == "__main__":
    main()
