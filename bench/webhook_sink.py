"""An endpoint for webhooks that takes next to nothing: it answers 200 to whatever comes, and notes when.

A few lines on asyncio's protocol, because an HTTP library would take its share of the cores that the server
under measurement runs on. It reads what our own egress client sends: a head with ``Content-Length``, a body.
"""

import asyncio
import json
import re
import time
from types import TracebackType
from typing import Self

from bench.far_end import HOST

_LOOK_EVERY_S = 0.005
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class WebhookSink:
    """An async context manager: it listens inside."""

    def __init__(self) -> None:
        self.heard: dict[str, float] = {}
        """Call id → Unix seconds of the first event about it."""
        self._listener: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.get_running_loop().create_server(lambda: _Connection(self), HOST, 0)
        self.url = f"http://{HOST}:{self._listener.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listener is not None
        self._listener.close()

    async def told(self, call_id: str) -> float:
        """Wait until the call was told of; when that was."""
        while call_id not in self.heard:
            await asyncio.sleep(_LOOK_EVERY_S)
        return self.heard[call_id]

    def take(self, body: bytes, at: float) -> bytes:
        """One request's body; the answer's."""
        found = json.loads(body)
        if "challenge" in found:
            return json.dumps({"challenge": found["challenge"]}).encode()
        self.heard.setdefault(found["id"], at)
        return b"{}"


class _Connection(asyncio.Protocol):
    def __init__(self, sink: WebhookSink) -> None:
        self._sink = sink
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        at = time.time()
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._data, 0, end + 2)
            over = end + 4 + (int(length[1]) if length else 0)
            if len(self._data) < over:
                return
            body, self._data = self._data[end + 4 : over], self._data[over:]
            answer = self._sink.take(body, at)
            head = (
                f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
            )
            self._transport.write(head.encode() + answer)
