"""``send_event``: tell a webhook in the middle of a call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.actions import SendEvent
from outdial.flow.json_template import JSON_TEMPLATE, JsonTemplate
from outdial.flow.kinds import Plain, Table
from outdial.flow.settings import setting
from outdial.flow.step import Leave, Outcome, Step, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class SendEventStep(Step):
    """Send an event of your own to the webhook of the call. The flow does not wait for it to arrive. It is
    kept until then and after, so `****` stands in it in place of a secret: `http_request` takes those."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "send_event",
        "settings": {"name": "promised", "data": {"amount": "{{amount}}", "day": "{{date}}"}},
        "exits": {"next": "bye"},
    }

    name: str = setting(Plain(r"[a-z][a-z0-9_.:-]{0,99}", "a name in small letters"), "What happened.")
    data: Mapping[str, JsonTemplate] = setting(Table(JSON_TEMPLATE), "What there is to say about it.", {})

    def enter(self, visit: Visit) -> Outcome:
        """Send it and go on."""
        data = {name: each.render(visit.kept) for name, each in self.data.items()}
        return Leave(actions=(SendEvent(self.name, data),))


STEP = SendEventStep
