"""What a step type is: fields read from the definition, and what it does when it is entered and resumed.

A step is a frozen value without state. It says what comes next by returning one of three outcomes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from outdial.flow.actions import Action
from outdial.flow.events import Event
from outdial.flow.fields import Fields
from outdial.flow.state import Memory


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay at a node."""

    node: str
    number: int
    """Which visit of the run this is, from 1. With the node's name it makes ids that are unique in the
    run."""
    memory: Memory
    """What the step kept when it last waited; empty when the node is entered."""
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wait:
    """Do the actions, then stay here until an event."""

    actions: tuple[Action, ...] = ()
    memory: Memory = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GoTo:
    """Do the actions, then enter another node; None ends the flow as completed."""

    node: str | None
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """Hang up; the flow is over with this result."""

    result: str


Outcome = Wait | GoTo | End


class Step(Protocol):
    """A step type. Its module in ``outdial.flow.steps`` makes it known by the name ``STEP``."""

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        """Read the node's fields; problems are collected by ``fields``, not raised."""
        ...

    def enter(self, visit: Visit) -> Outcome:
        """What to do on arrival."""
        ...

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """What to do about ``event``; None when this step does not wait for such an event."""
        ...
