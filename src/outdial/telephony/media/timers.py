"""The worker's timers: a heap of times and what to do then."""

import heapq
from collections.abc import Callable
from itertools import count

Timer = Callable[[float], float | None]
"""Called with `now`; returns when to call it again, or None."""


class Timers:
    """Times are in seconds, monotonic. A timer ends by returning None, there is no cancelling."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._numbers = count()

    def add(self, when: float, timer: Timer) -> None:
        """Call ``timer`` at ``when``."""
        heapq.heappush(self._heap, (when, next(self._numbers), timer))

    @property
    def next_at(self) -> float | None:
        """When the next timer is due."""
        return self._heap[0][0] if self._heap else None

    def run_one(self, now: float) -> bool:
        """Call one timer that is due; False if none is."""
        if not self._heap or self._heap[0][0] > now:
            return False
        _, _, timer = heapq.heappop(self._heap)
        again = timer(now)
        if again is not None:
            self.add(again, timer)
        return True
