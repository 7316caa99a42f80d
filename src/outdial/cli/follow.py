"""Follow one call over HTTP until it is done: states and trace entries as they come."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from outdial.cli.client import ApiClient

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Progress:
    """What was new at one look: the call's status row and the trace entries that were not there before."""

    status: dict[str, Any]
    attempt: int
    entries: list[dict[str, Any]]

    @property
    def done(self) -> bool:
        """True once the call will never be dialled again."""
        return bool(self.status["state"] == "done")


async def follow(client: ApiClient, call_id: str, *, with_trace: bool = True) -> AsyncIterator[Progress]:
    """Look at the call again and again; yields whenever something changed, the last time when it is done."""
    seen: dict[int, int] = {}
    last = 1
    before = None
    while True:
        status = (await client.get("outgoing/callstatus", id=call_id))["data"]
        attempt = max((row["attempt"] for row in status["attempts"]), default=0)
        # Between two looks an attempt may have ended and the next one begun: its end is shown, too.
        for number in range(last, attempt + 1) if with_trace else ():
            trace = (await client.get("outgoing/trace", id=call_id, attempt=number))["data"]
            entries = trace["entries"][seen.get(number, 0) :]
            seen[number] = len(trace["entries"])
            if entries:
                yield Progress(status, number, entries)
                before = status
        last = max(last, attempt)
        if status != before:
            yield Progress(status, attempt, [])
        if status["state"] == "done":
            return
        before = status
        await asyncio.sleep(_POLL_S)
