"""Texts of a definition with Liquid in them."""

import re
from dataclasses import dataclass

from outdial.errors import InvalidInput
from outdial.flow.values import Variables
from outdial.templates import template


class VariableName(str):
    """The name of a variable that a step sets, as a definition has it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A text with Liquid in it, or without."""

    source: str

    def render(self, variables: Variables) -> str:
        """The text. Raises InvalidInput where a filter cannot take its value."""
        return template.render(self.source, variables)

    def __bool__(self) -> bool:
        return bool(self.source)


SPEAK_AS = re.compile(r"\{\{(?P<value>[^{}]*?)@(?P<how>[a-z]+)(?::(?P<code>[A-Z]{3}))?\s*\}\}")
"""The family's suffix that says how a variable is spoken: ``{{otp@digits}}``, ``{{due@currency:EUR}}``."""


def check(source: str) -> str | None:
    """A sentence on what is wrong with a template, or None."""
    try:
        template.check(source)
    except InvalidInput as error:
        return str(error)
    return None


def variables_of(text: Template) -> set[str]:
    """The names of the variables that a template takes from outside."""
    return template.variables_of(text.source)
