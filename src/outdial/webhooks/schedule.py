"""When an event that was not taken is tried again. Pure: random numbers and the time are given."""

from email.utils import parsedate_to_datetime

_FIRST_MS = 5_000
_FACTOR = 3
_LONGEST_MS = 6 * 60 * 60 * 1000
MOST_RETRY_AFTER_MS = 6 * 60 * 60 * 1000
"""An endpoint may ask for so much time, so that a wrong header does not silence it for a year."""


def next_try(
    *, tries: int, now: int, expires_at: int, retry_after_ms: int | None, random: float
) -> int | None:
    """Return when an event is due again after `tries` tries, Unix milliseconds; None to give it up.

    5 s, 15 s, 45 s and so on up to 6 hours, each between half of that and all of it, chosen by `random` from
    0 to 1; not before the endpoint asked for. The last try is at `expires_at`.
    """
    if now >= expires_at:
        return None
    ceiling = min(_LONGEST_MS, _FIRST_MS * _FACTOR ** min(tries - 1, 20))
    delay = max(int(ceiling * (0.5 + random / 2)), retry_after_ms or 0)
    return min(now + delay, expires_at)


def retry_after_ms(value: str | None, *, now: int) -> int | None:
    """Return a `Retry-After` header as milliseconds from now, bounded; None without a usable one.

    RFC 9110 §10.2.3: seconds or a date.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        wanted = int(text[:12]) * 1000
    else:
        try:
            wanted = int(parsedate_to_datetime(text).timestamp() * 1000) - now
        except (ValueError, OverflowError):
            return None
    return min(max(wanted, 0), MOST_RETRY_AFTER_MS)
