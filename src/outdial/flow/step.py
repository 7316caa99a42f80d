"""What a step type is: settings read from the definition, and what it does when it is entered and resumed.

A step is a frozen dataclass without state. It says what comes next by returning one of four outcomes; where
an exit leads is the definition's business, and unknown to the step.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from outdial.errors import InvalidInput
from outdial.flow.actions import Action
from outdial.flow.events import Event
from outdial.flow.problem import Place
from outdial.flow.prompt_template import PromptTemplate
from outdial.flow.secrets import veiled
from outdial.flow.speakable import Prompt
from outdial.flow.state import Memory
from outdial.flow.templates import Template
from outdial.flow.values import Value, Variables


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay at a node."""

    node: str
    number: int
    """Which visit of the run this is, from 1. With the node's name it makes ids that are unique in the
    run."""
    memory: Memory
    """What the step kept when it last waited; empty when the node is entered."""
    variables: Variables
    now: int = 0
    """Unix milliseconds."""
    masked: tuple[str, ...] = ()
    """The names of variables that must not be kept."""
    seed: int = 0
    exits: frozenset[str] = frozenset()
    """The exits that the node leads on by."""
    secret_follows: bool = False
    """The exit ``next`` leads to a question whose answer is a secret."""
    language: str = "en"
    voice: str | None = None
    problems: list[str] = field(default_factory=list)
    """What is noted here is kept for the author of the flow."""

    def id(self, name: str | int) -> str:
        """An id for an action, unique in the run."""
        return f"{self.node}/{self.number}/{name}"

    def text(self, template: Template) -> str:
        """A template with the variables of the run; empty, and noted, where it cannot be rendered."""
        return self._render(template, self.variables)

    def kept(self, template: Template) -> str:
        """The same for what is kept: a mask in place of each secret."""
        return self._render(template, veiled(self.variables, self.masked))

    def _render(self, template: Template, variables: Variables) -> str:
        try:
            return template.render(variables)
        except InvalidInput as error:
            self.note(str(error))
            return ""

    def prompt(self, template: PromptTemplate) -> Prompt:
        """What is to be played."""
        return template.render(self.text, self.language, self.voice)

    def note(self, sentence: str) -> None:
        """Keep a sentence for the author of the flow."""
        self.problems.append(f"{self.node}: {sentence}")


@dataclass(frozen=True, slots=True)
class Wait:
    """Do the actions, then stay here until an event."""

    actions: tuple[Action, ...] = ()
    memory: Memory = field(default_factory=dict)
    set: Mapping[str, Value] = field(default_factory=dict)
    """Variables to set."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Do the actions, then go where an exit leads; one that leads nowhere ends the flow as completed."""

    exit: str = "next"
    actions: tuple[Action, ...] = ()
    set: Mapping[str, Value] = field(default_factory=dict)
    """Variables to set."""
    masked: Collection[str] = ()
    """The names in ``set`` whose values turned out to be secrets, beside those that the step tells before."""
    tags: tuple[str, ...] = ()
    """To add to those of the call."""
    passes_key: bool = False
    """The key that was pressed is not for this step: the next one may take it."""


@dataclass(frozen=True, slots=True)
class Enter:
    """Go on in another flow. When that one is through, leave here by ``returned``, if it ``returns`` at all;
    leave by ``failed`` if it cannot be entered."""

    flow: str
    returns: bool


@dataclass(frozen=True, slots=True)
class End:
    """Hang up; the flow is over with this result."""

    result: str
    actions: tuple[Action, ...] = ()


Outcome = Wait | Leave | Enter | End


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of a step."""

    name: str
    description: str
    pattern: str | None = None
    """For a family of exits: what their names are like. ``name`` then stands for them in the reference."""
    optional: bool = False
    """A node may well do without: another exit, or a result of its own, takes its place."""


NEXT = Exit("next", "It is done.")


class Step(ABC):
    """A step type. Its module in ``outdial.flow.steps`` makes it known by the name ``STEP``.

    A step type is a frozen dataclass whose fields are declared by ``settings.setting``; its docstring is its
    part of the reference.
    """

    __slots__ = ()

    EXITS: ClassVar[tuple[Exit, ...]] = (NEXT,)
    EXAMPLE: ClassVar[Mapping[str, Any]]
    """A node of this type, for the reference."""

    def check(self, exits: frozenset[str], place: Place) -> None:  # noqa: B027 - most have nothing to check
        """Note what is wrong with the settings together, or with them and the exits that the node has."""

    def takes_keys(self, memory: Memory) -> bool:
        """Whether it waits for keys of the callee: for those who walk through a flow without a call."""
        return False

    def leaves_by(self) -> tuple[str, ...]:
        """The names of a family of exits that it may take whether the node has them or not."""
        return ()

    def variables(self) -> tuple[str, ...]:
        """The names of the variables that it sets, beside those that its settings of that kind name."""
        return ()

    def masks(self) -> tuple[str, ...]:
        """The names of the variables that its author calls secrets."""
        return ()

    def asks_for_secret(self) -> bool:
        """Whether the keys that it waits for are a secret."""
        return self.takes_keys({}) and bool(self.masks())

    def made_of(self) -> Mapping[str, Any]:
        """The variables that it makes of templates, each with these: of a secret comes a secret."""
        return {}

    @abstractmethod
    def enter(self, visit: Visit) -> Outcome:
        """What to do on arrival."""

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """What to do about ``event``; None when this step does not wait for such an event."""
        return None


def chance(visit: Visit) -> float:
    """A number from 0 up to 1 that depends on nothing but the seed of the run and the visit."""
    mixed = (visit.seed * 0x9E3779B97F4A7C15 + visit.number * 0xBF58476D1CE4E5B9) & _WORD
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
    return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)


_WORD = (1 << 64) - 1
