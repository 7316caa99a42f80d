"""A prompt as its author writes it, and how it becomes what is played.

A part is a text, or an object that says what it is::

    "Your code is {{otp@digits}}."
    {"sound": "39888925-…"}      {"url": "https://…"}       {"pause": 0.5}      {"beep": true}
    {"text": "…", "language": "hi-IN", "voice": "…"}
    {"by_language": {"en-US": …, "hi-IN": …}}

and a prompt is one part or a list of them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import assert_never

from outdial.flow.speakable import (
    Beep,
    Currency,
    Date,
    Digits,
    Item,
    Number,
    Pause,
    Prompt,
    Sound,
    Text,
    Time,
    Url,
)
from outdial.flow.templates import SPEAK_AS, Template
from outdial.flow.values import as_number

HOWS = ("currency", "date", "digits", "number", "play", "sound", "time")
"""What may stand behind the ``@`` of a variable."""

_OPEN, _HOW, _CLOSE = "\x01", "\x02", "\x03"
_TIME = re.compile(r"\b((?:[01]\d|2[0-3]):[0-5]\d)")

Render = Callable[[Template], str]
"""Renders a template with the variables of a run; never raises."""


@dataclass(frozen=True, slots=True)
class SoundPart:
    """A stored sound."""

    sound: Template


@dataclass(frozen=True, slots=True)
class UrlPart:
    """An audio file."""

    url: Template


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text to be spoken, with variables that are spoken in their own way."""

    text: Template
    language: str | None = None
    """None: the one of the call."""
    voice: str | None = None

    @property
    def is_spoken(self) -> bool:
        """Whether there are words for a voice, and not only sounds that variables name."""
        words = SPEAK_AS.sub(lambda it: "" if it["how"] in ("play", "sound") else it[0], self.text.source)
        return any(character.isalnum() for character in words)

    def spoken_by(self, language: str, voice: str | None) -> tuple[str, str | None]:
        """The language and the voice of it in a call of that language and voice, which is not asked to speak
        another language."""
        other = self.language is not None and self.language != language
        return self.language or language, self.voice or (None if other else voice)


@dataclass(frozen=True, slots=True)
class PausePart:
    """Silence."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class BeepPart:
    """A tone."""


@dataclass(frozen=True, slots=True)
class LanguagePart:
    """Something else for each language."""

    by_language: Mapping[str, "PromptTemplate"]


Part = SoundPart | UrlPart | TextPart | PausePart | BeepPart | LanguagePart


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """Parts in order."""

    parts: tuple[Part, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parts)

    def render(self, render: Render, language: str, voice: str | None) -> Prompt:
        """What is to be played, in ``language`` where a part does not say another."""
        return tuple(item for part in self.parts for item in _items(part, render, language, voice))


@lru_cache(maxsize=1024)
def marked(text: Template) -> Template:
    """The same text with each ``{{value@how}}`` between marks, so that Liquid renders the value, and the way
    to speak it survives."""

    def mark(found: re.Match[str]) -> str:
        how = f"{found['how']}:{found['code']}" if found["code"] else found["how"]
        return f"{_OPEN}{how}{_HOW}{{{{{found['value']}}}}}{_CLOSE}"

    return Template(SPEAK_AS.sub(mark, text.source))


def _items(part: Part, render: Render, language: str, voice: str | None) -> Iterator[Item]:
    match part:
        case SoundPart(sound=sound):
            yield Sound(render(sound).strip())
        case UrlPart(url=url):
            yield Url(render(url).strip())
        case PausePart(duration_ms=duration_ms):
            yield Pause(duration_ms)
        case BeepPart():
            yield Beep()
        case LanguagePart(by_language=by_language):
            chosen = by_language.get(language) or next(iter(by_language.values()))
            yield from chosen.render(render, language, voice)
        case TextPart(text=text):
            yield from _spoken(render(marked(text)), *part.spoken_by(language, voice))
        case _:
            assert_never(part)


def _spoken(rendered: str, language: str, voice: str | None) -> Iterator[Item]:
    for position, piece in enumerate(re.split(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}", rendered)):
        text = piece.strip()
        if not text:
            continue
        if position % 2:
            how, _, value = text.partition(_HOW)
            item = _speak_as(how, value.strip(), language, voice)
            if item is not None:
                yield item
        elif any(character.isalnum() for character in text):
            yield Text(text, language, voice)


def _speak_as(how: str, value: str, language: str, voice: str | None) -> Item | None:
    """A variable in the way that its author wants, or as a text where its value does not suit that way."""
    if not value:
        return None
    match how.partition(":")[0]:
        case "play" if value.startswith(("http://", "https://")):
            return Url(value)
        case "sound":
            return Sound(value)
        case "digits":
            return Digits(value, language, voice)
        case "number" if as_number(value) is not None:
            return Number(value, language, voice)
        case "currency" if _is_amount(value):
            return Currency(value, how.partition(":")[2] or "USD", language, voice)
        case "date" if _is_date(value[:10]):
            return Date(value[:10], language, voice)
        case "time" if found := _TIME.search(value):
            return Time(found[1], language, voice)
        case _:
            return Text(value, language, voice)


def _is_amount(value: str) -> bool:
    try:  # a number such as 1e-99999999999999999999 is none that can be counted in money
        return as_number(value) is not None and Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return len(value) == 10
