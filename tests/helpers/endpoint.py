"""A webhook's receiver on loopback: answers challenges, takes events, and fails when told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.helpers.poll import until
from tests.helpers.web_server import web_server


@dataclass(frozen=True)
class Received:
    """One request."""

    method: str
    path_qs: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Behaviour = Callable[[Received], Awaitable[web.StreamResponse]]


@dataclass
class Endpoint:
    """What came, and how it is answered."""

    url: str = ""
    events: list[Received] = field(default_factory=list)
    challenges: list[Received] = field(default_factory=list)
    answers_challenges: bool = True
    behave: Behaviour | None = None
    """What to answer events with; None for 200."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the receiver is closed."""

    def answer(self, *statuses: int, **headers: str) -> None:
        """Answer the next events with these statuses, then with 200."""
        left = list(statuses)
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def behave(_: Received) -> web.StreamResponse:
            return web.Response(status=left.pop(0), headers=named) if left else web.Response()

        self.behave = behave

    def hang(self) -> None:
        """Answer no event before the receiver is closed."""

        async def behave(_: Received) -> web.StreamResponse:
            await self.over.wait()
            return web.Response()

        self.behave = behave

    async def has(self, count: int) -> list[Received]:
        """Wait until `count` events came."""
        await until(lambda: len(self.events) >= count, f"{count} events came", every_s=0.005)
        return self.events

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Received(request.method, request.path_qs, headers, await request.read())
        if b'"validation_key"' in received.body:
            self.challenges.append(received)
            challenge = received.json["challenge"] if self.answers_challenges else "something else"
            return web.json_response({"challenge": challenge})
        self.events.append(received)
        return web.Response() if self.behave is None else await self.behave(received)


@asynccontextmanager
async def endpoint(address: str = "127.0.0.2") -> AsyncIterator[Endpoint]:
    """A receiver on a free port of `address`."""
    receiver = Endpoint()
    async with web_server(receiver.handle, address) as server:
        receiver.url = server.url("/calls")
        try:
            yield receiver
        finally:
            receiver.over.set()
