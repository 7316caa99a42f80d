"""``hang_up``: end the call and say how it went."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.kinds import Templated
from outdial.flow.settings import setting
from outdial.flow.state import COMPLETED
from outdial.flow.step import End, Exit, Outcome, Step, Visit
from outdial.flow.templates import Template

_LONGEST_RESULT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUpStep(Step):
    """End the call, and say for its record how it went."""

    EXITS: ClassVar[tuple[Exit, ...]] = ()
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"type": "hang_up", "settings": {"result": "success"}}

    result: Template = setting(
        Templated(longest=_LONGEST_RESULT),
        "`success`, `failure` or a word of your own; it may have variables in it.",
        COMPLETED,
    )

    def enter(self, visit: Visit) -> Outcome:
        """End the flow."""
        return End(visit.kept(self.result).strip()[:_LONGEST_RESULT] or COMPLETED)


STEP = HangUpStep
