"""``connect``: bring the callee together with somebody else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from outdial.flow.actions import Connect
from outdial.flow.events import ConnectAnswered, ConnectEnded, Event
from outdial.flow.kinds import Choice, Flag, Many, Seconds, Templated, Variable
from outdial.flow.prompt_kind import PROMPT
from outdial.flow.prompt_template import PromptTemplate
from outdial.flow.settings import setting
from outdial.flow.step import Exit, Leave, Outcome, Step, Visit, Wait
from outdial.flow.templates import Template, VariableName
from outdial.flow.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectStep(Step):
    """Call an agent, or several, and join the two. When the agent hangs up, the flow goes on with the callee;
    when the callee does, the agent's call ends, too. The variable gets the number that answered, and
    `<variable>_seconds` how long they talked."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("answered", "They talked, and the agent hung up or the time was over."),
        Exit("busy", "The agent, or the last one called, was busy.", optional=True),
        Exit("no_answer", "Nobody answered in time.", optional=True),
        Exit("failed", "The call to the agent could not be made; other exits left out lead here, too."),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "connect",
        "settings": {
            "to": ["918867135001", "918867135002"],
            "strategy": "parallel",
            "ring_seconds": 20,
            "whisper": "A customer about invoice {{invoice@digits}}.",
        },
        "exits": {"answered": "survey", "no_answer": "voicemail", "failed": "sorry"},
    }

    to: tuple[Template, ...] = setting(
        Many(Templated(longest=200), most=20), "Whom to call: numbers with country code, or a list of them."
    )
    strategy: Any = setting(
        Choice("sequential", "parallel"),
        "One after the other, or all at once until one answers.",
        "sequential",
    )
    ring_seconds: int = setting(Seconds(5, 120), "How long each may ring.", 25)
    caller_id: Template | None = setting(
        Templated(longest=200), "The number that the agent sees; the bridge unless given.", None
    )
    whisper: PromptTemplate | None = setting(PROMPT, "What the agent alone hears first.", None)
    meanwhile: PromptTemplate | None = setting(
        PROMPT, "What the callee hears until then, again and again; a ringing tone unless given.", None
    )
    record: bool = setting(Flag(), "Record both sides while they talk.", False)
    max_seconds: int | None = setting(Seconds(10, 14_400), "They are parted after so long.", None)
    variable: VariableName = setting(Variable(), "Where the number that answered is kept.", "agent")

    def variables(self) -> tuple[str, ...]:
        """What it sets."""
        return (f"{self.variable}_seconds", f"{self.variable}_recording")

    def made_of(self) -> Mapping[str, Any]:
        """Who answered is one of those that were called."""
        return {self.variable: self.to}

    def enter(self, visit: Visit) -> Outcome:
        """Have them called."""
        rendered = (number.strip() for each in self.to for number in visit.text(each).split(","))
        to = tuple(dict.fromkeys(number for number in rendered if number))
        if not to:
            visit.note("there is nobody to connect to")
            return Leave("failed")
        return Wait(
            (
                Connect(
                    connect_id=visit.id("connect"),
                    to=to,
                    strategy=self.strategy,
                    ring_timeout_ms=self.ring_seconds,
                    caller_id=(visit.text(self.caller_id).strip() or None) if self.caller_id else None,
                    whisper=visit.prompt(self.whisper) if self.whisper else (),
                    meanwhile=visit.prompt(self.meanwhile) if self.meanwhile else (),
                    record=self.record,
                    max_ms=self.max_seconds,
                ),
            )
        )

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """Go on when it is over."""
        match event:
            case ConnectAnswered() if event.connect_id == visit.id("connect"):
                return Wait((), visit.memory, set={self.variable: event.to})
            case ConnectEnded() if event.connect_id == visit.id("connect"):
                if event.outcome == "answered":
                    return Leave("answered", set=self._kept(event))
                return Leave(event.outcome if event.outcome in visit.exits else "failed")
            case _:
                return None

    def _kept(self, event: ConnectEnded) -> dict[str, Value]:
        kept: dict[str, Value] = {f"{self.variable}_seconds": round(event.talked_ms / 1_000, 1)}
        if event.to:
            kept[self.variable] = event.to
        return {**kept, f"{self.variable}_recording": event.recording} if event.recording else kept


STEP = ConnectStep
