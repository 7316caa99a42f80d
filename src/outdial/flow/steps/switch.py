"""``switch``: one way for each value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.kinds import Templated
from outdial.flow.settings import setting
from outdial.flow.step import Exit, Leave, Outcome, Step, Visit
from outdial.flow.templates import Template

_DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchStep(Step):
    """Go on by the exit whose name is the value, upper and lower case being the same; by `default` where
    there is none."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("any value", "The value is the name of the exit.", pattern=r"\S.{0,99}"),
        Exit(_DEFAULT, "No exit has the name of the value."),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "switch",
        "settings": {"value": "{{plan}}"},
        "exits": {"gold": "agent", "silver": "menu", "default": "bye"},
    }

    value: Template = setting(Templated(), "The value, such as `{{plan}}`.")

    def enter(self, visit: Visit) -> Outcome:
        """Look for the exit."""
        value = visit.text(self.value).strip().lower()
        return Leave(next((name for name in sorted(visit.exits) if name.lower() == value), _DEFAULT))


STEP = SwitchStep
