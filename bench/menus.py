"""Calls in a menu that take a key every few seconds: the dialer's CPU, and how soon the next prompt starts.

``python -m bench.menus [--concurrent 100] [--seconds 30] [--every 3] [--full] [--write]``

The far end is the simulated phone network: phones that press 1 again and again (RFC 4733) while the menu's
prompt plays, which stops at the key and begins anew. How long it is silent in between is heard at the far
end, in what the phones recorded: less the time that the key was down, it is the way of a key through media
worker, dialer and flow to the next packet. Phones send audio, too, which costs the machine more than the
server's share: 500 calls at a time take a machine with four cores.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
import tempfile
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bench.far_end import HOST, free_port
from bench.processes import cpu_s
from bench.report import percentile, publish, table
from bench.server import BRIDGE, Server

from outdial.sandbox.heard import Heard, read_heard

_NUMBER = "12025550180"
_KEY_MS, _PTIME_MS = 100, 20
_RATE = 8_000
_QUIET = 40
"""Silence of G.711 is 8 at most; the prompt is a loud tone in noise."""
_LAST_CALLS_S = 60.0


@dataclass(frozen=True)
class Figures:
    """One run."""

    calls: int
    answered: int
    keys: int
    """Prompts that began after a key, by what phones heard."""
    talk_min: float
    dialer_s: float
    workers_s: float
    lost: int
    packets: int
    delays_ms: list[float]


async def measure(concurrent: int, seconds: float, every_s: float) -> Figures:
    """Have `concurrent` calls for `seconds`, with a key `every_s`."""
    with tempfile.TemporaryDirectory(prefix="outdial-bench-") as name:
        folder = Path(name)
        port = free_port(socket.SOCK_DGRAM)
        async with (
            _phones(folder, port, seconds, every_s) as heard_dir,
            Server(folder, port, calls=concurrent, calls_per_second=max(10.0, concurrent / 3)) as server,
        ):
            return await _run(server, heard_dir, concurrent, seconds, every_s)


@asynccontextmanager
async def _phones(folder: Path, port: int, seconds: float, every_s: float) -> AsyncIterator[Path]:
    """The phone network; where what it heard is written."""
    presses = max(1, int((seconds - 1) / every_s))
    phones = folder / "phones.toml"
    phones.write_text(
        f'[phones.{_NUMBER}]\nvoice = "silence"\ndigits = "{"1" * presses}"\ndigits_after_s = 1.0\n'
        f"digit_ms = {_KEY_MS}\ndigit_gap_ms = {round(every_s * 1000) - _KEY_MS}\n"
        f"hang_up_after_s = {seconds}\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OUTDIAL_")} | {
        "OUTDIAL_DATA_DIR": str(folder / "phones"),
        "OUTDIAL_SANDBOX__BIND_ADDRESS": HOST,
        "OUTDIAL_SANDBOX__PORT": str(port),
        "OUTDIAL_SANDBOX__PHONES": str(phones),
        "OUTDIAL_LOG__LEVEL": "warning",
    }
    with (folder / "phones.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "outdial", "sandbox", env=environment, stdout=log, stderr=log
        )
    try:
        yield folder / "phones" / "sandbox"
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def _run(server: Server, heard_dir: Path, concurrent: int, seconds: float, every_s: float) -> Figures:
    async with server.client() as client:
        sound = await server.upload_sound(client, every_s + 2)
        flow = await client.send_json("POST", "flows", {"name": "menu", "document": _menu(sound)})
        flow_id = str(flow["data"]["id"])
        await client.send_json("POST", f"flows/{flow_id}/publish", {})
        before = {process: cpu_s(process.pid) for process in server.processes()}
        form = {"bridge": BRIDGE, "to": _NUMBER, "ivr_id": flow_id}
        for _ in range(concurrent):
            await client.post_form("outgoing/send", form)
        heard: list[Heard] = []
        async with asyncio.timeout(seconds + _LAST_CALLS_S):
            while len(heard) < concurrent:
                await asyncio.sleep(0.5)
                heard = list(read_heard(heard_dir))
        used = {process.name: 0.0 for process in before}
        for process, was in before.items():
            used[process.name] += cpu_s(process.pid) - was
    delays = [delay for each in heard for delay in _delays(heard_dir, each)]
    return Figures(
        calls=concurrent,
        answered=sum(each.outcome == "answered" for each in heard),
        keys=len(delays),
        talk_min=sum(each.duration_ms or 0 for each in heard) / 60_000,
        dialer_s=used["dialer"],
        workers_s=used["media worker"],
        lost=sum(each.lost for each in heard),
        packets=sum(each.packets for each in heard),
        delays_ms=delays,
    )


def _menu(sound: str) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "entry": "menu",
        "nodes": {
            "menu": {
                "type": "menu",
                "settings": {"prompt": {"sound": sound}, "timeout": 30, "repeats": 0},
                "exits": {"1": "menu", "invalid": "bye", "timeout": "bye"},
            },
            "bye": {"type": "hang_up"},
        },
    }


def _delays(folder: Path, heard: Heard) -> list[float]:
    """How long after each key's end the next prompt began, in milliseconds, as the phone heard it."""
    if heard.recording is None:
        return []
    with wave.open(str(folder / heard.recording), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    frames = samples[: len(samples) // 80 * 80].reshape(-1, 80)
    loud = np.flatnonzero(np.abs(frames.astype(np.int32)).max(axis=1) > _QUIET)
    pauses_ms = (np.diff(loud) - 1) * 80 * 1000 / _RATE
    # The first packet of a key stops the prompt, and the last of its updates is followed by its end.
    return [float(pause - (_KEY_MS - _PTIME_MS)) for pause in pauses_ms if pause >= _PTIME_MS]


def show(figures: Figures) -> str:
    """The table."""
    delays = figures.delays_ms or [0.0]
    minutes = max(figures.talk_min, 1e-9)
    return table(
        (
            "calls at a time",
            "answered",
            "keys",
            "dialer, CPU-ms a call-minute",
            "workers",
            "p50",
            "p99",
            "lost",
        ),
        [
            (
                figures.calls,
                figures.answered,
                figures.keys,
                f"{figures.dialer_s * 1000 / minutes:.1f}",
                f"{figures.workers_s * 1000 / minutes:.1f}",
                f"{percentile(delays, 50):.0f} ms",
                f"{percentile(delays, 99):.0f} ms",
                f"{figures.lost} of {figures.packets}",
            )
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concurrent", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between keys")
    parser.add_argument("--full", action="store_true", help="200 calls for a minute")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    options = parser.parse_args()
    concurrent, seconds = (200, 60.0) if options.full else (options.concurrent, options.seconds)
    figures = asyncio.run(measure(concurrent, seconds, options.every))
    command = "python -m bench.menus --full" if options.full else "python -m bench.menus"
    publish("menus", show(figures), command=command, write=options.write)
    print("p50 and p99: from the end of a key to the next prompt, in steps of a packet; aim: below 40 ms")


if __name__ == "__main__":
    main()
