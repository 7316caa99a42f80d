"""Regular expressions for digits that a callee enters, bounded so that none can hold the processor."""

import re

from outdial.flow.kinds import Schema, shown
from outdial.flow.problem import Place

_LONGEST = 100
_MOST_OPEN = 3
"""Repetitions without a fixed number. On 64 digits three of them try 64³ ways at worst, which is a moment."""
_ALLOWED = re.compile(
    r"(?:\\d|\[\^?(?:[0-9*#A-D]-?)+\]|[0-9*#A-D.|()?+*]|\(\?:|\\[*.+]|\{\d{1,2}(?:,\d{0,2})?\}|[$^])*"
)
_OPEN = re.compile(r"(?<!\\)[*+]|\{\d+,\d*\}")


class DigitPattern:
    """A regular expression over the keys of a telephone."""

    def read(self, value: object, place: Place) -> "re.Pattern[str] | None":
        """The pattern, compiled."""
        problem = self._problem(value)
        if problem is None:
            return re.compile(str(value))
        place.note(f"{problem}, not {shown(value)}")
        return None

    def schema(self) -> Schema:
        """A string."""
        return {"type": "string", "minLength": 1, "maxLength": _LONGEST, "format": "regex"}

    def _problem(self, value: object) -> str | None:
        if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST:
            return f"must be a regular expression of at most {_LONGEST} characters"
        if not _ALLOWED.fullmatch(value):
            return "must be a regular expression of digits, \\d, [], (), |, ., ?, +, * and {}"
        if re.search(r"\)[*+{]", value):
            return "must not repeat a group"
        if len(_OPEN.findall(value)) > _MOST_OPEN:
            return f"must not have more than {_MOST_OPEN} repetitions without a fixed number"
        try:
            re.compile(value)
        except re.error as error:
            return f"must be a regular expression ({error})"
        return None
