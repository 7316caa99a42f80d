"""The words of what a flow says: a grammar makes them of numbers, dates and amounts."""

from datetime import date
from decimal import Decimal
from typing import assert_never

from outdial.domain.prompt import Prompt
from outdial.domain.saying import language_of, say_amount, say_date, say_digits, say_number
from outdial.errors import Unspeakable
from outdial.flow.known_voices import KnownVoices
from outdial.flow.speakable import Currency, Date, Digits, Number, Text, Time
from outdial.speech.voices import Voices

Spoken = Text | Digits | Number | Date | Time | Currency


def known_voices(voices: Voices) -> KnownVoices:
    """What lint has to know of the voices, so that it finds the items that `prompt_of` refuses."""
    words = {each.id: each.words for each in voices.all if each.words is not None}
    return KnownVoices(frozenset(each.id for each in voices.all), frozenset(voices.languages), words)


def prompt_of(item: Spoken, voices: Voices) -> Prompt:
    """What an engine has to say for an item. Raises Unspeakable where no voice is for it."""
    voice = voices.choose(item.language) if item.voice is None else voices.get(item.voice)
    if voice is None:
        raise Unspeakable(f"no voice {item.voice or item.language!r} is on this server")
    words = _words(item, language_of(voice.language))
    return Prompt(voice=voice.id, revision=voices.revision_of(voice), parts=(words,))


def _words(item: Spoken, language: str) -> str:
    """What an engine says for an item; it reads in its own way what a grammar does not know."""
    match item:
        case Text(text=text):
            return " ".join(text.split())
        case Digits(digits=digits):
            return ", ".join(say_digits(digits, language))
        case Number(number=number):
            return " ".join(say_number(number, language))
        case Date(date=day):
            return " ".join(say_date(date.fromisoformat(day), language))
        case Time(time=time):
            return time
        case Currency(amount=amount, code=code):
            return " ".join(say_amount(Decimal(amount), code, language))
        case _:
            assert_never(item)
