"""Read the fields of one node, collecting a sentence for every field that is missing, wrong or unknown."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong with a definition; an ``InvalidFlow`` has a list of them."""

    node: str | None
    """None when it is wrong with the flow as a whole."""
    field: str | None
    message: str

    def __str__(self) -> str:
        place = [f"node {self.node!r}"] if self.node is not None else []
        place += [f"field {self.field!r}"] if self.field is not None else []
        return f"{', '.join(place)}: {self.message}" if place else self.message


class Fields:
    """The fields of one node.

    Each reader returns a harmless value after noting a problem, so that one look finds every problem of a
    flow.
    """

    def __init__(self, node: str, values: Mapping[str, Any], nodes: frozenset[str]) -> None:
        self._node = node
        self._values = values
        self._nodes = nodes
        self._known = {"type"}
        self.problems: list[Problem] = []

    def text(self, name: str, default: str | None = None) -> str:
        """A text that is not empty; required when there is no default."""
        value = self._take(name, default)
        if isinstance(value, str) and value.strip():
            return value
        self._note(name, f"must be a text that is not empty, not {value!r}")
        return ""

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        """A whole number from ``minimum`` to ``maximum``."""
        value = self._take(name, default)
        if isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum:
            return value
        self._note(name, f"must be a whole number from {minimum} to {maximum}, not {value!r}")
        return default

    def node(self, name: str) -> str | None:
        """The name of another node, or None when the field is absent or null."""
        value = self._take(name, None)
        if value is None:
            return None
        if isinstance(value, str) and value in self._nodes:
            return value
        self._note(name, f"must be the name of a node of this flow, not {value!r}")
        return None

    def finish(self) -> None:
        """Note every field that no reader asked for."""
        for name in self._values:
            if name not in self._known:
                self._note(name, f"is unknown; this step has {', '.join(sorted(self._known))}")

    def _take(self, name: str, default: Any) -> Any:
        self._known.add(name)
        if name not in self._values and default is None:
            return None
        return self._values.get(name, default)

    def _note(self, name: str, message: str) -> None:
        self.problems.append(Problem(self._node, name, message))
