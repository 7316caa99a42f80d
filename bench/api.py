"""Requests a second that `outgoing/send` accepts durably, and how long a list of 10,000 numbers takes.

``python -m bench.api [--requests 3000] [--connections 32] [--full] [--write]``

The calls stay in the queue: their trunk takes one in a minute. What counts is the CPU time of the API's
process, all its threads, so that "one core" means what it says although the load comes from the same machine.
The peer, in the same run under the same load, is uvicorn with an application that reads the body and answers
at once: the price of HTTP itself.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import uvicorn
from bench.far_end import HOST, free_port
from bench.processes import cpu_s
from bench.report import percentile, publish, table
from bench.server import BRIDGE, Server

_NOBODY = 9
_A_MINUTE = 1 / 60
_LIST = 10_000
_LONGEST_S = 120.0
_ANSWER = b'{"status": 200, "message": "1 numbers accepted for delivery.", "data": []}'.ljust(260)


@dataclass(frozen=True)
class Load:
    """What one round of requests cost."""

    a_second: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Figures:
    """All of it."""

    ours: Load
    peer: Load
    list_s: float


async def measure(requests: int, connections: int, numbers: int = _LIST) -> Figures:
    """Load both servers in turn. Raises RuntimeError when a request is refused."""
    with tempfile.TemporaryDirectory(prefix="outdial-bench-") as name:
        async with Server(Path(name), _NOBODY, calls=1, calls_per_second=_A_MINUTE) as server:
            async with server.client() as client:
                sound = await server.upload_sound(client, 0.1)
            form = {"bridge": BRIDGE, "to": "12025550100", "audio": sound, "name": "bench"}
            (api,) = [process.pid for process in server.processes() if process.name == "api"]
            request = _request(server.url, server.token, form)
            await _load(server.url, request, connections, connections)  # the first ones load what is lazy
            ours = await _measured(server.url, request, requests, connections, api)
            many = form | {"to": ",".join(str(12025550100 + number) for number in range(numbers))}
            started = time.perf_counter()
            await _load(server.url, _request(server.url, server.token, many), 1, 1)
            list_s = time.perf_counter() - started
        return Figures(ours, await _measure_peer(request, requests, connections), list_s)


async def _measure_peer(request: bytes, requests: int, connections: int) -> Load:
    port = free_port()
    peer = subprocess.Popen([sys.executable, "-m", "bench.api", "--peer", str(port)])
    url = f"http://{HOST}:{port}"
    try:
        async with asyncio.timeout(_LONGEST_S):
            while not await _listens(port):
                await asyncio.sleep(0.05)
        await _load(url, request, connections, connections)
        return await _measured(url, request, requests, connections, peer.pid)
    finally:
        peer.kill()
        peer.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def _measured(url: str, request: bytes, requests: int, connections: int, pid: int) -> Load:
    cpu, started = cpu_s(pid), time.perf_counter()
    times = await _load(url, request, requests, connections)
    seconds = time.perf_counter() - started
    return Load(
        a_second=requests / seconds,
        cpu_ms=(cpu_s(pid) - cpu) / requests * 1000,
        p50_ms=percentile(times, 50),
        p99_ms=percentile(times, 99),
    )


def _request(url: str, token: str, form: dict[str, str]) -> bytes:
    body = urlencode(form).encode()
    head = (
        f"POST /api/v1/outgoing/send HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _load(url: str, request: bytes, requests: int, connections: int) -> list[float]:
    """Send so many requests over so many connections, one at a time on each; milliseconds of each."""
    left, times = requests, []

    async def connection() -> None:
        nonlocal left
        reader, writer = await asyncio.open_connection(*urlsplit(url).netloc.split(":"))
        try:
            while left > 0:
                left -= 1
                started = time.perf_counter()
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
                body = await reader.readexactly(length)
                times.append((time.perf_counter() - started) * 1000)
                if not head.startswith(b"HTTP/1.1 200 "):
                    raise RuntimeError(f"refused: {head.decode()}{body.decode()}")
        finally:
            writer.close()
            await writer.wait_closed()

    async with asyncio.timeout(_LONGEST_S), asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(connection())
    return times


Event = MutableMapping[str, Any]


async def peer_app(
    scope: Event, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]
) -> None:
    """The peer: read the body, answer."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _ANSWER})


def serve_peer(port: int) -> None:
    """Serve it as the API role is served."""
    uvicorn.run(
        peer_app,
        host=HOST,
        port=port,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )


def show(found: Figures, connections: int, numbers: int = _LIST) -> str:
    """The table."""
    rows = []
    for name, load in (("outgoing/send, durable", found.ours), ("uvicorn alone", found.peer)):
        rows.append(
            [
                name,
                f"{load.cpu_ms:.2f} ms",
                f"{1000 / load.cpu_ms:,.0f}" if load.cpu_ms else "",
                f"{load.cpu_ms / found.peer.cpu_ms:.1f} ×" if found.peer.cpu_ms else "",
                f"{load.a_second:,.0f}",
                f"{load.p50_ms:.1f} ms",
                f"{load.p99_ms:.1f} ms",
            ]
        )
    head = [
        "request",
        "CPU",
        "a second of one core (aim ≥ 1,000)",
        "to the peer",
        "a second here",
        "p50",
        "p99",
    ]
    return (
        f"{table(head, rows)}\n\n{connections} connections, one request at a time on each; a list of"
        f" {numbers:,} numbers was accepted in {found.list_s:.2f} s (aim ≤ 1 s)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--full", action="store_true", help="20,000 requests instead of 3,000")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--peer", type=int, metavar="PORT", help="be the peer (the benchmark starts it)")
    options = parser.parse_args()
    if options.peer:
        serve_peer(options.peer)
        return
    requests = options.requests or (20_000 if options.full else 3_000)
    found = asyncio.run(measure(requests, options.connections))
    publish(
        "api",
        show(found, options.connections),
        command="python -m bench.api" + (" --full" if options.full else ""),
        write=options.write,
    )


if __name__ == "__main__":
    main()
