"""Where one run of a flow stands: all that is needed to go on, as a value that survives a restart as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from outdial.flow.values import Value

COMPLETED = "completed"
"""The result of a flow that came to its end and named no result of its own."""
SOUND_MISSING = "sound_missing"
"""The result of a flow that ended because a prompt could not be played."""
TOO_MANY_STEPS = "too_many_steps"
"""The result of a flow that the loop guard stopped."""
TOO_LONG = "too_long"
"""The result of a flow that used up its seconds."""

_SNAPSHOT_VERSION = 2

Memory = Mapping[str, str | int]
"""What a waiting step remembers: words and numbers, so that it survives as JSON."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One stay at a node, for the record of the call."""

    flow: str
    """The key of the flow in the library."""
    node: str
    entered_at: int
    """Unix milliseconds."""
    exit: str | None = None
    """By which exit it was left; None while the flow is there, and where the call ended."""
    left_at: int | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A flow that jumped to another and goes on when that one is through."""

    flow: str
    node: str
    passage: int
    """The position of the jump in the path."""


@dataclass(frozen=True, slots=True)
class State:
    """One run of a flow between two events."""

    flow: str
    """The key in the library of the flow that runs."""
    node: str
    """The node that waits; when finished, the last one."""
    started_at: int
    """Unix milliseconds."""
    now: int
    """Of the last event."""
    seed: int = 0
    """Where all randomness of this run comes from."""
    visits: int = 0
    """How many nodes were entered so far."""
    memory: Memory = field(default_factory=dict)
    """What the waiting step remembers of this visit."""
    timer: str | None = None
    """The timer that the waiting step started."""
    variables: Mapping[str, Value] = field(default_factory=dict)
    """The variables of the call, and those that the flow set."""
    collected: tuple[str, ...] = ()
    """The names of those that the flow set, in order."""
    masked: tuple[str, ...] = ()
    """The names of those whose values must not be stored."""
    tags: tuple[str, ...] = ()
    path: tuple[Passage, ...] = ()
    frames: tuple[Frame, ...] = ()
    """Flows to return to, the innermost last."""
    problems: tuple[str, ...] = ()
    """Sentences for the author: what could not be done as the flow says, and went on in some way."""
    result: str | None = None
    """How the flow ended; None while it runs."""

    @property
    def finished(self) -> bool:
        """Whether the flow is over; then every event is ignored."""
        return self.result is not None


def snapshot(state: State) -> dict[str, Any]:
    """``state`` as values that ``json.dumps`` takes; :func:`restore` reads them back.

    It holds every variable, masked ones too: it is for going on, not for a record.
    """
    return {"version": _SNAPSHOT_VERSION, **asdict(state)}


def restore(data: Mapping[str, Any]) -> State:
    """The state that :func:`snapshot` wrote.

    Raises :class:`ValueError` for a snapshot of another version, which this code cannot go on from.
    """
    if data.get("version") != _SNAPSHOT_VERSION:
        raise ValueError(f"a snapshot of version {data.get('version')!r} cannot be resumed")
    values = {name: value for name, value in data.items() if name != "version"}
    for name in ("collected", "masked", "tags", "problems"):
        values[name] = tuple(values[name])
    values["path"] = tuple(Passage(**each) for each in values["path"])
    values["frames"] = tuple(Frame(**each) for each in values["frames"])
    return State(**values)
