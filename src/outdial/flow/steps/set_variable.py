"""``set_variable``: give variables values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.json_template import JSON_TEMPLATE, JsonTemplate
from outdial.flow.kinds import VARIABLE_NAME, Flag, Table
from outdial.flow.settings import setting
from outdial.flow.step import Leave, Outcome, Step, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVariableStep(Step):
    """Give variables values: texts with Liquid in them, numbers, booleans or lists. A declared variable gets
    its value in the type that is declared. The values are all worked out before the first is set. What
    is made of a secret is one."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "set_variable",
        "settings": {"values": {"total": "{{price|times:count}}", "language": "hi-IN"}},
        "exits": {"next": "say_total"},
    }

    values: Mapping[str, JsonTemplate] = setting(
        Table(JSON_TEMPLATE, VARIABLE_NAME.pattern, "names of variables", least=1),
        "The values, by the names of the variables.",
    )
    masked: bool = setting(Flag(), "They are secrets and are stored nowhere.", False)

    def variables(self) -> tuple[str, ...]:
        """What it sets."""
        return tuple(self.values)

    def masks(self) -> tuple[str, ...]:
        """All, if they are secrets."""
        return tuple(self.values) if self.masked else ()

    def made_of(self) -> Mapping[str, Any]:
        """Each of its value."""
        return self.values

    def enter(self, visit: Visit) -> Outcome:
        """Set them and go on."""
        values = {name: value.render(visit.text) for name, value in self.values.items()}
        return Leave(set=values)


STEP = SetVariableStep
