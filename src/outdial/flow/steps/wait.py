"""``wait``: silence for a while."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.actions import StartTimer
from outdial.flow.events import Event, TimerFired
from outdial.flow.kinds import Seconds
from outdial.flow.settings import setting
from outdial.flow.step import Leave, Outcome, Step, Visit, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStep(Step):
    """Be silent for a while. Keys change nothing."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "wait",
        "settings": {"seconds": 2},
        "exits": {"next": "welcome"},
    }

    seconds: int = setting(Seconds(0.1, 600), "How long.")

    def enter(self, visit: Visit) -> Outcome:
        """Begin to wait."""
        return Wait((StartTimer(visit.id("wait"), self.seconds),))

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """Go on when the time is over."""
        return Leave() if isinstance(event, TimerFired) else None


STEP = WaitStep
