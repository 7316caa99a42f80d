"""What is wrong with a definition, and where."""

from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong with a definition; an ``InvalidFlow`` has a list of them."""

    node: str | None
    """None when it is wrong with the flow as a whole."""
    field: str | None
    """The setting of the node, such as ``prompt`` or ``hours[0].from``; or a member of the flow."""
    message: str

    def __str__(self) -> str:
        place = [f"node {self.node!r}"] if self.node is not None else []
        place += [f"field {self.field!r}"] if self.field is not None else []
        return f"{', '.join(place)}: {self.message}" if place else self.message


class Place:
    """Where in a definition a value stands; notes what is wrong with it."""

    __slots__ = ("field", "node", "problems")

    def __init__(self, problems: list[Problem], node: str | None = None, field: str | None = None) -> None:
        self.problems = problems
        self.node = node
        self.field = field

    def note(self, message: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(self.node, self.field, message))

    def member(self, name: str | int) -> "Place":
        """The place of a member of an object, or of one of a list."""
        if isinstance(name, int):
            return Place(self.problems, self.node, f"{self.field or ''}[{name}]")
        return Place(self.problems, self.node, f"{self.field}.{name}" if self.field else name)
