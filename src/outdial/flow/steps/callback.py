"""``callback``: call again at a time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from outdial.flow.actions import RequestCallback
from outdial.flow.events import CallbackSet, Event
from outdial.flow.kinds import Templated, Whole
from outdial.flow.problem import Place
from outdial.flow.settings import setting
from outdial.flow.step import Exit, Leave, Outcome, Step, Visit, Wait
from outdial.flow.templates import Template
from outdial.flow.zones import ZONE, zone_of

_MS_PER_MINUTE = 60_000
_MOST_MINUTES = 60 * 24 * 30
_TIME_OF_DAY = re.compile(r"(?P<hour>[01]?\d(?=:)|[01]\d|2[0-3]):?(?P<minute>[0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackStep(Step):
    """Ask for a new call to the same callee, after so many minutes or at a time. It runs the same version of
    the flow, is placed within the calling hours, and not before this call is over."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("next", "It is asked for."),
        Exit(
            "failed",
            "The time is none, is over, or is more than 30 days away; or the balance does not cover it.",
        ),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "callback",
        "settings": {"after_minutes": 60},
        "exits": {"next": "bye", "failed": "bye"},
    }

    after_minutes: int | None = setting(Whole(1, _MOST_MINUTES), "In so many minutes.", None)
    time: Template | None = setting(
        Templated(longest=200),
        "Or at this time: `2026-03-01 09:30`, or `09:30` for the next time that it is so late.",
        None,
    )
    zone: str = setting(ZONE, "The time zone of `time`: `callee`, `account` or a name.", "callee")

    def check(self, exits: frozenset[str], place: Place) -> None:
        """One of both is given."""
        if (self.after_minutes is None) == (self.time is None):
            place.note("must have either after_minutes or time")

    def enter(self, visit: Visit) -> Outcome:
        """Ask for it."""
        at = self._at(visit)
        if at is None or not visit.now < at <= visit.now + _MOST_MINUTES * _MS_PER_MINUTE:
            return Leave("failed")
        return Wait((RequestCallback(visit.id("callback"), at),))

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """Go on when it is promised."""
        match event:
            case CallbackSet() if event.callback_id == visit.id("callback"):
                if event.problem:
                    visit.note(event.problem)
                    return Leave("failed")
                return Leave()
            case _:
                return None

    def _at(self, visit: Visit) -> int | None:
        if self.time is None:
            return visit.now + (self.after_minutes or 0) * _MS_PER_MINUTE
        here = datetime.fromtimestamp(visit.now / 1_000, UTC).astimezone(zone_of(self.zone, visit.variables))
        text = visit.text(self.time).strip()
        if found := _TIME_OF_DAY.fullmatch(text):
            today = here.replace(
                hour=int(found["hour"]), minute=int(found["minute"]), second=0, microsecond=0
            )
            days = (_milliseconds(today + timedelta(days=each)) for each in range(2))
            return next(at for at in days if at > visit.now)
        try:
            wanted = datetime.fromisoformat(text)
        except ValueError:
            return None
        return _milliseconds(wanted if wanted.tzinfo else wanted.replace(tzinfo=here.tzinfo))


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000)


STEP = CallbackStep
