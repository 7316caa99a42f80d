"""When callees may be called: hours by weekday, days on which nobody is called, and whose clock counts.

As a person writes it, parts with semicolons between::

    mon-fri 09:00-12:00, 13:00-18:00; sat 10-14; not 2026-12-25, 12-24..01-02; zone account

A day that no part names has no hours; hours without days hold daily; `always` is all of every day. `not`
names dates, those without a year in every year. The zone is the callee's where nothing else is said: a number
that may be in several zones is called when the window is open in all of them. Local time is what counts, also
on the days on which clocks are changed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outdial.domain.number_zone import zones_of_number
from outdial.errors import InvalidInput

CALLEE, ACCOUNT = "callee", "account"

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAILY = frozenset({"daily", "every", "day"})
_DASHES = str.maketrans("–—", "--")
_HOURS = re.compile(r"(\d{1,2})(?::(\d\d))?-(\d{1,2})(?::(\d\d))?")
_DATE = re.compile(r"(?:(\d{4})-)?(\d\d)-(\d\d)")
_DAY_MINUTES = 24 * 60
_MINUTE_MS = 60_000
_DAY_MS = _DAY_MINUTES * _MINUTE_MS
_LEAP_YEAR = 2000
LONGEST = 500
"""Characters of a window."""
FARTHEST_DAYS = 370
"""An opening is looked for this far ahead."""
_TOGETHER_DAYS = 15
"""And, in several zones at once, this far: what is not open in all of them by then never is."""

_EXAMPLE = "as in mon-fri 09:00-18:00; sat 10:00-14:00; not 2026-12-25; zone callee"


@dataclass(frozen=True, slots=True)
class Dates:
    """A date, or several in a row, on which nobody is called."""

    first: date
    last: date
    yearly: bool = False
    """Of every year; `first` and `last` are then in a leap year, and `last` may come before `first`."""

    def __contains__(self, day: date) -> bool:
        if not self.yearly:
            return self.first <= day <= self.last
        day = day.replace(year=_LEAP_YEAR)
        if self.first <= self.last:
            return self.first <= day <= self.last
        return day >= self.first or day <= self.last


@dataclass(frozen=True, slots=True)
class CallingWindow:
    """A window that has hours on at least one day."""

    hours: tuple[tuple[tuple[int, int], ...], ...]
    """For each weekday, Monday first: (from, until) in minutes of the day, in order, without overlaps."""
    closed: tuple[Dates, ...] = ()
    zone: str = CALLEE
    """CALLEE, ACCOUNT or an IANA name."""

    @classmethod
    def parse(cls, text: str) -> "CallingWindow":
        """Read a window. Raises InvalidInput with a sentence that names what is wrong."""
        return _parse(" ".join(text.translate(_DASHES).split()))

    def opening(self, now: int, *, to: str, account_zone: ZoneInfo) -> int:
        """Return when `to` may be called, Unix milliseconds: `now` if the window is open."""
        return self.opening_in(self.zones(to, account_zone), now, account_zone=account_zone)

    def zones(self, to: str, account_zone: ZoneInfo) -> tuple[ZoneInfo, ...]:
        """Return the zones whose clocks count for a number: all of them."""
        if self.zone == CALLEE:
            return zones_of_number(to) or (account_zone,)
        return (account_zone,) if self.zone == ACCOUNT else (ZoneInfo(self.zone),)

    def opening_in(self, zones: tuple[ZoneInfo, ...], now: int, *, account_zone: ZoneInfo) -> int:
        """Return when a number of these zones may be called.

        Where there is no common opening in all of them, the account's zone counts.
        """
        found = self.next_open(now, zones)
        if found is None and len(zones) > 1:
            found = self.next_open(now, (account_zone,))
        return now + FARTHEST_DAYS * _DAY_MS if found is None else found

    def next_open(self, now: int, zones: Sequence[ZoneInfo]) -> int | None:
        """Return the first moment from `now` on at which it is open in all of `zones`."""
        farthest = now + (FARTHEST_DAYS if len(zones) == 1 else _TOGETHER_DAYS) * _DAY_MS
        at = now
        while at <= farthest:
            later = at
            for zone in zones:
                found = self._next_open_in(later, zone, farthest)
                if found is None:
                    return None
                later = found
            if later == at:
                return at
            at = later
        return None

    def is_open(self, at: int, zone: ZoneInfo) -> bool:
        """Tell whether it is open at a moment, Unix milliseconds, in one zone."""
        local = datetime.fromtimestamp(at / 1000, zone)
        minute = local.hour * 60 + local.minute
        return any(first <= minute < until for first, until in self.hours[local.weekday()]) and not any(
            local.date() in dates for dates in self.closed
        )

    def _next_open_in(self, at: int, zone: ZoneInfo, farthest: int) -> int | None:
        if self.is_open(at, zone):
            return at
        today = datetime.fromtimestamp(at / 1000, zone).date()
        for day in (today + timedelta(days=ahead) for ahead in range(FARTHEST_DAYS + 1)):
            for moment in sorted(self._moments(day, zone)):
                if moment > farthest:
                    return None
                if moment > at and self.is_open(moment, zone):
                    return moment
        return None

    def _moments(self, day: date, zone: ZoneInfo) -> Iterator[int]:
        """When it may open on a local date: where hours begin, and where clocks are changed."""
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local time, whatever the zone makes of it
        for first, _ in self.hours[day.weekday()]:
            local = midnight + timedelta(minutes=first)
            for fold in (0, 1):  # an hour that comes twice opens twice
                at = local.replace(tzinfo=zone, fold=fold).timestamp()
                if datetime.fromtimestamp(at, zone).replace(tzinfo=None) == local:
                    yield round(at * 1000)
        before, after = (
            round(each.replace(tzinfo=zone).timestamp() / 60) for each in (midnight, midnight + timedelta(1))
        )
        changed = _offset(after, zone)
        if _offset(before, zone) != changed:
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (before, middle) if _offset(middle, zone) == changed else (middle, after)
            yield after * _MINUTE_MS


def _offset(minute: int, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(minute * 60, zone).utcoffset()


@lru_cache(maxsize=1024)
def _parse(text: str) -> CallingWindow:
    if len(text) > LONGEST:
        raise InvalidInput(f"calling_window is {len(text)} characters long; {LONGEST} are accepted.")
    hours: list[list[tuple[int, int]]] = [[] for _ in _DAYS]
    closed: list[Dates] = []
    zone = CALLEE
    for part in filter(None, (each.strip() for each in text.lower().split(";"))):
        words = [word for word in re.split(r"[\s,]+", part) if word]
        first, others = (words[0], words[1:]) if words else ("", [])
        if first == "not" and others:
            closed += [_dates(word) for word in others]
        elif first == "zone" and len(others) == 1:
            zone = _zone(text[text.lower().index(part) :].split()[1].rstrip(";"))
        else:
            _add_hours(hours, words, part)
    if not any(hours):
        raise InvalidInput(f"calling_window names no hours: {_EXAMPLE}.")
    return CallingWindow(tuple(tuple(sorted(each)) for each in hours), tuple(closed), zone)


def _add_hours(hours: list[list[tuple[int, int]]], words: list[str], part: str) -> None:
    if words == ["always"]:
        words = ["00:00-24:00"]
    named = [word for word in words if not word[0].isdigit()]
    ranges = [_hours(word) for word in words if word[0].isdigit()]
    if not ranges:
        raise InvalidInput(f"calling_window: {part!r} names no hours, {_EXAMPLE}.")
    for day in sorted({day for word in named for day in _days(word)}) if named else range(len(_DAYS)):
        hours[day] += ranges
        for (_, until), (first, _) in pairwise(sorted(hours[day])):
            if first < until:
                raise InvalidInput(f"calling_window: two of the hours of {_DAYS[day]} overlap.")


def _days(word: str) -> Iterator[int]:
    if word in _DAILY:
        yield from range(len(_DAYS))
        return
    names = [name[:3] for name in word.split("-")]
    if len(names) > 2 or not all(name in _DAYS for name in names):
        raise InvalidInput(
            f"calling_window: {word!r} is no weekday: write mon, tue, wed, thu, fri, sat or sun, {_EXAMPLE}."
        )
    first, last = _DAYS.index(names[0]), _DAYS.index(names[-1])
    yield from (day % len(_DAYS) for day in range(first, (last if last >= first else last + len(_DAYS)) + 1))


def _hours(word: str) -> tuple[int, int]:
    found = _HOURS.fullmatch(word)
    if found is None:
        raise InvalidInput(f"calling_window: {word!r} are no hours: write them as 09:00-18:00.")
    first, until = (int(found[n]) * 60 + int(found[n + 1] or 0) for n in (1, 3))
    if any(int(found[n] or 0) > 59 for n in (2, 4)) or max(first, until) > _DAY_MINUTES:
        raise InvalidInput(f"calling_window: {word!r} is not a time of a day: it goes from 00:00 to 24:00.")
    if first >= until:
        raise InvalidInput(
            f"calling_window: {word!r} ends before it begins: hours over midnight are two,"
            " as in mon 22:00-24:00; tue 00:00-02:00."
        )
    return first, until


def _dates(word: str) -> Dates:
    found = [_DATE.fullmatch(each) for each in word.split("..")]
    days = [_day(each) for each in found if each is not None]
    if len(found) > 2 or len(days) != len(found) or None in days or len({day[1] for day in days if day}) > 1:
        raise InvalidInput(
            f"calling_window: {word!r} is no date: write 2026-12-25, 2026-12-24..2027-01-02, or 12-25 for"
            " every year."
        )
    (first, yearly), (last, _) = [day for day in (days[0], days[-1]) if day is not None]
    if last < first and not yearly:
        raise InvalidInput(f"calling_window: {word!r} ends before it begins.")
    return Dates(first, last, yearly)


def _day(found: re.Match[str]) -> tuple[date, bool] | None:
    try:
        return date(int(found[1] or _LEAP_YEAR), int(found[2]), int(found[3])), found[1] is None
    except ValueError:
        return None


def _zone(name: str) -> str:
    if name.lower() in (CALLEE, ACCOUNT):
        return name.lower()
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            f"calling_window: the zone should be callee, account or a name such as Asia/Kolkata,"
            f" not {name!r}."
        ) from None
    return name
