"""``record``: a message of the callee's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.actions import Play, Record, StartTimer, StopRecording
from outdial.flow.events import DigitPressed, Event, PlayFailed, PlayFinished, RecordingFinished, TimerFired
from outdial.flow.kinds import Flag, Keys, Seconds, Variable
from outdial.flow.prompt_kind import PROMPT
from outdial.flow.prompt_template import PromptTemplate
from outdial.flow.settings import setting
from outdial.flow.speakable import Beep
from outdial.flow.step import Exit, Leave, Outcome, Step, Visit, Wait
from outdial.flow.templates import VariableName

_PLAYING, _RECORDING, _STOPPING = "playing", "recording", "stopping"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStep(Step):
    """Record what the callee says: until a key, until silence, or until the time is over. The variable gets
    the reference of the recording, and `<variable>_seconds` its length. `{{recording@sound}}` in a prompt
    says it back, in the same call."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("next", "There is a recording."),
        Exit("empty", "It is shorter than `min_seconds`, or could not be kept."),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "record",
        "settings": {"prompt": "Please speak after the beep.", "variable": "message", "max_seconds": 60},
        "exits": {"next": "thanks", "empty": "bye"},
    }

    prompt: PromptTemplate | None = setting(PROMPT, "What is said before.", None)
    beep: bool = setting(Flag(), "Whether a beep follows.", True)
    variable: VariableName = setting(Variable(), "Where its reference is kept.", "recording")
    max_seconds: int = setting(Seconds(1, 3600), "How long it may become.", 120)
    min_seconds: int = setting(Seconds(0, 60), "A shorter one is empty.", 1)
    silence_seconds: int = setting(Seconds(0, 60), "It ends after so much silence; 0: never.", 5)
    stop_keys: str = setting(Keys(), "The keys that end it.", "#")

    def variables(self) -> tuple[str, ...]:
        """What it sets."""
        return (f"{self.variable}_seconds",)

    def enter(self, visit: Visit) -> Outcome:
        """Say what is to be said before."""
        prompt = () if self.prompt is None else visit.prompt(self.prompt)
        prompt = (*prompt, Beep()) if self.beep else prompt
        if not prompt:
            return self._record(visit)
        return Wait((Play(visit.id("prompt"), prompt),), {"doing": _PLAYING})

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """Record, then stop, then go on with what there is."""
        doing = visit.memory["doing"]
        match event:
            case PlayFinished() | PlayFailed() if doing == _PLAYING and event.play_id == visit.id("prompt"):
                if isinstance(event, PlayFailed):
                    visit.note(event.problem or "the prompt cannot be played")
                return self._record(visit)
            case DigitPressed(digit=digit) if doing == _RECORDING and digit in self.stop_keys:
                return self._stop(visit)
            case TimerFired() if doing == _RECORDING:
                return self._stop(visit)
            case RecordingFinished() if event.recording_id == visit.id("recording"):
                return self._keep(event)
            case _:
                return None

    def _record(self, visit: Visit) -> Outcome:
        record = Record(visit.id("recording"), self.silence_seconds or None)
        timer = StartTimer(visit.id("longest"), self.max_seconds)
        return Wait((record, timer), {"doing": _RECORDING})

    def _stop(self, visit: Visit) -> Outcome:
        return Wait((StopRecording(visit.id("recording")),), {"doing": _STOPPING})

    def _keep(self, event: RecordingFinished) -> Outcome:
        if not event.reference or event.duration_ms < self.min_seconds:
            return Leave("empty")
        seconds = round(event.duration_ms / 1_000, 1)
        return Leave(set={self.variable: event.reference, f"{self.variable}_seconds": seconds})


STEP = RecordStep
