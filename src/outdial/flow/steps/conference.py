"""``conference``: a room with several callees."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.actions import JoinConference, LeaveConference, StartTimer
from outdial.flow.events import ConferenceLeft, DigitPressed, Event, TimerFired
from outdial.flow.kinds import Flag, Keys, Seconds, Templated, Whole
from outdial.flow.prompt_kind import PROMPT
from outdial.flow.prompt_template import PromptTemplate
from outdial.flow.settings import setting
from outdial.flow.step import Exit, Leave, Outcome, Step, Visit, Wait
from outdial.flow.templates import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceStep(Step):
    """Put the callee into a room with others. Calls of one account whose rooms have the same name are in the
    same room."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("left", "The callee left by a key, or the time was over.", optional=True),
        Exit("ended", "The last moderator went.", optional=True),
        Exit("full", "The room had no place.", optional=True),
        Exit("failed", "The room could not be made; other exits left out lead here, too."),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "conference",
        "settings": {"room": "crisis-{{incident}}", "moderator": False, "most": 20, "leave_keys": "*"},
        "exits": {"left": "bye", "ended": "bye", "full": "sorry", "failed": "sorry"},
    }

    room: Template = setting(Templated(longest=200), "The name of the room.")
    moderator: bool = setting(Flag(), "The room is over when the last moderator goes.", False)
    wait_for_moderator: bool = setting(
        Flag(), "The callee hears the music, and nobody hears the callee, until a moderator has come.", False
    )
    muted: bool = setting(Flag(), "The callee only listens.", False)
    music: PromptTemplate | None = setting(PROMPT, "What a callee hears who is alone, or waits.", None)
    most: int = setting(Whole(2, 32), "How many the room holds.", 10)
    leave_keys: str = setting(Keys(), "The keys that leave it.", "")
    max_seconds: int | None = setting(Seconds(10, 14_400), "The callee is taken out after so long.", None)

    def enter(self, visit: Visit) -> Outcome:
        """Join."""
        room = visit.text(self.room).strip()
        if not room:
            visit.note("the room has no name")
            return Leave("failed")
        join = JoinConference(
            conference_id=visit.id("conference"),
            room=room,
            moderator=self.moderator,
            wait_for_moderator=self.wait_for_moderator,
            muted=self.muted,
            music=visit.prompt(self.music) if self.music else (),
            most=self.most,
        )
        longest = () if self.max_seconds is None else (StartTimer(visit.id("longest"), self.max_seconds),)
        return Wait((join, *longest))

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """Leave when asked, and go on when that is done."""
        match event:
            case DigitPressed(digit=digit) if digit in self.leave_keys:
                return Wait((LeaveConference(visit.id("conference")),))
            case TimerFired():
                return Wait((LeaveConference(visit.id("conference")),))
            case ConferenceLeft() if event.conference_id == visit.id("conference"):
                return Leave(event.outcome if event.outcome in visit.exits else "failed")
            case _:
                return None


STEP = ConferenceStep
