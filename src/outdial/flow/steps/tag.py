"""``tag``: mark the call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.kinds import Many, Templated
from outdial.flow.settings import setting
from outdial.flow.step import Leave, Outcome, Step, Visit
from outdial.flow.templates import Template

_LONGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TagStep(Step):
    """Add tags to the call, for its record and its webhooks."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "tag",
        "settings": {"tags": ["promised", "{{plan}}"]},
        "exits": {"next": "bye"},
    }

    tags: tuple[Template, ...] = setting(Many(Templated(longest=_LONGEST), most=20), "The tags.")

    def enter(self, visit: Visit) -> Outcome:
        """Add them and go on."""
        tags = (visit.kept(each).strip()[:_LONGEST] for each in self.tags)
        return Leave(tags=tuple(each for each in tags if each))


STEP = TagStep
