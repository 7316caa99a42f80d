"""Servers on loopback that a test may ask: well-behaved ones, and ones that send whatever bytes they like."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class WebServer:
    """A running server and what it was asked."""

    def __init__(self, address: str, port: int, scheme: str = "http") -> None:
        self.scheme = scheme
        self.address = address
        self.port = port
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []

    def url(self, path: str = "/", host: str | None = None) -> str:
        """A URL of this server."""
        return f"{self.scheme}://{host or self.address}:{self.port}{path}"


@asynccontextmanager
async def web_server(
    handler: Handler, address: str = "127.0.0.2", port: int = 0, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[WebServer]:
    """Serve every request by `handler`, which may also return what it has prepared."""
    server = WebServer(address, port, "http" if tls is None else "https")

    async def handle(request: Any) -> web.StreamResponse:
        server.requests.append(request)
        server.bodies.append(await request.read())
        return await handler(request)

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, address, port, ssl_context=tls)
        await site.start()
        server.port = runner.addresses[0][1]
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_server(handler: RawHandler, address: str = "127.0.0.2") -> AsyncIterator[WebServer]:
    """Read the head of each request, then let `handler` write whatever it likes."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                await handler(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()

    listener = await asyncio.start_server(handle, address, 0)
    try:
        yield WebServer(address, listener.sockets[0].getsockname()[1])
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
