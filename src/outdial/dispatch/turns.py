"""Turns at something scarce, fair between accounts."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """At most `at_once` turns at a time, at most `of_one` of one account.

    Of those who wait, the account with the fewest turns is next, so that a thousand of one do not delay the
    first of another.
    """

    def __init__(self, at_once: int, of_one: int) -> None:
        self._free = at_once
        self._of_one = of_one
        self._running: Counter[int] = Counter()
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, account_id: int) -> AsyncIterator[None]:
        """Wait for a turn and hold it."""
        await self._begin(account_id)
        try:
            yield
        finally:
            self._end(account_id)

    async def _begin(self, account_id: int) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account_id, deque()).append(mine)
        self._serve()
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._end(account_id)
            raise

    def _end(self, account_id: int) -> None:
        self._free += 1
        self._running[account_id] -= 1
        if not self._running[account_id]:
            del self._running[account_id]
        self._serve()

    def _serve(self) -> None:
        while self._free:
            account_id = min(self._waiting, key=lambda each: self._running[each], default=None)
            if account_id is None or self._running[account_id] >= self._of_one:
                return
            queue = self._waiting.pop(account_id)
            mine = queue.popleft()
            if queue:
                self._waiting[account_id] = queue  # behind the other accounts
            if not mine.cancelled():
                self._free -= 1
                self._running[account_id] += 1
                mine.set_result(None)
