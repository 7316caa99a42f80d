"""How long calls wait for sounds that cannot be had just now: ever longer, up to a minute."""

import asyncio
from dataclasses import dataclass

import structlog

_DELAYS_S = (2.0, 10.0, 30.0, 60.0)
_MOST_KNOWN = 10_000

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Outage:
    until: float
    tries: int = 0


class Outages:
    """What of the blob store is away, by what calls play; one object serves all of a dialer's calls.

    By monotonic time, so that a clock that is set makes nobody wait longer.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Outage] = {}

    def left_ms(self, what: str) -> int:
        """Return for how long nobody should ask for it; 0: it may be asked for."""
        known = self._known.get(what)
        return 0 if known is None else max(0, round(1000 * (known.until - _now())))

    def failed(self, what: str, problem: str) -> int:
        """Note that it could not be had, and return for how long nobody should ask again, milliseconds.

        Of several that asked at the same time the first counts.
        """
        if (left_ms := self.left_ms(what)) > 0:
            return left_ms
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        known = self._known.setdefault(what, _Outage(0.0))
        delay_s = _DELAYS_S[min(known.tries, len(_DELAYS_S) - 1)]
        known.until = _now() + delay_s
        known.tries += 1
        _log.warning("sounds_unavailable", of=what, problem=problem, tries=known.tries, retry_in_s=delay_s)
        return round(1000 * delay_s)

    def over(self, what: str) -> None:
        """It is there: the next outage begins anew."""
        if (known := self._known.pop(what, None)) is not None:
            _log.info("sounds_available_again", of=what, tries=known.tries)


def _now() -> float:
    return asyncio.get_running_loop().time()
