"""``opt_out``: call this person no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.actions import OptOut
from outdial.flow.kinds import Choice, Templated
from outdial.flow.problem import Place
from outdial.flow.settings import setting
from outdial.flow.step import Leave, Outcome, Step, Visit
from outdial.flow.templates import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutStep(Step):
    """Add the callee to the unsubscribers. Calls to them that are waiting are not made."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "opt_out",
        "settings": {"from": "all"},
        "exits": {"next": "goodbye"},
    }

    from_: Any = setting(
        Choice("all", "tag", "sender", "service"),
        "From what: every call, calls with a tag, calls from this bridge, or calls of a service.",
        "all",
    )
    value: Template | None = setting(Templated(longest=100), "Which tag or service.", None)

    def check(self, exits: frozenset[str], place: Place) -> None:
        """A tag or a service has a name."""
        if (self.value is None) == (self.from_ in ("tag", "service")):
            word = "is missing" if self.value is None else f"means nothing with {self.from_}"
            place.member("value").note(word)

    def enter(self, visit: Visit) -> Outcome:
        """Ask for it and go on."""
        value = "" if self.value is None else visit.text(self.value).strip()
        return Leave(actions=(OptOut(self.from_, value),))


STEP = OptOutStep
