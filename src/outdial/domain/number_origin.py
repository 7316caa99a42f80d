"""Whose network a number was given out to, and where: what its first digits tell.

The tables are those of phonenumbers. Its own look-up keeps 98 MB in memory; of it we need the English names,
which take 27 MB with what importing leaves behind (measured). They are read once, at the first
question, which takes half a second: ask from a thread.
"""

import gc
import re
import sys
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import phonenumbers
from phonenumbers import carrier

_LANGUAGE = "en"
_LONGEST_PREFIX = 9
_REMEMBERED = 10_000
_CALLER = re.compile(r"\bcaller\b")


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a number; None where nothing is."""

    provider: str | None
    """The network that the range was given to; a number that was ported may be elsewhere by now."""
    region: str | None
    """The town or area of a landline, otherwise the country."""


NOWHERE = Origin(None, None)


def is_asked_by(text: str) -> bool:
    """Whether a text or a flow may ask where its callee comes from, as `{{caller.region}}` does.

    Others need not pay for it.
    """
    return _CALLER.search(text) is not None


@lru_cache(maxsize=_REMEMBERED)
def origin_of(digits: str) -> Origin:
    """Return where a number comes from, given as digits with country code; an empty one is of nowhere."""
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return NOWHERE
    provider = carrier.name_for_number(number, _LANGUAGE) or None
    return Origin(provider, _places().of(_without_mobile_token(number)) or _country(number))


def country_name(iso: str) -> str:
    """Return the English name of a country, empty for an unknown code."""
    return _places().countries.get(iso, "")


class _Places:
    """Prefixes in order, and for each the place that it belongs to."""

    def __init__(self) -> None:
        from phonenumbers.geodata import GEOCODE_DATA
        from phonenumbers.geodata.locale import LOCALE_DATA

        rows = sorted(
            (int(prefix), names[_LANGUAGE]) for prefix, names in GEOCODE_DATA.items() if _LANGUAGE in names
        )
        # In one text: names that stay where they were made would keep the memory around them.
        offsets: dict[str, int] = {}
        length = 0
        for _, name in rows:
            if name not in offsets:
                offsets[name] = length
                length += len(name) + 1
        self._names = "\n".join([*offsets, ""])
        self._prefixes = array("Q", (prefix for prefix, _ in rows))
        self._places = array("L", (offsets[name] for _, name in rows))
        self._countries = "\n".join(f"{iso}:{_english(names)}" for iso, names in LOCALE_DATA.items())

    @cached_property
    def countries(self) -> dict[str, str]:
        """Name by ISO code."""
        return dict(line.split(":") for line in self._countries.splitlines())

    def of(self, digits: str) -> str:
        """The place of the longest prefix of `digits` that is known, empty if none is."""
        for length in range(min(len(digits), _LONGEST_PREFIX), 0, -1):
            prefix = int(digits[:length])
            at = bisect_left(self._prefixes, prefix)
            if at < len(self._prefixes) and self._prefixes[at] == prefix:
                begin = self._places[at]
                return self._names[begin : self._names.index("\n", begin)]
        return ""


@cache
def _places() -> _Places:
    known = set(sys.modules)
    places = _Places()
    for name in set(sys.modules) - known:
        if name.startswith("phonenumbers.geodata"):
            sys.modules.pop(name, None)
    vars(phonenumbers).pop("geodata", None)
    gc.collect()  # modules refer to themselves
    return places


def _english(names: dict[str, str]) -> str:
    """A name may say in which other language it stands."""
    name = names.get(_LANGUAGE, "")
    return names.get(name[1:], "") if name.startswith("*") else name


def _without_mobile_token(number: phonenumbers.PhoneNumber) -> str:
    """Some countries put a digit before the area code of a mobile number (Argentina: 9)."""
    national = phonenumbers.national_significant_number(number)
    token = phonenumbers.country_mobile_token(number.country_code or 0)
    return f"{number.country_code}{national.removeprefix(token)}"


def _country(number: phonenumbers.PhoneNumber) -> str | None:
    iso = phonenumbers.region_code_for_number(number)
    return None if iso is None else _places().countries.get(iso) or None
