"""What menus, inputs and confirmations share: a question, keys, and another try.

A question is played, keys may stop it, and when it is over the callee has so many seconds. Each time that
nothing usable came it is asked again, after a word on what was wrong, until the tries are used up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from outdial.flow.actions import Action, Play, StartTimer, StopPlay
from outdial.flow.events import DigitPressed, Event, PlayFailed, PlayFinished, TimerFired
from outdial.flow.prompt_template import PromptTemplate
from outdial.flow.step import Visit, Wait

INVALID = "invalid"
TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how."""

    prompt: PromptTemplate
    barge_in: bool
    first_ms: int
    """How long to wait for the first key, from the end of the prompt."""

    def ask(self, visit: Visit, tries: int, apology: PromptTemplate | None = None) -> Wait:
        """Play the question for the ``tries``-th time, after what was wrong with the last answer."""
        before = () if apology is None else visit.prompt(apology)
        prompt = before + visit.prompt(self.prompt)
        memory: dict[str, str | int] = {"try": tries, "keys": "", "playing": 1}
        if not prompt:
            return self.wait(visit, {**memory, "playing": 0})
        return Wait((Play(visit.id(tries), prompt, self.barge_in),), memory)

    def wait(self, visit: Visit, memory: Mapping[str, str | int]) -> Wait:
        """Nothing plays any more: from now the time runs."""
        timer = StartTimer(visit.id(f"{memory['try']}/first"), self.first_ms)
        return Wait((timer,), {**memory, "playing": 0})

    def over(self, visit: Visit, event: Event) -> Wait | None:
        """What to do at the end of the prompt: wait, unless keys have come already."""
        if not isinstance(event, PlayFinished | PlayFailed) or event.play_id != visit.id(visit.memory["try"]):
            return None
        if isinstance(event, PlayFailed):
            visit.note(event.problem or "the prompt cannot be played")
        if visit.memory["keys"] or not visit.memory["playing"]:
            return None
        return self.wait(visit, visit.memory)

    def hears(self, visit: Visit, event: Event) -> str | None:
        """The key that was pressed, if keys count at this moment."""
        if not isinstance(event, DigitPressed) or (visit.memory["playing"] and not self.barge_in):
            return None
        return event.digit

    def stop(self, visit: Visit) -> tuple[Action, ...]:
        """Make sure that the prompt is silent."""
        return (StopPlay(visit.id(visit.memory["try"])),) if visit.memory["playing"] else ()


def timed_out(event: Event) -> bool:
    """Whether the time is over. The engine lets only timers of this visit through."""
    return isinstance(event, TimerFired)
