"""What changed between two versions of a flow, as sentences with their places."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from outdial.flow.text_form import text_form

_NOTHING: Any = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs."""

    what: Literal["added", "removed", "changed"]
    node: str | None
    """None for a member of the flow itself."""
    field: str | None
    """None for a whole node."""
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        place = "the flow" if self.node is None else f"node {self.node!r}"
        if self.field is None:
            return f"{place} was {self.what}"
        match self.what:
            case "added":
                return f"{place}: {self.field} was added: {self.after!r}"
            case "removed":
                return f"{place}: {self.field} was removed: {self.before!r}"
            case "changed":
                return f"{place}: {self.field} was {self.before!r} and is {self.after!r}"


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What is not the same in two definitions, which may be unfinished; nodes by name."""
    old, new = before.get("nodes", {}), after.get("nodes", {})
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return list(_members(None, "", before, after))
    heads = [{k: v for k, v in each.items() if k != "nodes"} for each in (before, after)]
    found = list(_members(None, "", *heads))
    for name in sorted({*old, *new}):
        if name not in old:
            found.append(Change("added", name, None, after=new[name]))
        elif name not in new:
            found.append(Change("removed", name, None, before=old[name]))
        else:
            found += _members(name, "", old[name], new[name])
    return found


def _members(node: str | None, field: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted({*before, *after}):
            inner = f"{field}.{name}" if field else name
            yield from _members(node, inner, before.get(name, _NOTHING), after.get(name, _NOTHING))
    elif before is _NOTHING:
        yield Change("added", node, field, after=after)
    elif after is _NOTHING:
        yield Change("removed", node, field, before=before)
    elif text_form(before) != text_form(after):  # to Python, 1 and True are the same
        yield Change("changed", node, field, before, after)
