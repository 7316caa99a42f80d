"""``play``: play a stored sound, then go on. Keys that the callee presses meanwhile do not stop it."""

from dataclasses import dataclass
from typing import Self

from outdial.flow.actions import PlaySound
from outdial.flow.events import Event, PlayFailed, PlayFinished
from outdial.flow.fields import Fields
from outdial.flow.state import SOUND_MISSING
from outdial.flow.step import End, GoTo, Outcome, Visit, Wait

_MOST_TIMES = 10


@dataclass(frozen=True, slots=True)
class PlayStep:
    """Play ``sound`` as many ``times`` as asked, then go to ``next``; a sound that cannot be played ends the
    flow."""

    sound: str
    """The id of a stored sound."""
    times: int
    """How often it is played, 1 to 10; 1 unless given."""
    next: str | None
    """The node to go to; the flow ends as completed without one."""

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        """Read ``sound``, ``times`` and ``next``."""
        return cls(
            sound=fields.text("sound"),
            times=fields.integer("times", default=1, minimum=1, maximum=_MOST_TIMES),
            next=fields.node("next"),
        )

    def enter(self, visit: Visit) -> Outcome:
        """Start the first play."""
        return self._play(visit, 1)

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """Play again or go on, once the play that was asked for is over."""
        playing = int(visit.memory["playing"])
        match event:
            case PlayFinished(play_id=play_id) if play_id == _play_id(visit, playing):
                return self._play(visit, playing + 1) if playing < self.times else GoTo(self.next)
            case PlayFailed(play_id=play_id) if play_id == _play_id(visit, playing):
                return End(SOUND_MISSING)
            case _:
                return None

    def _play(self, visit: Visit, playing: int) -> Outcome:
        return Wait((PlaySound(_play_id(visit, playing), self.sound),), memory={"playing": playing})


def _play_id(visit: Visit, playing: int) -> str:
    return f"{visit.node}/{visit.number}/{playing}"


STEP = PlayStep
