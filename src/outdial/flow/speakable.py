"""What a flow lets the callee hear, as values: the runtime turns each into audio.

A prompt is a tuple of these, played one after the other without a gap. All Liquid is done by then: nothing
here is a template.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sound:
    """A stored sound, by id."""

    sound: str


@dataclass(frozen=True, slots=True)
class Url:
    """An audio file to be fetched: ``http`` or ``https``."""

    url: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be spoken."""

    text: str
    language: str
    """BCP 47, such as ``en-US``."""
    voice: str | None = None
    """Id of a voice; None: the usual one of the language."""


@dataclass(frozen=True, slots=True)
class Digits:
    """Characters to be said one by one: ``1234`` is "one two three four"."""

    digits: str
    language: str
    voice: str | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A number to be said as one: ``1234`` is "one thousand two hundred thirty-four"."""

    number: str
    """Decimal, such as ``-12.5``."""
    language: str
    voice: str | None = None


@dataclass(frozen=True, slots=True)
class Date:
    """A calendar day."""

    date: str
    """``YYYY-MM-DD``."""
    language: str
    voice: str | None = None


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day."""

    time: str
    """``HH:MM``, of 24 hours."""
    language: str
    voice: str | None = None


@dataclass(frozen=True, slots=True)
class Currency:
    """An amount of money."""

    amount: str
    """Decimal, such as ``12.50``."""
    code: str
    """ISO 4217, such as ``EUR``."""
    language: str
    voice: str | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class Beep:
    """The tone before a recording."""


Item = Sound | Url | Text | Digits | Number | Date | Time | Currency | Pause | Beep

Prompt = tuple[Item, ...]
