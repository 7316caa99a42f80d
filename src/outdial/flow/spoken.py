"""Prompts as text, for people who read what a callee would hear."""

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

_MS_PER_CHARACTER = 65
_MS_OF_A_SOUND = 3_000
_MS_OF_A_BEEP = 500


def as_read(prompt: Prompt) -> str:
    """The prompt on one line: digits with spaces between, sounds in angle brackets, pauses left out."""
    return " ".join(text for text in map(_read, prompt) if text)


def about_ms(prompt: Prompt) -> int:
    """About how long it takes to say."""
    return sum(map(_ms, prompt))


def _read(item: Item) -> str:
    match item:
        case Sound(sound=sound):
            return f"<sound {sound}>"
        case Url(url=url):
            return f"<{url}>"
        case Text(text=text) | Number(number=text) | Date(date=text) | Time(time=text):
            return text
        case Digits(digits=digits):
            return " ".join(digits)
        case Currency(amount=amount, code=code):
            return f"{amount} {code}"
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
