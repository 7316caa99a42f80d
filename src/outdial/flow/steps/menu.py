"""``menu``: one key, one way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.asking import INVALID, TIMEOUT, Question, timed_out
from outdial.flow.events import Event
from outdial.flow.kinds import KEYS, Flag, Seconds, Variable, Whole
from outdial.flow.problem import Place
from outdial.flow.prompt_kind import PROMPT
from outdial.flow.prompt_template import PromptTemplate
from outdial.flow.settings import setting
from outdial.flow.state import Memory
from outdial.flow.step import Exit, Leave, Outcome, Step, Visit
from outdial.flow.templates import VariableName


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuStep(Step):
    """Ask, and go on by the key that is pressed. A key that the menu does not have, or none at all, has it
    asked again, `repeats` times; then the callee leaves by `invalid` or `timeout`, whichever came last."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("0 to 9, *, #, A to D", "The key was pressed.", pattern="[0-9*#A-D]"),
        Exit(INVALID, "Only keys that the menu does not have were pressed."),
        Exit(TIMEOUT, "No key was pressed in time."),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "menu",
        "settings": {"prompt": "For sales, press 1. For support, press 2.", "timeout": 5, "repeats": 2},
        "exits": {"1": "sales", "2": "support", "invalid": "bye", "timeout": "bye"},
    }

    prompt: PromptTemplate = setting(PROMPT, "The question.")
    timeout: int = setting(Seconds(1, 60), "Seconds to wait for a key after the prompt.", 5)
    repeats: int = setting(Whole(0, 10), "How often it is asked again.", 2)
    barge_in: bool = setting(Flag(), "Keys stop the prompt; otherwise they count after it.", True)
    invalid_prompt: PromptTemplate | None = setting(PROMPT, "What is said after a wrong key.", None)
    timeout_prompt: PromptTemplate | None = setting(PROMPT, "What is said when no key came.", None)
    variable: VariableName | None = setting(Variable(), "Where the key is kept.", None)

    def check(self, exits: frozenset[str], place: Place) -> None:
        """A menu without keys is none."""
        if not exits & set(KEYS):
            place.member("exits").note("must have at least one key, such as 1")

    def takes_keys(self, memory: Memory) -> bool:
        """Always."""
        return True

    def enter(self, visit: Visit) -> Outcome:
        """Ask."""
        return self._question.ask(visit, 1)

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """Take a key, or ask again."""
        if timed_out(event):
            return self._again(visit, TIMEOUT)
        key = self._question.hears(visit, event)
        if key is None:
            return self._question.over(visit, event)
        if key in visit.exits:
            kept = {str(self.variable): key} if self.variable else {}
            return Leave(key, self._question.stop(visit), set=kept)
        return self._again(visit, INVALID)

    def _again(self, visit: Visit, reason: str) -> Outcome:
        tries = int(visit.memory["try"])
        if tries > self.repeats:
            return Leave(reason, self._question.stop(visit))
        return self._question.ask(
            visit, tries + 1, self.invalid_prompt if reason == INVALID else self.timeout_prompt
        )

    @property
    def _question(self) -> Question:
        return Question(self.prompt, self.barge_in, self.timeout)


STEP = MenuStep
