"""How long one waits: HTTP answer → INVITE, ACK → the sound's first packet, BYE → webhook request.

``python -m bench.latency [--calls 100] [--full] [--write]``

One call after the other through an idle server. The far end is a few lines of UDP here, so that its times are
the kernel's receive timestamps of the INVITE, the ACK and the RTP packets, on the same clock as the times of
the HTTP request and its answer. A call is measured from its answer (it is on disk then), and from the moment
when the request was sent. The sound's first packet is the first one that is not silence; silence leaves at
once. The webhook's endpoint is here, too. The peer is what the way cannot do without: two SQLite commits for
the INVITE (claim, attempt), one for the audio (answer), two for the webhook (the outcome with its outbox row,
the claim of that row), each measured in the same run as one row in a file of its own.
"""

import argparse
import asyncio
import socket
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.arrivals import listen_timed, receive
from bench.callee import answer_sdp, response
from bench.far_end import HOST, free_ports
from bench.report import percentile, publish, table
from bench.server import BRIDGE, Server
from bench.webhook_sink import WebhookSink

_SILENCE = b"\xd5" * 160
"""20 ms of PCMA."""
_SOUND_S = 0.2
_PAUSE_S = 0.05
"""Between calls: the next one finds the system idle."""
_CALL_WITHIN_S = 10.0


@dataclass(slots=True)
class Times:
    """Of one call, Unix seconds."""

    requested: float = 0.0
    accepted: float = 0.0
    invite: float = 0.0
    ack: float = 0.0
    rtp: float = 0.0
    audio: float = 0.0
    bye: float = 0.0
    told: float = 0.0
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Callee:
    """Answers one call at a time and notes when what came. A context; must be made in a running loop."""

    def __init__(self) -> None:
        self._sip = self._bind(self._on_sip)
        rtp = free_ports(2, even=True)
        self._rtp = self._bind(self._on_rtp, rtp)
        self._rtcp = self._bind(lambda _data, _source, _at: None, rtp + 1)
        self.port: int = self._sip.getsockname()[1]
        self.times = Times()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sock in (self._sip, self._rtp, self._rtcp):
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()

    def _bind(self, take: Callable[[bytes, tuple[str, int], float], None], port: int = 0) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        listen_timed(sock)
        sock.bind((HOST, port))

        def readable() -> None:
            take(*receive(sock))

        asyncio.get_running_loop().add_reader(sock, readable)
        return sock

    def _on_sip(self, data: bytes, source: tuple[str, int], at: float) -> None:
        text = data.decode()
        method = text.split(" ", 1)[0]
        if method == "INVITE":
            self.times.invite = self.times.invite or at
            self._respond(text, source, "180 Ringing")
            self._respond(text, source, "200 OK", answer_sdp(self._rtp.getsockname()[1]))
        elif method == "ACK":
            self.times.ack = self.times.ack or at
        elif method == "BYE":
            self.times.bye = self.times.bye or at
            self._respond(text, source, "200 OK")
            self.times.over.set()

    def _respond(self, request: str, source: tuple[str, int], status: str, body: str = "") -> None:
        self._sip.sendto(response(request, status, port=self.port, body=body), source)

    def _on_rtp(self, data: bytes, source: tuple[str, int], at: float) -> None:
        if not self.times.rtp:
            self.times.rtp = at
            self._rtp.sendto(data, source)
        if not self.times.audio and data[12:] != _SILENCE:
            self.times.audio = at


async def measure(calls: int) -> list[Times]:
    """Make so many calls. Raises TimeoutError when one does not come to its end."""
    with tempfile.TemporaryDirectory(prefix="outdial-bench-") as name, Callee() as callee:
        async with (
            WebhookSink() as sink,
            Server(Path(name), callee.port, calls=100, calls_per_second=1000) as server,
            server.client() as client,
        ):
            await server.subscribe(client, sink.url)
            sound = await server.upload_sound(client, _SOUND_S)
            found = []
            for number in range(calls + 1):
                callee.times = times = Times(requested=time.time())
                form = {"bridge": BRIDGE, "to": "12025550100", "audio": sound}
                sent = await client.post_form("outgoing/send", form)
                times.accepted = time.time()
                async with asyncio.timeout(_CALL_WITHIN_S):
                    await times.over.wait()
                    times.told = await sink.told(sent["data"][0]["id"])
                await asyncio.sleep(_PAUSE_S)
                if number:  # the first call pays for what is loaded once
                    found.append(times)
            return found


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


def show(found: list[Times], commits: list[float]) -> str:
    """The table."""
    waits = {
        ("HTTP answer → INVITE", 2, "≤ 15, ≤ 50 ms"): [(t.invite - t.accepted) * 1000 for t in found],
        ("HTTP request → INVITE", 3, ""): [(t.invite - t.requested) * 1000 for t in found],
        ("ACK → first RTP packet", 0, ""): [(t.rtp - t.ack) * 1000 for t in found],
        ("ACK → first packet of the sound", 1, "p99 ≤ 25 ms"): [(t.audio - t.ack) * 1000 for t in found],
        ("BYE → webhook request", 2, "p99 ≤ 100 ms"): [(t.told - t.bye) * 1000 for t in found],
        ("one commit", 1, ""): commits,
    }
    commit = percentile(commits, 50)
    rows = []
    for (what, needed, aim), values in waits.items():
        p50, p99 = percentile(values, 50), percentile(values, 99)
        ratio = f"{p50 / (needed * commit):.1f} ×" if needed else ""
        rows.append(
            [what, f"{p50:.1f} ms", f"{p99:.1f} ms", f"{max(values):.1f} ms", needed or "", ratio, aim]
        )
    head = ["wait", "p50", "p99", "worst", "commits on the way", "p50 to them", "aim"]
    return f"{table(head, rows)}\n\n{len(found)} calls, one after the other, through an idle server on SQLite"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int)
    parser.add_argument("--full", action="store_true", help="1,000 calls instead of 100")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    calls = options.calls or (1000 if options.full else 100)
    commits = commit_times(max(20, calls))
    publish(
        "latency",
        show(asyncio.run(measure(calls)), commits),
        command="python -m bench.latency" + (" --full" if options.full else ""),
        write=options.write,
    )


if __name__ == "__main__":
    main()
