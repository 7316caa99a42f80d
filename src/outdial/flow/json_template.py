"""A value of JSON with Liquid in its texts: bodies of requests, data of events, values of variables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from outdial.flow.kinds import Schema, shown
from outdial.flow.problem import Place
from outdial.flow.templates import Template, check
from outdial.flow.values import Value, clean

_DEEPEST = 10
_MOST_MEMBERS = 100


@dataclass(frozen=True, slots=True)
class JsonTemplate:
    """The value, its texts as templates."""

    value: Any

    def render(self, render: Callable[[Template], str]) -> Value:
        """The value with all of its texts rendered."""
        return _rendered(self.value, render)


def _rendered(value: Any, render: Callable[[Template], str]) -> Value:
    match value:
        case Template():
            return render(value)
        case dict():
            return {name: _rendered(each, render) for name, each in value.items()}
        case tuple():
            return [_rendered(each, render) for each in value]
        case _:
            return clean(value)


class JsonTemplateKind:
    """Any JSON."""

    def read(self, value: object, place: Place) -> JsonTemplate:
        """The value."""
        return JsonTemplate(self._read(value, place, 0))

    def schema(self) -> Schema:
        """Anything."""
        return {}

    def _read(self, value: object, place: Place, depth: int) -> Any:
        if isinstance(value, str):
            problem = check(value)
            if problem is not None:
                place.note(problem)
                return None
            return Template(value)
        if isinstance(value, Mapping | list):
            if depth == _DEEPEST or len(value) > _MOST_MEMBERS:
                place.note(
                    f"must be at most {_DEEPEST} deep with {_MOST_MEMBERS} members, not {shown(value)}"
                )
                return None
            if isinstance(value, Mapping):
                return {
                    str(name): self._read(each, place.member(str(name)), depth + 1)
                    for name, each in value.items()
                }
            return tuple(self._read(each, place.member(i), depth + 1) for i, each in enumerate(value))
        return value


JSON_TEMPLATE = JsonTemplateKind()
