"""Times in requests: as the family writes them, in the time zone of the account."""

from datetime import datetime

from outdial.api.local_time import current_zone

_LATEST_YEAR = 2100


def read_time(name: str, text: str) -> int:
    """Unix milliseconds of `2019-08-16 15:09:51`, also without seconds, or of ISO 8601 with an offset.

    Raises ValueError with a sentence.
    """
    try:
        found = datetime.fromisoformat(text)
        at = found if found.tzinfo is not None else found.replace(tzinfo=current_zone())
        seconds = at.timestamp() if 1971 <= at.year <= _LATEST_YEAR and ":" in text else None
    except (ValueError, OverflowError):
        seconds = None
    if seconds is None:
        raise ValueError(
            f"{name} should be a time as in 2019-08-16 15:09:51 (in the account's time zone,"
            f" {current_zone().key}), not {text[:40]!r}."
        )
    return round(seconds * 1000)
