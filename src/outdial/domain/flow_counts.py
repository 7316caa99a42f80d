"""How often callees came to each node of a flow, how they went on, and what came of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ENDED_HERE = "(end)"
"""Stands where an exit would: the call ended at this node. No exit has a name with brackets."""


@dataclass(slots=True)
class ExitCounts:
    """One way out of a node."""

    count: int = 0
    """How often it was taken; a callee may come round again."""
    results: Counter[str] = field(default_factory=Counter)
    """What came of the calls that went this way, each once: the arms of a random split are compared by
    this."""


@dataclass(slots=True)
class VersionCounts:
    """The runs of one version."""

    runs: int = 0
    results: Counter[str] = field(default_factory=Counter)
    exits: dict[tuple[str, str], dict[str, ExitCounts]] = field(default_factory=dict)
    """By flow (a jump leads to others) and node, then by exit."""

    def add(self, result: str, path: Sequence[Mapping[str, Any]]) -> None:
        """Count one run."""
        self.runs += 1
        self.results[result] += 1
        taken = Counter((each["flow"], each["node"], each["exit"] or ENDED_HERE) for each in path)
        for (flow, node, exit_), times in taken.items():
            counts = self.exits.setdefault((flow, node), {}).setdefault(exit_, ExitCounts())
            counts.count += times
            counts.results[result] += 1

    def shown(self, version: int) -> dict[str, Any]:
        """It as values that `json.dumps` takes, the most visited node first."""
        nodes = [
            {
                "flow": flow,
                "node": node,
                "visits": sum(each.count for each in exits.values()),
                "ended_here": exits[ENDED_HERE].count if ENDED_HERE in exits else 0,
                "exits": {
                    name: {"count": each.count, "results": dict(each.results.most_common())}
                    for name, each in sorted(exits.items())
                    if name != ENDED_HERE
                },
            }
            for (flow, node), exits in self.exits.items()
        ]
        return {
            "version": version,
            "runs": self.runs,
            "results": dict(self.results.most_common()),
            "nodes": sorted(nodes, key=lambda each: (-each["visits"], each["flow"], each["node"])),
        }
