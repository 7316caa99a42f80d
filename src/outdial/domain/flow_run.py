"""What one run of a flow leaves for the records: the path it took, what it collected, how it ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRun:
    """One attempt's walk through a flow. All values are what `json.dumps` takes."""

    flow_id: int
    version: int
    """Of the flow's published versions."""
    result: str
    path: Sequence[Mapping[str, Any]] = field(default_factory=list)
    """`flow, node, entered_at, exit, left_at` of each node, in order; times are Unix milliseconds."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """What the flow set; masked where its author asked for it."""
    tags: Sequence[str] = field(default_factory=list)
    problems: Sequence[str] = field(default_factory=list)
    """Sentences for the flow's author: what could not be done as it says."""

    def shown(self, time: Callable[[int | None], str | None]) -> dict[str, Any]:
        """It as people and programs see it, in `outgoing/callstatus`, webhooks and reports alike.

        `time` writes Unix milliseconds for the reader.
        """
        return {
            "id": self.flow_id,
            "version": self.version,
            "result": self.result,
            "path": shown_path(self.path, time),
            "variables": dict(self.variables),
            "tags": list(self.tags),
            "problems": list(self.problems),
        }


def shown_path(
    path: Sequence[Mapping[str, Any]], time: Callable[[int | None], str | None]
) -> list[dict[str, Any]]:
    """The way through a flow, a row for each node."""
    return [
        {
            "flow": each["flow"],
            "node": each["node"],
            "exit": each["exit"],
            "entered_at": time(each["entered_at"]),
            "seconds": _seconds(each["entered_at"], each["left_at"]),
        }
        for each in path
    ]


def _seconds(entered_at: int, left_at: int | None) -> float | None:
    """How long it stayed at a node; None where the call ended."""
    return None if left_at is None else (left_at - entered_at) / 1000
