"""The variables that a flow declares: their types, and what they are unless the call says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from outdial.flow.kinds import Choice, Flag, Plain, Schema, shown
from outdial.flow.problem import Place
from outdial.flow.settings import setting
from outdial.flow.values import Value, Variables, as_boolean, as_number, as_text, clean

TYPES = ("text", "number", "boolean", "list")


class _AnyJson:
    """A value of JSON."""

    def read(self, value: object, place: Place) -> Value:
        cleaned = clean(value)
        if cleaned != value:
            place.note(f"cannot be a value of a variable: {shown(value)}")
        return cleaned

    def schema(self) -> Schema:
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One variable."""

    type: str = setting(Choice(*TYPES), "What it holds: text, number, boolean or list.", "text")
    default: Value = setting(_AnyJson(), "What it is unless the call says; by default nothing.", None)
    description: str | None = setting(Plain(), "What it is for.", None)
    masked: bool = setting(Flag(), "It is a secret: `****` stands in every record in its place.", False)


def with_defaults(declared: Mapping[str, Declaration], given: Variables) -> dict[str, Value]:
    """The variables that a run begins with: those given, in the types declared, and the other defaults."""
    variables = {name: clean(value) for name, value in given.items()}
    for name, each in declared.items():
        value = variables.get(name)
        variables[name] = each.default if value is None else typed(each.type, value)
    return variables


def typed(type_: str, value: Value) -> Value:
    """``value`` as what its declaration says; as it is where it cannot be that."""
    converted = _CONVERSIONS[type_](value)
    return value if converted is None else converted


def _as_list(value: Value) -> Value:
    if isinstance(value, str):
        return [each.strip() for each in value.split(",") if each.strip()]
    return value


_CONVERSIONS: Mapping[str, Callable[[Any], Value]] = {
    "text": as_text,
    "number": as_number,
    "boolean": as_boolean,
    "list": _as_list,
}
