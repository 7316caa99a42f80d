"""``hang_up``: end the call and say how it went."""

from dataclasses import dataclass
from typing import Self

from outdial.flow.events import Event
from outdial.flow.fields import Fields
from outdial.flow.state import COMPLETED
from outdial.flow.step import End, Outcome, Visit


@dataclass(frozen=True, slots=True)
class HangUpStep:
    """Hang up, with ``result`` for the record of the call."""

    result: str
    """A word of the flow's author; ``completed`` unless given."""

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        """Read ``result``."""
        return cls(result=fields.text("result", default=COMPLETED))

    def enter(self, visit: Visit) -> Outcome:
        """End the flow."""
        return End(self.result)

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """Nothing: the flow never waits here."""
        return None


STEP = HangUpStep
