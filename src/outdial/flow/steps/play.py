"""``play``: say or play something, then go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.actions import Action, MaskDigits, Play, StopPlay
from outdial.flow.events import DigitPressed, Event, PlayFailed, PlayFinished
from outdial.flow.kinds import Flag, Whole
from outdial.flow.prompt_kind import PROMPT
from outdial.flow.prompt_template import PromptTemplate
from outdial.flow.settings import setting
from outdial.flow.state import SOUND_MISSING
from outdial.flow.step import End, Exit, Leave, Outcome, Step, Visit, Wait

_MOST_TIMES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayStep(Step):
    """Say or play something, then go on. A prompt that cannot be played leads to `failed`; a node without
    that exit ends the call with the result `sound_missing`."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("next", "It was played, or a key stopped it."),
        Exit("failed", "A sound was missing, or a text could not be spoken.", optional=True),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "play",
        "settings": {"prompt": ["Hello {{name}}. Your code is {{otp@digits}}.", {"pause": 0.5}], "times": 2},
        "exits": {"next": "bye"},
    }

    prompt: PromptTemplate = setting(PROMPT, "What is played.")
    times: int = setting(Whole(1, _MOST_TIMES), "How often it is played.", 1)
    barge_in: bool = setting(
        Flag(), "Any key stops it, and the flow goes on; the key counts for the question that follows.", False
    )

    def enter(self, visit: Visit) -> Outcome:
        """Start the first play."""
        return self._play(visit, 1)

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """Play again or go on, once the play that was asked for is over."""
        playing = int(visit.memory["playing"])
        match event:
            case PlayFinished(play_id=play_id) if play_id == visit.id(playing):
                again = playing < self.times and (event.completed or not self.barge_in)
                return self._play(visit, playing + 1) if again else Leave(actions=self._mask(visit, False))
            case DigitPressed() if self.barge_in:
                actions = (StopPlay(visit.id(playing)), *self._mask(visit, False))
                return Leave(actions=actions, passes_key=True)
            case PlayFailed(play_id=play_id) if play_id == visit.id(playing):
                visit.note(event.problem or "the prompt cannot be played")
                if "failed" in visit.exits:
                    return Leave("failed", self._mask(visit, False))
                return End(SOUND_MISSING)
            case _:
                return None

    def _play(self, visit: Visit, playing: int) -> Outcome:
        prompt = visit.prompt(self.prompt)
        if not prompt:
            return Leave()
        play = Play(visit.id(playing), prompt, self.barge_in)
        return Wait((*self._mask(visit, True), play), memory={"playing": playing})

    def _mask(self, visit: Visit, masked: bool) -> tuple[Action, ...]:
        """A key that stops the prompt is the first of the answer, which may be a secret."""
        return (MaskDigits(masked),) if self.barge_in and visit.secret_follows else ()


STEP = PlayStep
