"""In which time zones a phone number may be: by its first digits, as phonenumbers' table has them."""

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers


@lru_cache(maxsize=4096)
def zones_of_number(digits: str) -> tuple[ZoneInfo, ...]:
    """Return the zones of a number with country code; none where the table knows nothing.

    Several for a mobile number of a country with several, and for freephone numbers.
    """
    # The table takes a while to import; only who has calling windows needs it.
    from phonenumbers import timezone

    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return ()
    found = _known(tuple(timezone.time_zones_for_number(number)))
    if found:
        return found
    # A range that is not assigned, as far as the library knows: anywhere in its country.
    country = phonenumbers.PhoneNumber(country_code=number.country_code, national_number=0)
    return _known(tuple(timezone.time_zones_for_geographical_number(country)))


@lru_cache(maxsize=1024)
def _known(names: tuple[str, ...]) -> tuple[ZoneInfo, ...]:
    zones = []
    for name in names:
        try:
            zones.append(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError, OSError):  # such as phonenumbers' own Etc/Unknown
            continue
    return tuple(zones)
