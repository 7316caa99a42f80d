"""Conditions on variables, typed by what they are compared with.

::

    {"variable": "age", "is": "at_least", "value": 18}
    {"all": [condition, …]}      {"any": [condition, …]}      {"not": condition}
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from outdial.flow.json_template import JSON_TEMPLATE, JsonTemplate
from outdial.flow.kinds import Schema, shown
from outdial.flow.problem import Place
from outdial.flow.templates import Template
from outdial.flow.values import Value, Variables, as_boolean, as_number, as_text, lookup

_DEEPEST = 5
_MOST = 20
_PATH = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+){0,9}"
_UNARY = ("set", "not_set")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One variable with one value."""

    variable: str
    operator: str
    value: JsonTemplate

    def holds(self, variables: Variables, render: Callable[[Template], str]) -> bool:
        """Whether it is so now."""
        return OPERATORS[self.operator](lookup(variables, self.variable), self.value.render(render))


@dataclass(frozen=True, slots=True)
class Combination:
    """Several conditions as one."""

    how: str
    conditions: "tuple[Condition, ...]"

    def holds(self, variables: Variables, render: Callable[[Template], str]) -> bool:
        """Whether it is so now."""
        each = (condition.holds(variables, render) for condition in self.conditions)
        if self.how == "all":
            return all(each)
        return any(each) if self.how == "any" else not any(each)


Condition = Comparison | Combination


def _equal(left: Value, right: Value) -> bool:
    if isinstance(right, bool):
        return as_boolean(left) is right
    numbers = as_number(left), as_number(right)
    if isinstance(right, int | float) or isinstance(left, int | float):
        return numbers[0] is not None and numbers[0] == numbers[1]
    return as_text(left).strip().lower() == as_text(right).strip().lower()


def _order(left: Value, right: Value) -> int | None:
    """-1, 0 or 1 as numbers, or as texts where both are none (so dates in ISO 8601 compare); None between the
    two."""
    numbers = as_number(left), as_number(right)
    if numbers[0] is not None and numbers[1] is not None:
        return (numbers[0] > numbers[1]) - (numbers[0] < numbers[1])
    if numbers != (None, None) or left is None:
        return None
    texts = as_text(left), as_text(right)
    return (texts[0] > texts[1]) - (texts[0] < texts[1])


def _contains(left: Value, right: Value) -> bool:
    if isinstance(left, list):
        return any(_equal(each, right) for each in left)
    return as_text(right).lower() in as_text(left).lower()


def _one_of(left: Value, right: Value) -> bool:
    return any(_equal(left, each) for each in (right if isinstance(right, list) else [right]))


OPERATORS: Mapping[str, Callable[[Value, Value], bool]] = {
    "equal": _equal,
    "not_equal": lambda left, right: not _equal(left, right),
    "less_than": lambda left, right: _order(left, right) == -1,
    "at_most": lambda left, right: _order(left, right) in (-1, 0),
    "more_than": lambda left, right: _order(left, right) == 1,
    "at_least": lambda left, right: _order(left, right) in (0, 1),
    "contains": _contains,
    "starts_with": lambda left, right: as_text(left).lower().startswith(as_text(right).lower()),
    "ends_with": lambda left, right: as_text(left).lower().endswith(as_text(right).lower()),
    "one_of": _one_of,
    "set": lambda left, right: left not in (None, "", []),
    "not_set": lambda left, right: left in (None, "", []),
}

OPERATOR_MEANINGS: Mapping[str, str] = {
    "equal": "It is the value; upper and lower case are the same.",
    "not_equal": "It is not.",
    "less_than": "It is less: as a number, or as a text such as `2026-03-01`, where both are.",
    "at_most": "It is less or the same.",
    "more_than": "It is more.",
    "at_least": "It is more or the same.",
    "contains": "The value stands in it; of a list, it is one of it.",
    "starts_with": "It begins with the value.",
    "ends_with": "It ends with the value.",
    "one_of": "It is one of a list.",
    "set": "It is there and not empty; there is no value.",
    "not_set": "It is not there, or empty; there is no value.",
}


class ConditionKind:
    """A comparison or a combination of conditions."""

    def read(self, value: object, place: Place) -> Condition:
        """The condition."""
        return self._read(value, place, 0)

    def schema(self) -> Schema:
        """A reference to the definition that refers to itself."""
        return {"$ref": "#/$defs/condition"}

    def _read(self, value: object, place: Place, depth: int) -> Condition:
        nothing = Combination("all", ())
        if not isinstance(value, Mapping) or depth > _DEEPEST:
            place.note(f"must be a condition, at most {_DEEPEST} deep, not {shown(value)}")
            return nothing
        for how in ("all", "any"):
            if set(value) == {how}:
                inner = value[how]
                if not isinstance(inner, list) or not 1 <= len(inner) <= _MOST:
                    place.member(how).note(f"must be a list of 1 to {_MOST} conditions, not {shown(inner)}")
                    return nothing
                read = (self._read(e, place.member(how).member(i), depth + 1) for i, e in enumerate(inner))
                return Combination(how, tuple(read))
        if set(value) == {"not"}:
            return Combination("not", (self._read(value["not"], place.member("not"), depth + 1),))
        return self._comparison(value, place) or nothing

    def _comparison(self, value: Mapping[Any, Any], place: Place) -> Comparison | None:
        operator, variable = value.get("is"), value.get("variable")
        if not isinstance(operator, str) or operator not in OPERATORS:
            place.member("is").note(f"must be one of {', '.join(OPERATORS)}, not {shown(operator)}")
            return None
        wanted = {"variable", "is"} if operator in _UNARY else {"variable", "is", "value"}
        if set(value) != wanted:
            place.note(f"must have {', '.join(sorted(wanted))}, or one of all, any, not; not {shown(value)}")
            return None
        if not isinstance(variable, str) or not re.fullmatch(_PATH, variable):
            place.member("variable").note(f"must be the name of a variable, not {shown(variable)}")
            return None
        compared = JSON_TEMPLATE.read(value.get("value"), place.member("value"))
        return Comparison(variable, operator, compared)


CONDITION = ConditionKind()


def condition_schema() -> Schema:
    """The definition of a condition."""
    some = {"type": "array", "items": CONDITION.schema(), "minItems": 1, "maxItems": _MOST}
    combinations = [
        {
            "type": "object",
            "properties": {how: {**inner, "description": meaning}},
            "required": [how],
            "additionalProperties": False,
        }
        for how, inner, meaning in (
            ("all", some, "All of them have to hold."),
            ("any", some, "One of them has to hold."),
            ("not", CONDITION.schema(), "It must not hold."),
        )
    ]
    comparison = {
        "type": "object",
        "properties": {
            "variable": {
                "type": "string",
                "pattern": f"^(?:{_PATH})$",
                "description": "The variable that is looked at, such as `amount` or `caller.country`.",
            },
            "is": {
                "description": "How it compares with the value.",
                "enum": list(OPERATORS),
                "enumDescriptions": [OPERATOR_MEANINGS[each] for each in OPERATORS],
            },
            "value": {
                "description": "A text with variables, a number, true or false; for one_of a list. set and"
                " not_set have none."
            },
        },
        "required": ["variable", "is"],
        "additionalProperties": False,
    }
    return {
        "description": "A condition on variables.",
        "examples": [{"variable": "amount", "is": "more_than", "value": 100}],
        "anyOf": [comparison, *combinations],
    }
