"""The filters that templates may use: the family's and no others, none of which can grow without bound.

Most are Liquid's own. `slice` without a length goes on to the end, and `date_format` takes PHP's letters, as
the family's examples have it (`{{mobile|slice:-10}}`, `{{start_at|date_format:'d/m/Y'}}`).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from liquid.builtin import register
from liquid.environment import Environment
from liquid.exceptions import FilterArgumentError, FilterValueError

LONGEST_VALUE = 64 * 1024
"""Characters of a text, items of a list."""
_LARGEST_NUMBER = 10**30

_OF_LIQUID = (
    "append", "ceil", "default", "divided_by", "downcase", "escape", "first", "floor", "lstrip", "minus",
    "modulo", "plus", "prepend", "round", "rstrip", "size", "split", "strip", "times", "upcase", "url_encode",
)  # fmt: skip

Filter = Callable[..., Any]

_BY_STRFTIME = {
    "d": "%d", "D": "%a", "l": "%A", "m": "%m", "M": "%b", "F": "%B", "Y": "%Y", "y": "%y",
    "H": "%H", "h": "%I", "i": "%M", "s": "%S", "A": "%p", "N": "%u", "w": "%w", "z": "%j",
}  # fmt: skip
_BY_VALUE: Mapping[str, Callable[[datetime], object]] = {
    "j": lambda at: at.day,
    "n": lambda at: at.month,
    "G": lambda at: at.hour,
    "g": lambda at: at.hour % 12 or 12,
    "a": lambda at: "am" if at.hour < 12 else "pm",
    "U": lambda at: int(at.timestamp()),
}


def add_filters(environment: Environment) -> None:
    """Give an environment these filters in place of all that it has."""
    theirs = _filters_of_liquid()
    environment.filters.clear()
    for name in _OF_LIQUID:
        environment.add_filter(name, _bounded(theirs[name]))
    environment.add_filter("slice", _bounded(slice_))
    environment.add_filter("date_format", _bounded(date_format))


def slice_(value: object, start: object, length: object = None) -> object:
    """Return a part of a text or list; a negative start counts from the end, no length means all the rest."""
    sequence = value if isinstance(value, list) else _text(value)
    begin = _whole(start)
    if begin < 0:
        begin = max(0, len(sequence) + begin)
    return sequence[begin:] if length is None else sequence[begin : begin + max(0, _whole(length))]


def date_format(value: object, form: object) -> str:
    """Write a time by PHP's letters; what is no time stays as it is. A backslash keeps a letter."""
    at = _datetime(value)
    if at is None:
        return _text(value)
    written = []
    letters = iter(_text(form))
    for letter in letters:
        if letter == "\\":
            written.append(next(letters, ""))
        elif letter in _BY_VALUE:
            written.append(str(_BY_VALUE[letter](at)))
        else:
            written.append(at.strftime(_BY_STRFTIME[letter]) if letter in _BY_STRFTIME else letter)
    return "".join(written)


def _filters_of_liquid() -> dict[str, Filter]:
    plain = Environment()
    register(plain)
    return plain.filters


def _bounded(inner: Filter) -> Filter:
    """Refuse values, before and after, that a template could make grow from step to step."""

    @wraps(inner)
    def bounded(value: object, *arguments: object, **named: object) -> Any:
        for each in (value, *arguments):
            _check(each)
        result = inner(value, *arguments, **named)
        _check(result)
        return result

    return bounded


def _check(value: object) -> None:
    if isinstance(value, range):
        raise FilterValueError("ranges are not available", token=None)
    if isinstance(value, int | float) and not abs(value) <= _LARGEST_NUMBER:
        raise FilterValueError("a number became too large", token=None)
    if isinstance(value, str | list | tuple) and len(value) > LONGEST_VALUE:
        raise FilterValueError("a value became too long", token=None)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _whole(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise FilterArgumentError("slice takes whole numbers", token=None) from None


def _datetime(value: object) -> datetime | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC) if 0 <= value < 2**33 else None
    try:
        return datetime.fromisoformat(_text(value))
    except ValueError:
        return None
