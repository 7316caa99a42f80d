"""``confirm``: say something back and have it accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.asking import INVALID, TIMEOUT, Question, timed_out
from outdial.flow.events import Event
from outdial.flow.kinds import Flag, Keys, Seconds, Whole
from outdial.flow.problem import Place
from outdial.flow.prompt_kind import PROMPT
from outdial.flow.prompt_template import PromptTemplate
from outdial.flow.settings import setting
from outdial.flow.state import Memory
from outdial.flow.step import Exit, Leave, Outcome, Step, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmStep(Step):
    """Say something back: one key accepts it, another rejects it, and any other has it said again."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("accepted", "The key that accepts was pressed."),
        Exit("rejected", "The key that rejects was pressed."),
        Exit(INVALID, "Only other keys were pressed."),
        Exit(TIMEOUT, "No key was pressed in time."),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "confirm",
        "settings": {
            "prompt": "You entered {{pin@digits}}. If that is right, press 1. To change it, press 2."
        },
        "exits": {"accepted": "done", "rejected": "ask_again", "timeout": "bye"},
    }

    prompt: PromptTemplate = setting(PROMPT, "What is said back, with the keys to press.")
    accept: str = setting(Keys(1, 1), "The key that accepts.", "1")
    reject: str = setting(Keys(1, 1), "The key that rejects.", "2")
    timeout: int = setting(Seconds(1, 60), "Seconds to wait for a key after the prompt.", 5)
    repeats: int = setting(Whole(0, 10), "How often it is said again.", 2)
    barge_in: bool = setting(Flag(), "Keys stop the prompt; otherwise they count after it.", True)

    def check(self, exits: frozenset[str], place: Place) -> None:
        """Yes must not be no."""
        if self.accept == self.reject:
            place.member("reject").note("must be another key than the one that accepts")

    def takes_keys(self, memory: Memory) -> bool:
        """Always."""
        return True

    def enter(self, visit: Visit) -> Outcome:
        """Say it."""
        return self._question.ask(visit, 1)

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """Take the answer, or say it again."""
        if timed_out(event):
            return self._again(visit, TIMEOUT)
        key = self._question.hears(visit, event)
        if key is None:
            return self._question.over(visit, event)
        if key in (self.accept, self.reject):
            return Leave("accepted" if key == self.accept else "rejected", self._question.stop(visit))
        return self._again(visit, INVALID)

    def _again(self, visit: Visit, reason: str) -> Outcome:
        tries = int(visit.memory["try"])
        if tries > self.repeats:
            return Leave(reason, self._question.stop(visit))
        return self._question.ask(visit, tries + 1)

    @property
    def _question(self) -> Question:
        return Question(self.prompt, self.barge_in, self.timeout)


STEP = ConfirmStep
