"""Limits that several dialers share: how many calls may start now, from what is stored of the last second.

Two rules at once. A bucket lets calls leave in sub-second slots, not in a burst a second; and no second,
wherever it begins, has more starts than the limit. `now` is Unix milliseconds of whichever dialer asks; a
clock that is set back must not stop a trunk, so what lies further ahead than clocks may differ is
forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf

SLOT_S = 0.1
"""Unused permission is saved for this long."""
_SECOND_MS = 1_000
_MOST_AHEAD_MS = 1_000
"""Starts noted further in the future than this were noted by a clock that was wrong, or is now."""
_FEW = 50
"""Up to this rate each start is noted with its millisecond; above it, by the end of a slot of _NOTED_MS: what
is stored stays short, and a second is at most a slot too long."""
_NOTED_MS = 20
_ROUNDING_MS = 1e-3
"""Unix milliseconds as a float are exact to 0.0002."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a trunk, a bridge or an account; None is unlimited."""

    calls_per_second: float | None = None
    max_concurrent: int | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of the starts so far."""

    next_at: float = 0.0
    """When the bucket is full again if nothing starts meanwhile, Unix milliseconds (the theoretical arrival
    time of the generic cell rate algorithm)."""
    starts: tuple[tuple[int, int], ...] = ()
    """(when, how many) of the last second, oldest first."""

    def free(self, limits: Limits, now: int, *, active: int) -> int | None:
        """Return how many calls may start at this moment, None for any number; `active` run already."""
        places = inf if limits.max_concurrent is None else limits.max_concurrent - active
        if limits.calls_per_second is not None:
            interval = _SECOND_MS / limits.calls_per_second
            next_at = self._next_at(now, interval, limits.calls_per_second)
            saved = _capacity(limits.calls_per_second) - (next_at - now) / interval
            started = sum(count for _, count in self._recent(now))
            places = min(
                places, int(saved + _ROUNDING_MS / interval), ceil(limits.calls_per_second) - started
            )
        return None if places == inf else max(0, int(places))

    def free_at(self, limits: Limits, now: int) -> int:
        """Return when the rate allows the next start, Unix milliseconds; `now` if it does already."""
        if limits.calls_per_second is None or self.free(Limits(limits.calls_per_second), now, active=0):
            return now
        interval = _SECOND_MS / limits.calls_per_second
        capacity = _capacity(limits.calls_per_second)
        by_bucket = self._next_at(now, interval, limits.calls_per_second) - (capacity - 1) * interval
        recent = self._recent(now)
        full = sum(count for _, count in recent) >= ceil(limits.calls_per_second)
        by_second = recent[0][0] + _SECOND_MS if full and recent else now
        return max(now + 1, ceil(by_bucket), by_second)

    def started(self, limits: Limits, now: int, count: int) -> "Pace":
        """Return the pace after `count` calls started."""
        if limits.calls_per_second is None or count == 0:
            return self
        interval = _SECOND_MS / limits.calls_per_second
        next_at = self._next_at(now, interval, limits.calls_per_second)
        at = now if limits.calls_per_second <= _FEW else -(-now // _NOTED_MS) * _NOTED_MS
        starts = list(self._recent(now))
        then = starts.pop()[1] if starts and starts[-1][0] == at else 0
        return Pace(next_at + count * interval, (*starts, (at, then + count)))

    def _next_at(self, now: int, interval: float, calls_per_second: float) -> float:
        furthest = now + _capacity(calls_per_second) * interval + _MOST_AHEAD_MS
        return max(float(now), self.next_at) if self.next_at <= furthest else float(now)

    def _recent(self, now: int) -> Sequence[tuple[int, int]]:
        return [each for each in self.starts if now - _SECOND_MS < each[0] <= now + _MOST_AHEAD_MS]


def _capacity(calls_per_second: float) -> float:
    return max(1.0, calls_per_second * SLOT_S)
