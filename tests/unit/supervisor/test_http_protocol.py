"""Heads that never end: the connection does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from outdial.supervisor import http_protocol
from outdial.supervisor.http_protocol import BoundedProtocol
from outdial.supervisor.roles.api import _Server, listen


async def _app(scope: object, receive: object, send: object) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b"ok"})  # type: ignore[operator]


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    listener = listen("127.0.0.1", 0)
    server = _Server(uvicorn.Config(_app, http=BoundedProtocol, ws="none", lifespan="off", log_config=None))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
        try:
            yield reader, writer
        finally:
            writer.close()
            server.should_exit = True


async def _ends(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(10):
            return await reader.read() == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("head", [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_head_without_an_end_is_not_kept(head: bytes) -> None:
    async with connection() as (reader, writer):
        writer.write(head + (b"X: y\r\n" if head.endswith(b"\n") else b"y") * (http_protocol.HEAD_BYTES + 1))
        assert await _ends(reader)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHo"])
async def test_a_head_that_does_not_come_is_not_waited_for(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.05)
    async with connection() as (reader, writer):
        writer.write(sent)
        assert await _ends(reader)


async def test_requests_one_after_the_other_go_on() -> None:
    async with connection() as (reader, writer):
        for _ in range(5):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n" + b"b" * 70_000)
            answer = await reader.readuntil(b"ok")
            assert answer.startswith(b"HTTP/1.1 200")
