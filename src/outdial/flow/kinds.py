"""The kinds of values that settings have: each reads a value of JSON, and says as JSON Schema what it takes.

A reader never raises: it notes a problem and returns a harmless value, so that one look finds every problem
of a flow.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

from outdial.flow.problem import Place
from outdial.flow.templates import Template, VariableName, check

Schema = dict[str, Any]

KEYS = "0123456789*#ABCD"
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LONGEST_TEXT = 4_000


class Kind(Protocol):
    """What a setting may hold."""

    def read(self, value: object, place: Place) -> Any:
        """The value as steps use it, after noting what is wrong with it."""
        ...

    def schema(self) -> Schema:
        """The same rule as JSON Schema."""
        ...


def shown(value: object) -> str:
    """A wrong value in a sentence, cut where it would be too long to read."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def meant(value: object, known: Iterable[str]) -> str:
    """The name that was probably meant, as the end of a sentence; empty if none is like it."""
    likely = get_close_matches(value[:100], known, n=1, cutoff=0.75) if isinstance(value, str) else []
    return f"; did you mean {likely[0]!r}?" if likely else ""


@dataclass(frozen=True)
class Plain:
    """A text without Liquid."""

    pattern: str | None = None
    what: str = "a text that is not empty"
    """What the pattern wants, for the sentence."""
    longest: int = _LONGEST_TEXT

    def read(self, value: object, place: Place) -> str:
        """A text."""
        fits = isinstance(value, str) and bool(value.strip()) and len(value) <= self.longest
        if fits and (self.pattern is None or re.fullmatch(self.pattern, str(value))):
            return str(value)
        place.note(f"must be {self.what}, not {shown(value)}")
        return ""

    def schema(self) -> Schema:
        """A string."""
        pattern = {} if self.pattern is None else {"pattern": f"^(?:{self.pattern})$"}
        return {"type": "string", "minLength": 1, "maxLength": self.longest, **pattern}


@dataclass(frozen=True)
class Templated:
    """A text in which Liquid is rendered. Numbers and booleans are taken for their texts."""

    empty: bool = False
    longest: int = _LONGEST_TEXT

    def read(self, value: object, place: Place) -> Template:
        """A template that can be rendered."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not (self.empty or value.strip()) or len(value) > self.longest:
            wanted = "a text" if self.empty else "a text that is not empty"
            place.note(f"must be {wanted}, at most {self.longest} characters long, not {shown(value)}")
            return Template("")
        problem = check(value)
        if problem is not None:
            place.note(problem)
            return Template("")
        return Template(value)

    def schema(self) -> Schema:
        """A string or a number."""
        return {"type": ["string", "number"], "minLength": 0 if self.empty else 1, "maxLength": self.longest}


@dataclass(frozen=True)
class Whole:
    """A whole number."""

    minimum: int
    maximum: int

    def read(self, value: object, place: Place) -> int:
        """A number from ``minimum`` to ``maximum``."""
        if isinstance(value, int) and not isinstance(value, bool) and self.minimum <= value <= self.maximum:
            return value
        place.note(f"must be a whole number from {self.minimum} to {self.maximum}, not {shown(value)}")
        return self.minimum

    def schema(self) -> Schema:
        """An integer."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True)
class Seconds:
    """A time span in seconds, kept as milliseconds."""

    minimum: float
    maximum: float

    def read(self, value: object, place: Place) -> int:
        """Milliseconds."""
        right = isinstance(value, int | float) and not isinstance(value, bool)
        if right and self.minimum <= value <= self.maximum:  # type: ignore[operator]  # it is a number
            return round(value * 1_000)  # type: ignore[operator]  # as above
        place.note(
            f"must be a number of seconds from {self.minimum:g} to {self.maximum:g}, not {shown(value)}"
        )
        return round(self.minimum * 1_000)

    def schema(self) -> Schema:
        """A number."""
        return {"type": "number", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True)
class Flag:
    """Yes or no."""

    def read(self, value: object, place: Place) -> bool:
        """A boolean."""
        if isinstance(value, bool):
            return value
        place.note(f"must be true or false, not {shown(value)}")
        return False

    def schema(self) -> Schema:
        """A boolean."""
        return {"type": "boolean"}


class Choice:
    """One of some words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def read(self, value: object, place: Place) -> str:
        """One of the words."""
        if isinstance(value, str) and value in self.words:
            return value
        place.note(f"must be one of {', '.join(self.words)}, not {shown(value)}")
        return self.words[0]

    def schema(self) -> Schema:
        """An enumeration."""
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Keys:
    """Keys of a telephone."""

    least: int = 0
    most: int = len(KEYS)

    def read(self, value: object, place: Place) -> str:
        """Keys, each once."""
        fits = isinstance(value, str) and self.least <= len(value) <= self.most
        if fits and set(str(value)) <= set(KEYS) and len(set(str(value))) == len(str(value)):
            return str(value)
        number = "one of the keys" if self.most == 1 else "some of the keys"
        place.note(f"must be a text of {number} {KEYS}, not {shown(value)}")
        return ""

    def schema(self) -> Schema:
        """A string of keys."""
        return {
            "type": "string",
            "pattern": "^[0-9*#A-D]*$",
            "minLength": self.least,
            "maxLength": self.most,
        }


@dataclass(frozen=True)
class Variable:
    """The name of a variable to set."""

    def read(self, value: object, place: Place) -> VariableName:
        """A name."""
        if isinstance(value, str) and VARIABLE_NAME.fullmatch(value):
            return VariableName(value)
        place.note(
            "must be the name of a variable, letters, digits and _ with no digit first, 64 at most, not"
            f" {shown(value)}"
        )
        return VariableName("")

    def schema(self) -> Schema:
        """A string."""
        return {"type": "string", "pattern": f"^{VARIABLE_NAME.pattern}$"}


@dataclass(frozen=True)
class Many:
    """A list; where it may hold one value, that value may stand without the list."""

    kind: Kind
    least: int = 1
    most: int = 50

    def read(self, value: object, place: Place) -> tuple[Any, ...]:
        """The values."""
        if not isinstance(value, Sequence) or isinstance(value, str):
            return (self.kind.read(value, place),)
        if not self.least <= len(value) <= self.most:
            place.note(f"must be a list of {self.least} to {self.most}, not of {len(value)}")
            return ()
        return tuple(self.kind.read(each, place.member(index)) for index, each in enumerate(value))

    def schema(self) -> Schema:
        """An array, or the value itself."""
        inner = self.kind.schema()
        listed = {"type": "array", "items": inner, "minItems": self.least, "maxItems": self.most}
        return {"anyOf": [inner, listed]}


@dataclass(frozen=True)
class Table:
    """An object whose members all have the same kind, by names of the author's."""

    kind: Kind
    name: str = r".{1,100}"
    """What a name must be like."""
    what: str = "names of 1 to 100 characters"
    least: int = 0
    most: int = 50

    def read(self, value: object, place: Place) -> dict[str, Any]:
        """The members."""
        if not isinstance(value, Mapping) or not self.least <= len(value) <= self.most:
            place.note(f"must be an object with {self.least} to {self.most} members, not {shown(value)}")
            return {}
        for name in value:
            if not isinstance(name, str) or not re.fullmatch(self.name, name):
                place.note(f"must be an object with {self.what}, not with {shown(name)}")
                return {}
        return {name: self.kind.read(each, place.member(name)) for name, each in value.items()}

    def schema(self) -> Schema:
        """An object."""
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^(?:{self.name})$"},
            "additionalProperties": self.kind.schema(),
            "minProperties": self.least,
            "maxProperties": self.most,
        }
