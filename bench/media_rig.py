"""What the media benchmarks share: C programs, far ends in a process of their own, a client with streams."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outdial.sdp.agreement import AgreedMedia
from outdial.sdp.codec import PCMA
from outdial.sdp.direction import Direction
from outdial.telephony.media.client import MediaClient
from outdial.telephony.media.client_stream import MediaStream
from outdial.telephony.media.options import MediaOptions

HERE = Path(__file__).parent
SINK_PORT = 61_001
"""Up to 4,500 sockets above the range that Linux takes ports of its own choice from."""
RTP_PORT = 20_000
PACKET_SIZE = 172
"""20 ms of G.711 with its header."""


def compile_c(source: str, folder: Path) -> Path:
    """Compile a C file of this folder; returns the program."""
    compiler = shutil.which("cc") or "gcc"
    program = folder / source.removesuffix(".c")
    subprocess.run([compiler, "-O2", "-o", program, HERE / source], check=True)
    return program


@dataclass(frozen=True)
class Seen:
    """What the far ends saw; spacing is the distance from an even spacing of packets, in milliseconds."""

    packets: int
    lost: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


class Sink:
    """The far ends."""

    def __init__(self, program: Path, streams: int, *, ptime_ms: int = 20, echo: bool = False) -> None:
        arguments = [str(SINK_PORT), str(streams), str(ptime_ms * 1000), str(int(echo))]
        self._process = subprocess.Popen(
            [program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def seen(self) -> Seen:
        """Since the last call."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        packets, lost, *spacing_us = map(int, self._process.stdout.readline().split())
        return Seen(packets, lost, *(value / 1000 for value in spacing_us))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def agreed(index: int, direction: Direction = Direction.SENDRECV, ptime_ms: int = 20) -> AgreedMedia:
    """Media of the stream with the sink's socket number ``index``."""
    port = SINK_PORT + index
    return AgreedMedia("127.0.0.1", port, "127.0.0.1", SINK_PORT - 1, PCMA, 8, ptime_ms, 101, 8000, direction)


@asynccontextmanager
async def client_with_streams(count: int) -> AsyncIterator[tuple[MediaClient, list[MediaStream]]]:
    """A client with one worker and opened streams that are not connected yet."""
    client = MediaClient(
        MediaOptions(port_min=RTP_PORT, port_max=RTP_PORT + 4 * count + 100, rtp_timeout_s=3600)
    )
    await client.start()
    try:
        yield client, [await client.open(lambda event: None) for _ in range(count)]
    finally:
        await client.stop()


async def connect_gently(streams: list[MediaStream], direction: Direction = Direction.SENDRECV) -> None:
    """Connect streams over a second, as calls are answered one by one."""
    step = max(1, len(streams) // 100)
    for start in range(0, len(streams), step):
        for index in range(start, min(start + step, len(streams))):
            streams[index].connect(agreed(index, direction))
        await asyncio.sleep(0.01)


def write_clip(folder: Path, seconds: int) -> Path:
    """A clip of so many seconds of noise."""
    clip = folder / "noise.clip"
    clip.write_bytes(os.urandom(8000 * seconds))
    return clip


def work_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="outdial-bench-")


async def one_stats(client: MediaClient) -> dict[str, Any]:
    """The figures of the one worker."""
    (figures,) = await client.stats()
    return figures
