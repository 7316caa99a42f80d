"""Whom a request wants to call: a number, a list of numbers, or numbers with commas or line ends between."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from outdial.api.fields import as_list
from outdial.domain.phone_number import PhoneNumber
from outdial.errors import InvalidPhoneNumber

_MOST_BAD_NUMBERS_SHOWN = 10
_LONGEST_NUMBER_SHOWN = 40
_SEPARATORS = re.compile(r"[,;\r\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One entry of a list that is not called, while the others are."""

    position: int
    """How many usable numbers of the request come before it."""
    mobile: str
    sentence: str


@dataclass(slots=True)
class Recipients:
    """What was read; without `wrong` at least one number."""

    numbers: list[PhoneNumber] = field(default_factory=list)
    """Without duplicates, in the order in which they came."""
    refused: list[Refused] = field(default_factory=list)
    """What stood among them and is no number, or came twice."""
    wrong: list[str] = field(default_factory=list)
    """Why nobody can be called, in sentences."""


def read_recipients(value: Any, *, most: int) -> Recipients:
    """Read the parameter `to`, of up to `most` numbers."""
    value = as_list(value)
    if isinstance(value, dict | bool | float):
        kinds = "a number, a list of numbers, or numbers with commas between"
        return Recipients(wrong=[f"to should be {kinds}, not {_shown(value)}."])
    parts = _parts(value)
    if not parts:
        sentence = "to is missing: the number to call, with country code, as in to=918867135000."
        return Recipients(wrong=[sentence])
    if len(parts) > most:
        return Recipients(wrong=[f"to holds {len(parts)} numbers; {most} are accepted at once."])
    return _numbers(parts)


def _parts(value: Any) -> list[object]:
    """The entries of a list; a comma too many is no harm, but a row without a number is one of its list."""
    if not isinstance(value, list):
        return _split(value) if isinstance(value, str) else [] if value is None else [value]
    parts: list[object] = []
    for each in value:
        parts += (_split(each) or [each]) if isinstance(each, str) else [each]
    return parts


def _split(text: str) -> list[object]:
    return [part for part in _SEPARATORS.split(text) if part.strip()]


def _numbers(parts: list[object]) -> Recipients:
    """The usable ones; those that are not are refused one by one, unless there is no other."""
    numbers: dict[str, PhoneNumber] = {}
    refused: list[Refused] = []
    for part in parts:
        try:
            number = _number(part)
        except InvalidPhoneNumber as error:
            text = part.strip()[:_LONGEST_NUMBER_SHOWN] if isinstance(part, str) else _shown(part)
            refused.append(Refused(position=len(numbers), mobile=text, sentence=str(error)))
            continue
        if number.digits in numbers:
            sentence = f"{number.digits} stands in the list more than once; it is called once."
            refused.append(Refused(position=len(numbers), mobile=number.digits, sentence=sentence))
        numbers.setdefault(number.digits, number)
    wrong = [] if numbers else refusals(each.sentence for each in refused)
    return Recipients(list(numbers.values()), refused, wrong)


def _number(part: object) -> PhoneNumber:
    """One entry of a list. Raises InvalidPhoneNumber."""
    if isinstance(part, bool) or not isinstance(part, str | int):
        raise InvalidPhoneNumber(
            f"{_shown(part)} is not a phone number: write digits with country code, as in 918867135000."
        )
    return PhoneNumber.parse(str(part))


def _shown(value: object) -> str:
    """A value as JSON writes it, as much of it as a person needs."""
    return json.dumps(value, ensure_ascii=False)[:_LONGEST_NUMBER_SHOWN]


def refusals(sentences: Iterable[str]) -> list[str]:
    """What is said where no number of a request can be called: the first sentences, and how many more."""
    found = list(sentences)
    more = len(found) - _MOST_BAD_NUMBERS_SHOWN
    shown = found[:_MOST_BAD_NUMBERS_SHOWN]
    return [*shown, f"{more} more numbers cannot be used."] if more > 0 else shown
