"""Prompts as text, for people who read what a callee would hear."""

import re
from datetime import date
from decimal import Decimal
from typing import assert_never

from outdial.domain.saying import language_of, say_amount, say_date
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

_MS_PER_CHARACTER = 65
_MS_OF_A_SOUND = 3_000
_MS_OF_A_BEEP = 500
_CLOSING = re.compile(r"[.,;:!?\u2026\u0964)\]]+(?:\s|$)")
"""What stands right behind the word before it: the rest of a sentence that a variable was cut out of."""


def as_read(prompt: Prompt) -> str:
    """The prompt on one line: dates and amounts as they are said, digits with spaces between, sounds in angle
    brackets, pauses left out.
    """
    line = ""
    for text in filter(None, map(_read, prompt)):
        line += text if not line or _CLOSING.match(text) else f" {text}"
    return line


def about_ms(prompt: Prompt) -> int:
    """About how long it takes to say."""
    return sum(map(_ms, prompt))


def _read(item: Item) -> str:
    match item:
        case Sound(sound=sound):
            return f"<sound {sound}>"
        case Url(url=url):
            return f"<{url}>"
        case Text(text=text) | Number(number=text) | Time(time=text):
            return text
        case Digits(digits=digits):
            return " ".join(digits)
        case Date(date=day, language=language):
            return " ".join(say_date(date.fromisoformat(day), language_of(language)))
        case Currency(amount=amount, code=code, language=language):
            return " ".join(say_amount(Decimal(amount), code, language_of(language)))
        case Pause():
            return ""
        case Beep():
            return "<beep>"
        case _:
            assert_never(item)


def _ms(item: Item) -> int:
    match item:
        case Sound() | Url():
            return _MS_OF_A_SOUND
        case Pause(duration_ms=duration_ms):
            return duration_ms
        case Beep():
            return _MS_OF_A_BEEP
        case _:
            return _MS_PER_CHARACTER * len(_read(item))
