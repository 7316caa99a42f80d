"""``branch``: yes or no."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.conditions import CONDITION, Condition
from outdial.flow.settings import setting
from outdial.flow.step import Exit, Leave, Outcome, Step, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchStep(Step):
    """Go on by whether a condition holds. A comparison with a number compares as numbers, one with true or
    false as booleans, any other as texts in which upper and lower case are the same; dates such as 2026-03-01
    compare by `less_than` and the like, too. Conditions are joined by `all`, `any` and `not`."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("yes", "The condition holds."),
        Exit("no", "It does not."),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "branch",
        "settings": {
            "condition": {
                "all": [
                    {"variable": "amount", "is": "more_than", "value": 100},
                    {"not": {"variable": "caller.country", "is": "one_of", "value": ["DE", "AT"]}},
                ]
            }
        },
        "exits": {"yes": "agent", "no": "bye"},
    }

    condition: Condition = setting(CONDITION, "What has to hold.")

    def enter(self, visit: Visit) -> Outcome:
        """Decide."""
        return Leave("yes" if self.condition.holds(visit.variables, visit.text) else "no")


STEP = BranchStep
