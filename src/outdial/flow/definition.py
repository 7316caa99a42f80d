"""A flow as its author writes it, in JSON, and as it runs.

::

    {"start": "welcome",
     "nodes": {"welcome": {"type": "play", "sound": "39888925-…", "next": "bye"},
               "bye":     {"type": "hang_up", "result": "heard"}}}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outdial.errors import InvalidFlow
from outdial.flow.fields import Fields, Problem
from outdial.flow.step import Step
from outdial.flow.steps import STEP_TYPES

MAX_NODES = 1_000
"""The largest flow; a graph that people draw stays far below."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow that can run: every node is of a known type and leads to nodes that exist."""

    start: str
    steps: Mapping[str, Step]
    """The step of each node, by the node's name."""


def parse_flow(data: object) -> Flow:
    """Read a definition that came out of ``json.loads``.

    Raises :class:`InvalidFlow` with every problem, each naming its node and field.
    """
    if not isinstance(data, Mapping):
        raise InvalidFlow([Problem(None, None, "a flow must be a JSON object")])
    nodes = data.get("nodes")
    if not isinstance(nodes, Mapping) or not nodes or len(nodes) > MAX_NODES:
        wanted = f"must be an object of 1 to {MAX_NODES} nodes by name"
        raise InvalidFlow([Problem(None, "nodes", wanted)])
    problems = [
        Problem(None, name, "is unknown; a flow has nodes, start")
        for name in data
        if name not in ("nodes", "start")
    ]
    start = data.get("start")
    if not isinstance(start, str) or start not in nodes:
        problems.append(Problem(None, "start", f"must be the name of a node of this flow, not {start!r}"))
    steps = {name: _parse_step(name, values, frozenset(nodes), problems) for name, values in nodes.items()}
    if problems:
        raise InvalidFlow(problems)
    return Flow(start=str(start), steps={name: step for name, step in steps.items() if step is not None})


def _parse_step(name: str, values: Any, nodes: frozenset[str], problems: list[Problem]) -> Step | None:
    if not isinstance(values, Mapping):
        problems.append(Problem(name, None, "must be an object"))
        return None
    kind = values.get("type")
    if not isinstance(kind, str) or kind not in STEP_TYPES:
        known = ", ".join(sorted(STEP_TYPES))
        problems.append(Problem(name, "type", f"must be one of {known}, not {kind!r}"))
        return None
    fields = Fields(name, values, nodes)
    step = STEP_TYPES[kind].parse(fields)
    fields.finish()
    problems += fields.problems
    return step
