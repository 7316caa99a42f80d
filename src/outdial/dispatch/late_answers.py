"""Answers that came too late, until they are on disk: nobody who answered is called again.

Nobody waits for them, because their attempts are over, and none may be lost because the database is away.
"""

import asyncio
from collections import deque

import structlog

from outdial.dispatch.ports import Store
from outdial.domain.call import Lease
from outdial.errors import DatabaseUnavailable
from outdial.storage import endings

_AGAIN_S = 1.0

_log = structlog.get_logger(__name__)


class LateAnswers:
    """Of all calls of a dialer, in the order in which they came."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unwritten: deque[tuple[Lease, int]] = deque()
        self._noted = asyncio.Event()

    def note(self, lease: Lease, at: int) -> None:
        """Somebody picked up at `at`, Unix milliseconds, when this attempt had ended without an answer."""
        self._unwritten.append((lease, at))
        self._noted.set()

    async def keep_writing(self) -> None:
        """Write what is noted, again and again until it is on disk, until cancelled."""
        while True:
            await self._noted.wait()
            self._noted.clear()
            if not await self.write():
                await asyncio.sleep(_AGAIN_S)
                self._noted.set()

    async def write(self) -> bool:
        """Write all that is noted; False if the database is away."""
        while self._unwritten:
            lease, at = self._unwritten[0]
            try:
                await self._store.run(endings.answered_late, lease, now=at)
            except DatabaseUnavailable as error:
                _log.warning("late_answer_waits_for_database", call_id=lease.call_id, error=str(error))
                return False
            self._unwritten.popleft()
        return True
