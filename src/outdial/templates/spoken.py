"""Liquid in what is spoken: a suffix says how to say a variable, as in `{{otp@digits}}`.

A text becomes pieces: plain text, and values that are said or played in a way of their own. The suffix may
stand wherever an output may, inside conditions as well, because it is rendered with the rest: as marks around
the value, which no variable can hold.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from outdial.errors import InvalidInput
from outdial.templates import template

Manner = Literal["digits", "number", "play", "sound"]
MANNERS: tuple[str, ...] = get_args(Manner)

_BEGIN, _MIDDLE, _END = "\ue0f0", "\ue0f1", "\ue0f2"  # private use: nothing that is said
_MARKS = str.maketrans("", "", _BEGIN + _MIDDLE + _END)
_OUTPUT = re.compile(r"""\{\{((?:[^{}@"']|"[^"]*"|'[^']*')*)@\s*(\w*)\s*\}\}""")
_MARKED = re.compile(f"{_BEGIN}([a-z]+){_MIDDLE}([^{_END}]*){_END}")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A value that is said or played in a manner of its own."""

    manner: Manner
    value: str


def check(source: str) -> None:
    """Raise InvalidInput with a sentence if `source` is not a text that may be spoken."""
    template.check(_marked(source))


def render(source: str, variables: Mapping[str, Any]) -> list[str | Spoken]:
    """Return the pieces of a text, without empty ones. Raises InvalidInput."""
    text = template.render(_marked(source), {name: _clean(value) for name, value in variables.items()})
    pieces: list[str | Spoken] = []
    at = 0
    for found in _MARKED.finditer(text):
        pieces += _text(text[at : found.start()])
        pieces.append(Spoken(cast("Manner", found[1]), found[2].strip()))
        at = found.end()
    pieces += _text(text[at:])
    return pieces


def _marked(source: str) -> str:
    return _OUTPUT.sub(_mark, source.translate(_MARKS))


def _mark(found: re.Match[str]) -> str:
    expression, manner = found[1], found[2]
    if manner not in MANNERS:
        names = ", ".join(f"@{each}" for each in MANNERS)
        raise InvalidInput(f"There is no way @{manner[:40]} to say a variable; there are {names}.")
    return f"{_BEGIN}{manner}{_MIDDLE}{{{{{expression}}}}}{_END}"


def _text(text: str) -> list[str | Spoken]:
    return [text] if text.strip() else []


def _clean(value: Any) -> Any:
    match value:
        case str():
            return value.translate(_MARKS)
        case Mapping():
            return {name: _clean(inner) for name, inner in value.items()}
        case list():
            return [_clean(inner) for inner in value]
        case _:
            return value
