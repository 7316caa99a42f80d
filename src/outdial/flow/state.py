"""Where one run of a flow stands: all that is needed to go on, as a value that survives a restart as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

COMPLETED = "completed"
"""The result of a flow that came to its end and named no result of its own."""
SOUND_MISSING = "sound_missing"
"""The result of a flow that ended because a sound could not be played."""
TOO_MANY_STEPS = "too_many_steps"
"""The result of a flow that the loop guard stopped."""

_SNAPSHOT_VERSION = 1

Memory = Mapping[str, str | int]
"""What a waiting step remembers: words and numbers, so that it survives as JSON."""


@dataclass(frozen=True, slots=True)
class State:
    """One run of a flow between two events."""

    node: str
    """The node that waits; when finished, the last one."""
    visits: int = 0
    """How many nodes were entered so far."""
    memory: Memory = field(default_factory=dict)
    """What the waiting step remembers of this visit."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The variables of the call."""
    result: str | None = None
    """How the flow ended; None while it runs."""

    @property
    def finished(self) -> bool:
        """Whether the flow is over; then every event is ignored."""
        return self.result is not None


def snapshot(state: State) -> dict[str, Any]:
    """``state`` as values that ``json.dumps`` takes; :func:`restore` reads them back."""
    return {"version": _SNAPSHOT_VERSION, **asdict(state)}


def restore(data: Mapping[str, Any]) -> State:
    """The state that :func:`snapshot` wrote.

    Raises :class:`ValueError` for a snapshot of another version, which this code cannot go on from.
    """
    if data.get("version") != _SNAPSHOT_VERSION:
        raise ValueError(f"a snapshot of version {data.get('version')!r} cannot be resumed")
    return State(**{name: value for name, value in data.items() if name != "version"})
