"""Liquid in addresses and bodies. Texts without any are what they are, and cost nothing."""

from collections.abc import Mapping
from typing import Any

from outdial.errors import InvalidInput

LONGEST_SOURCE = 8 * 1024
_MARKS = ("{{", "{%")


def is_dynamic(text: str) -> bool:
    """Tell whether a text has anything to render."""
    return any(mark in text for mark in _MARKS)


def check(source: str) -> None:
    """Raise InvalidInput with a sentence if `source` is not a template that may be used."""
    if is_dynamic(source):
        _bound(source)
        from outdial.templates import sandbox

        sandbox.check(source)


def render(source: str, variables: Mapping[str, Any]) -> str:
    """Return the text of a template; what is not defined is empty. Raises InvalidInput."""
    if not is_dynamic(source):
        return source
    _bound(source)
    from outdial.templates import sandbox

    return sandbox.render(source, variables)


def variables_of(source: str) -> set[str]:
    """The names of the variables that a template takes from outside, without what follows a dot. Raises
    InvalidInput."""
    if not is_dynamic(source):
        return set()
    _bound(source)
    from outdial.templates import sandbox

    return sandbox.variables_of(source)


def _bound(source: str) -> None:
    if len(source) > LONGEST_SOURCE:
        raise InvalidInput(f"The template is {len(source)} characters long; {LONGEST_SOURCE} are accepted.")
