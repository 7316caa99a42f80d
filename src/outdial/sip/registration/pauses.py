"""How long to wait: before a refresh, and before the next try after a failure.

The doubling and its jitter are those of RFC 5626 §4.5, with times for one trunk that calls wait for.
"""

SHORTEST_GRANT_S = 20
"""A registrar that grants less is not asked more often for it."""
REFRESH_AFTER = 0.5
"""The part of the granted time after which it is asked again: the rest is for a registrar that is away."""
_JITTER = 0.2

_FIRST_S, _LONGEST_S = 4.0, 120.0
"""After silence or a fault of the registrar's."""
_FIRST_REFUSED_S, _LONGEST_REFUSED_S = 30.0, 900.0
"""After a refusal: many wrong logins in a row lock an account, and the calls of all who share it."""
_LONGEST_RETRY_AFTER_S = 3600.0


def refresh_after_s(granted_s: float, random: float) -> float:
    """Return when to ask again; `random`, from 0 to 1, spreads what was registered at the same moment."""
    return granted_s * REFRESH_AFTER * (1 - _JITTER * random)


def retry_after_s(failures: int, *, refused: bool, wanted_s: int | None, random: float) -> float:
    """Return the pause after that many failures in a row, never less than the registrar's Retry-After.

    An hour is the longest that a Retry-After is believed.
    """
    first, longest = (_FIRST_REFUSED_S, _LONGEST_REFUSED_S) if refused else (_FIRST_S, _LONGEST_S)
    pause = min(longest, first * 2.0 ** min(failures - 1, 16)) * (0.5 + random / 2)
    return max(pause, min(wanted_s or 0, _LONGEST_RETRY_AFTER_S) * (1 + _JITTER * random))
