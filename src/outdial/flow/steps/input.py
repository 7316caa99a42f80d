"""``input``: digits that the callee enters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.actions import Action, MaskDigits, StartTimer
from outdial.flow.asking import INVALID, TIMEOUT, Question, timed_out
from outdial.flow.digit_pattern import DigitPattern
from outdial.flow.events import Event
from outdial.flow.kinds import Flag, Keys, Seconds, Variable, Whole
from outdial.flow.problem import Place
from outdial.flow.prompt_kind import PROMPT
from outdial.flow.prompt_template import PromptTemplate
from outdial.flow.settings import setting
from outdial.flow.state import Memory
from outdial.flow.step import Exit, Leave, Outcome, Step, Visit, Wait
from outdial.flow.templates import VariableName

MOST_DIGITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class InputStep(Step):
    """Ask for digits and keep them in a variable. The input is complete with the last digit that it may have,
    with the terminator, or when the callee presses nothing more for a while. An input that is too short or
    does not match the pattern is asked for again, `repeats` times."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("next", "Digits were entered and are as they should be."),
        Exit(INVALID, "What was entered last is not as it should be."),
        Exit(TIMEOUT, "Nothing was entered in time."),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "input",
        "settings": {
            "prompt": "Please enter your PIN of four digits.",
            "variable": "pin",
            "min": 4,
            "max": 4,
            "masked": True,
        },
        "exits": {"next": "check_pin", "invalid": "bye", "timeout": "bye"},
    }

    prompt: PromptTemplate = setting(PROMPT, "The question.")
    variable: VariableName = setting(Variable(), "Where the digits are kept, as a text.")
    min: int = setting(Whole(0, MOST_DIGITS), "The least number of digits.", 1)
    max: int = setting(Whole(1, MOST_DIGITS), "The most; with the last of them the input is complete.", 20)
    terminator: str = setting(Keys(0, 2), "Keys that complete the input; they are not part of it.", "#")
    first_timeout: int = setting(Seconds(1, 60), "Seconds to wait for the first digit after the prompt.", 5)
    digit_timeout: int = setting(Seconds(0.5, 30), "Seconds to wait for each further digit.", 3)
    pattern: "re.Pattern[str] | None" = setting(
        DigitPattern(),
        "A regular expression that the whole input has to match, such as `[1-5]` or `0\\d{9}`.",
        None,
    )
    repeats: int = setting(Whole(0, 10), "How often it is asked again.", 2)
    masked: bool = setting(Flag(), "The digits are a secret and are stored nowhere.", False)
    barge_in: bool = setting(Flag(), "Keys stop the prompt; otherwise they count after it.", True)
    invalid_prompt: PromptTemplate | None = setting(PROMPT, "What is said after a wrong input.", None)
    timeout_prompt: PromptTemplate | None = setting(PROMPT, "What is said when nothing was entered.", None)

    def check(self, exits: frozenset[str], place: Place) -> None:
        """The bounds are in order."""
        if self.min > self.max:
            place.member("min").note(f"must not be more than max, which is {self.max}")

    def takes_keys(self, memory: Memory) -> bool:
        """Always."""
        return True

    def masks(self) -> tuple[str, ...]:
        """The digits, if they are a secret."""
        return (self.variable,) if self.masked else ()

    def enter(self, visit: Visit) -> Outcome:
        """Ask."""
        asked = self._question.ask(visit, 1)
        return Wait((*self._mask(True), *asked.actions), asked.memory)

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """Take a digit, complete the input, or ask again."""
        entered = str(visit.memory["keys"])
        if timed_out(event):
            return self._complete(visit, entered) if entered else self._again(visit, TIMEOUT)
        key = self._question.hears(visit, event)
        if key is None:
            return self._question.over(visit, event)
        if key in self.terminator:
            return self._complete(visit, entered)
        if len(entered) + 1 == self.max:
            return self._complete(visit, entered + key)
        timer = StartTimer(visit.id(f"{visit.memory['try']}/next"), self.digit_timeout)
        memory = {**visit.memory, "keys": entered + key, "playing": 0}
        return Wait((*self._question.stop(visit), timer), memory)

    def _complete(self, visit: Visit, entered: str) -> Outcome:
        if not self.min <= len(entered) <= self.max:
            return self._again(visit, INVALID)
        if self.pattern is not None and not self.pattern.fullmatch(entered):
            return self._again(visit, INVALID)
        actions = (*self._question.stop(visit), *self._mask(False))
        return Leave("next", actions, set={self.variable: entered})

    def _again(self, visit: Visit, reason: str) -> Outcome:
        tries = int(visit.memory["try"])
        if tries > self.repeats:
            return Leave(reason, (*self._question.stop(visit), *self._mask(False)))
        return self._question.ask(
            visit, tries + 1, self.invalid_prompt if reason == INVALID else self.timeout_prompt
        )

    def _mask(self, masked: bool) -> tuple[Action, ...]:
        return (MaskDigits(masked),) if self.masked else ()

    @property
    def _question(self) -> Question:
        return Question(self.prompt, self.barge_in, self.first_timeout)


STEP = InputStep
