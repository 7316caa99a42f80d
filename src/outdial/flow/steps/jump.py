"""``jump``: go on in another flow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.kinds import Flag, Plain, Schema, shown
from outdial.flow.problem import Place
from outdial.flow.settings import setting
from outdial.flow.step import Enter, Exit, Outcome, Step, Visit


class _FlowId:
    """The id of a flow, or its name."""

    def read(self, value: object, place: Place) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return str(value)
        if isinstance(value, str) and value.strip() and len(value) <= 200:
            return value
        place.note(f"must be the id or the name of a flow, not {shown(value)}")
        return ""

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "integer", "minimum": 1}, Plain(longest=200).schema()]}


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpStep(Step):
    """Go on in another flow, which has the same variables, and come back when that one is through. The other
    flow is the version that was published when the call began. A `hang_up` there ends the call."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("returned", "The other flow is through."),
        Exit("failed", "There is no such flow, or too many flows wait for each other."),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "jump",
        "settings": {"flow": 23},
        "exits": {"returned": "thanks", "failed": "bye"},
    }

    flow: str = setting(_FlowId(), "The id of the other flow; in files also its name, without `.json`.")
    return_: bool = setting(Flag(), "Come back; otherwise the call ends with the other flow.", True)

    def enter(self, visit: Visit) -> Outcome:
        """Go there."""
        return Enter(self.flow, self.return_)


STEP = JumpStep
