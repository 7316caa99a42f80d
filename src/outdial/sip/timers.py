"""Timer values of RFC 3261 §17 (table 4), RFC 6026 and the queue that runs them.

All values are seconds. Nothing here reads a clock: `now` is given.
"""

import heapq
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TimerValues:
    """The base timers; every other timer of SIP over UDP follows from them."""

    t1: float = 0.5
    """Estimate of the round trip (RFC 3261 §17.1.1.1)."""
    t2: float = 4.0
    """Longest retransmission interval of non-INVITE requests and INVITE responses."""
    t4: float = 5.0
    """Longest time that a message stays in the network."""

    @property
    def transaction_timeout(self) -> float:
        """Timers B, F, H, J, L and M: 64·T1."""
        return 64 * self.t1

    @property
    def wait_for_response_retransmits(self) -> float:
        """Timer D: at least 32 s over UDP."""
        return max(32.0, 64 * self.t1)


class TimerTarget(Protocol):
    """What a timer belongs to."""

    def on_timer(self, kind: object, now: float) -> None:
        """Take the timer of that kind, which is due at `now`."""
        ...


class Timer:
    """One armed timer; `cancel` is cheap and leaves no reference to the target behind."""

    __slots__ = ("at", "kind", "target")

    def __init__(self, at: float, target: TimerTarget, kind: object) -> None:
        self.at = at
        self.target: TimerTarget | None = target
        self.kind = kind


class TimerQueue:
    """All timers of one endpoint in one heap: an event loop needs only one wake-up for thousands of them.

    Cancelled timers stay in the heap as empty shells until they are due or outnumber the live ones.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._serial = 0
        self._cancelled = 0

    def __len__(self) -> int:
        """Count the timers that are armed."""
        return len(self._heap) - self._cancelled

    def start(self, at: float, target: TimerTarget, kind: object) -> Timer:
        """Arm a timer for time `at`."""
        timer = Timer(at, target, kind)
        self._serial += 1
        heapq.heappush(self._heap, (at, self._serial, timer))
        return timer

    def cancel(self, timer: Timer | None) -> None:
        """Disarm; None and timers that have run are accepted."""
        if timer is None or timer.target is None:
            return
        timer.target = None
        self._cancelled += 1
        if self._cancelled > 256 and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].target is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def next_at(self) -> float | None:
        """Return the time of the next armed timer, or None."""
        heap = self._heap
        while heap and heap[0][2].target is None:
            heapq.heappop(heap)
            self._cancelled -= 1
        return heap[0][0] if heap else None

    def run_due(self, now: float) -> int:
        """Run every timer that is due; returns how many ran."""
        ran = 0
        while True:
            at = self.next_at()
            if at is None or at > now:
                return ran
            timer = heapq.heappop(self._heap)[2]
            target, timer.target = timer.target, None
            if target is not None:
                ran += 1
                target.on_timer(timer.kind, now)
