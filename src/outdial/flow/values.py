"""The values of variables: what JSON has, cleaned and bounded when they enter a flow."""

import math
from collections.abc import Mapping
from typing import Any

Value = str | int | float | bool | list[Any] | dict[str, Any] | None
"""What a variable may hold."""

Variables = Mapping[str, Value]

LONGEST_TEXT = 10_000
MOST_MEMBERS = 1_000
_DEEPEST = 10
_LARGEST_NUMBER = 10**30
_EXACT = 2**53
"""Below it a floating-point number that is whole is the whole number."""
_CONTROL = {code: None for code in range(32) if chr(code) not in "\t\n\r"}


def clean(value: object, depth: int = 0) -> Value:
    """Return ``value`` as a variable may hold it: no control characters, texts and lists cut at their bounds.

    Control characters have no sound, and prompts use some of them as marks. What JSON does not have, is too
    deep or no finite number becomes None; a whole number has no point.
    """
    match value:
        case None | bool():
            return value
        case str():
            return value[:LONGEST_TEXT].translate(_CONTROL)
        case float() if value.is_integer() and abs(value) < _EXACT:
            return int(value)  # 5.0 seconds are said as 5
        case int() | float():
            return value if abs(value) <= _LARGEST_NUMBER else None
        case Mapping() if depth < _DEEPEST:
            return {
                str(clean(str(name))): clean(each, depth + 1)
                for name, each in list(value.items())[:MOST_MEMBERS]
            }
        case list() | tuple() if depth < _DEEPEST:
            return [clean(each, depth + 1) for each in value[:MOST_MEMBERS]]
        case _:
            return None


def as_number(value: object) -> float | int | None:
    """A value as a number: digits that somebody pressed are a text, and count as one. None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(value) if value.strip().lstrip("+-").isdecimal() else number


def as_boolean(value: object) -> bool | None:
    """A value as a boolean: JSON's own, or the words and numbers for it. None if it is none."""
    if isinstance(value, bool):
        return value
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}.get(
        as_text(value).strip().lower()
    )


def as_text(value: object) -> str:
    """A value as Liquid writes it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < _EXACT:
            return str(int(value))
        case list():
            return ", ".join(as_text(each) for each in value)
        case _:
            return str(value)


def lookup(variables: Variables, path: str) -> Value:
    """The value that a dotted name such as ``caller.country`` or ``items.0.id`` means; None if there is
    none."""
    found: Any = variables
    for name in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    result: Value = found
    return result
