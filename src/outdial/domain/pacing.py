"""Who may dial now: calls per second as a token bucket, calls at a time, and the trunk's back-off.

`now` is monotonic seconds, passed in. Nothing here knows the database: the dispatcher asks `free` before it
claims, tells `take` what it claimed, and `release` and `fault`/`success` as the calls go on.
"""

from dataclasses import dataclass, field

SLOT_S = 0.1
"""Unused permission is saved for this long: calls leave in sub-second slots, not in a burst a second."""

FAULTS_BEFORE_HOLD = 3
"""Consecutive trunk faults (nothing rang, answered or was refused between) before a trunk is held."""
_ROUNDING = 1e-9
"""Sums of floats fall short of whole tokens by less than this."""
FIRST_HOLD_S = 1.0
LONGEST_HOLD_S = 60.0


@dataclass(slots=True)
class TrunkPace:
    """The pacing state of one trunk in one dialer."""

    calls_per_second: float
    """More than 0."""
    max_concurrent: int
    filled_at: float
    """When `tokens` was last brought up to date."""
    tokens: float = 1.0
    active: int = 0
    """Calls taken and not released."""
    faults: int = 0
    """Consecutive ones."""
    held_until: float = field(default=float("-inf"))
    tried: bool = False
    """A call is on its way to find out whether the trunk takes calls again."""

    @property
    def failing(self) -> bool:
        """Whether nothing got through since the trunk was first held."""
        return self.faults >= FAULTS_BEFORE_HOLD

    def closed(self, now: float) -> bool:
        """Whether the trunk is given no calls at this moment because it failed."""
        return now < self.held_until or (self.failing and self.tried)

    @property
    def _capacity(self) -> float:
        return max(1.0, self.calls_per_second * SLOT_S)

    def _refill(self, now: float) -> None:
        if self.filled_at < self.held_until <= now:  # a hold is over: start from a single token
            self.tokens = min(self.tokens, 1.0)
            self.filled_at = self.held_until
        elapsed = max(0.0, now - self.filled_at)
        self.tokens = min(self._capacity, self.tokens + elapsed * self.calls_per_second)
        self.filled_at = max(self.filled_at, now)

    def limit(self, *, calls_per_second: float, max_concurrent: int, now: float) -> None:
        """Apply changed limits from now on; calls in progress stay counted."""
        self._refill(now)
        self.calls_per_second, self.max_concurrent = calls_per_second, max_concurrent
        self.tokens = min(self.tokens, self._capacity)

    def free(self, now: float) -> int:
        """Return how many calls may be dialled over this trunk at this moment."""
        if self.closed(now):
            return 0
        self._refill(now)
        most = max(0, min(int(self.tokens + _ROUNDING), self.max_concurrent - self.active))
        return min(most, 1) if self.failing else most

    def take(self, count: int, now: float) -> None:
        """Note that `count` calls, at most `free`, were claimed."""
        self._refill(now)
        self.tokens -= count
        self.active += count
        self.tried = self.failing

    def release(self) -> None:
        """Note that one call is over."""
        self.active -= 1
        self.tried = False

    def next_free_at(self, now: float) -> float | None:
        """Return when `free` may grow by time alone, or None if something must become of a call first."""
        if self.active >= self.max_concurrent or (self.failing and self.tried):
            return None
        if now < self.held_until:
            return self.held_until
        self._refill(now)
        return now if self.tokens + _ROUNDING >= 1.0 else now + (1.0 - self.tokens) / self.calls_per_second

    def success(self) -> None:
        """Note that the trunk took a call: it rang, was answered, or the callee's side refused it."""
        self.faults = 0
        self.held_until = float("-inf")
        self.tried = False

    def fault(self, now: float, retry_after_s: float | None = None) -> None:
        """Note that the trunk could not take a call; `retry_after_s` is its own word (RFC 3261 §20.33).

        From the third consecutive fault on, the trunk is held for 1, 2, 4 … 60 seconds; then one call
        tries it, and when that got through, calls start again at the bucket's pace from a single token.
        """
        self.faults += 1
        self.tried = False
        hold = 0.0 if retry_after_s is None else min(retry_after_s, LONGEST_HOLD_S)
        if self.faults >= FAULTS_BEFORE_HOLD:
            exponent = min(self.faults - FAULTS_BEFORE_HOLD, 16)
            hold = max(hold, min(LONGEST_HOLD_S, FIRST_HOLD_S * 2.0**exponent))
        if hold > 0.0:
            self._refill(now)
            self.held_until = max(self.held_until, now + hold)
