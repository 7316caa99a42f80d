"""What one run of a flow leaves for the records: the path it took, what it collected, how it ended."""

from collections.abc import Mapping, Sequence
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
