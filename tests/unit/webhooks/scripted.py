"""An HTTP client that answers as told, and keeps what it was asked."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from multidict import CIMultiDict, CIMultiDictProxy

from outdial.egress.message import Answer, EgressRequest

Reply = Callable[[EgressRequest], Awaitable[Answer]]


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, reason="", headers=CIMultiDictProxy(CIMultiDict(named)), body=body)


class ScriptedClient:
    """Answers 200 to everything unless `reply` says otherwise."""

    def __init__(self, reply: Reply | None = None) -> None:
        self.reply = reply
        self.requests: list[EgressRequest] = []
        self.at_once = 0
        self.most_at_once: dict[str, int] = {}

    async def fetch(self, request: EgressRequest, *, most_bytes: int) -> Answer:
        self.requests.append(request)
        self.at_once += 1
        await asyncio.sleep(0)
        try:
            found = answer() if self.reply is None else await self.reply(request)
        finally:
            self.at_once -= 1
        assert len(found.body) <= most_bytes
        return found

    @property
    def sequences(self) -> list[tuple[str, int]]:
        """Call and sequence of each request, in the order in which they came."""
        bodies = [json.loads(request.body or b"{}") for request in self.requests]
        return [(body["id"], body["sequence"]) for body in bodies]
