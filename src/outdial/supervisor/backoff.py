"""How long to wait before a fallen process is started again."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Exponential delays with full jitter on the upper half; a process that stood long enough starts over.

    The jitter keeps roles that fell together (a database restart) from coming back together.
    """

    first_s: float = 0.2
    most_s: float = 30.0
    steady_s: float = 60.0
    _falls: int = 0

    def next_delay(self, *, stood_for_s: float, random: Callable[[], float]) -> float:
        """Seconds to wait now, given how long the process stood; `random` returns [0, 1)."""
        if stood_for_s >= self.steady_s:
            self._falls = 0
        ceiling = min(self.most_s, self.first_s * 2.0 ** min(self._falls, 20))
        self._falls += 1
        return ceiling * (0.5 + random() / 2)
