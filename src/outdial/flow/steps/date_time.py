"""``date_time``: what time is it there?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from outdial.flow.kinds import Choice, Many, Plain
from outdial.flow.problem import Place
from outdial.flow.settings import Object, setting
from outdial.flow.step import Exit, Leave, Outcome, Step, Visit
from outdial.flow.zones import ZONE, zone_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = Plain(r"([01]\d|2[0-3]):[0-5]\d|24:00", "a time such as 09:30")
_DAY = Plain(r"(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "a day such as 2026-12-24 or 12-25")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A time of day on some weekdays."""

    days: tuple[str, ...] = setting(Many(Choice(*WEEKDAYS), most=7), "The weekdays.", list(WEEKDAYS))
    from_: str = setting(_TIME, "Its beginning.", "00:00")
    to: str = setting(_TIME, "Its end; before its beginning, it is on the next day.", "24:00")

    def has(self, weekday: int, time: str) -> bool:
        """Whether a time lies in it."""
        today = WEEKDAYS[weekday] in self.days
        if self.from_ < self.to:
            return today and self.from_ <= time < self.to
        yesterday = WEEKDAYS[weekday - 1] in self.days
        return (today and time >= self.from_) or (yesterday and time < self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateTimeStep(Step):
    """Go on by the time that it is for the callee or in the account's time zone."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("open", "It is in one of the hours, and no holiday."),
        Exit("closed", "It is not."),
        Exit("holiday", "It is a holiday; a node without this exit leaves by `closed`.", optional=True),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "date_time",
        "settings": {
            "zone": "callee",
            "hours": [
                {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00"},
                {"days": ["sat"], "from": "10:00", "to": "13:00"},
            ],
            "holidays": ["01-01", "2026-04-03"],
        },
        "exits": {"open": "agent", "closed": "message", "holiday": "message"},
    }

    zone: str = setting(
        ZONE, "The time zone: `callee`, `account` or a name such as `Asia/Kolkata`.", "callee"
    )
    hours: tuple[Hours, ...] = setting(Many(Object(Hours)), "When it is open: `days`, `from`, `to`.")
    holidays: tuple[str, ...] = setting(
        Many(_DAY, least=0, most=200), "Days on which it is closed: of one year, or of every year.", []
    )

    def check(self, exits: frozenset[str], place: Place) -> None:
        """No hours are empty."""
        for position, each in enumerate(self.hours):
            if each.from_ == each.to:
                place.member("hours").member(position).note("must not end when they begin")

    def enter(self, visit: Visit) -> Outcome:
        """Look at the time."""
        here = datetime.fromtimestamp(visit.now / 1_000, UTC).astimezone(zone_of(self.zone, visit.variables))
        day = here.date().isoformat()
        if day in self.holidays or day[5:] in self.holidays:
            return Leave("holiday" if "holiday" in visit.exits else "closed")
        is_open = any(each.has(here.weekday(), f"{here:%H:%M}") for each in self.hours)
        return Leave("open" if is_open else "closed")


STEP = DateTimeStep
