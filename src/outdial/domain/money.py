"""Money as people write it: decimals with at most four places. Inside it is a whole number of units.

A unit is a ten-thousandth of the currency, so that no sum is ever rounded.
"""

import re

from outdial.errors import InvalidInput

UNITS = 10_000
"""Units in one of the currency."""
LARGEST = 10**15
"""Units; any sum of so many fits the database's 64 bits."""

_DECIMAL = re.compile(r"([+-]?)([0-9]{1,12})(?:\.([0-9]{1,4}))?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def to_text(units: int) -> str:
    """Write units with four places: 5000 is `0.5000`."""
    whole, rest = divmod(abs(units), UNITS)
    return f"{'-' if units < 0 else ''}{whole}.{rest:04}"


def parse_units(text: str, what: str) -> int:
    """Read a decimal; `what` names it in the error. Raises InvalidInput."""
    found = _DECIMAL.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(
            f"{what} should be a decimal number with at most four places, such as 0.5000,"
            f" not {text.strip()[:40]!r}."
        )
    sign, whole, places = found.groups()
    units = int(whole) * UNITS + int((places or "").ljust(4, "0"))
    if units > LARGEST:
        raise InvalidInput(f"{what} is larger than {to_text(LARGEST)}.")
    return -units if sign == "-" else units


def parse_currency(text: str) -> str:
    """Read a currency's ISO 4217 code. Raises InvalidInput."""
    code = text.strip().upper()
    if _CURRENCY.fullmatch(code) is None:
        raise InvalidInput(f"A currency is three letters, such as USD, not {text.strip()[:40]!r}.")
    return code
