"""What a run of a flow leaves behind for the records: its path, what it collected, how it ended."""

from dataclasses import asdict, dataclass
from typing import Any

from outdial.flow.secrets import MASK
from outdial.flow.state import Passage, State
from outdial.flow.values import Value


@dataclass(frozen=True, slots=True)
class Report:
    """One run, or what there is of it so far."""

    result: str | None
    path: tuple[Passage, ...]
    variables: dict[str, Value]
    """What the flow set, masked where its author asked for it."""
    tags: tuple[str, ...]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The same as values that ``json.dumps`` takes."""
        return {
            "result": self.result,
            "path": [asdict(passage) for passage in self.path],
            "variables": self.variables,
            "tags": list(self.tags),
            "problems": list(self.problems),
        }


def report(state: State) -> Report:
    """What is to be recorded of ``state``."""
    return Report(
        result=state.result,
        path=state.path,
        variables={
            name: MASK if name in state.masked else state.variables.get(name) for name in state.collected
        },
        tags=state.tags,
        problems=state.problems,
    )
