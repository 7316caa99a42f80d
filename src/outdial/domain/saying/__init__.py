"""Numbers, digits, dates and amounts as words, in several languages: pure, a file for each language.

The words are the language's own, one a list item, so that a speech engine says them joined with spaces and a
set of recorded words plays them one after the other. A language that is not here keeps what is written, which
speech engines read in their own way.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from outdial.domain.saying.english import ENGLISH
from outdial.domain.saying.german import GERMAN
from outdial.domain.saying.grammar import Grammar
from outdial.domain.saying.hindi import HINDI
from outdial.domain.saying.spanish import SPANISH

GRAMMARS: Mapping[str, Grammar] = {each.language: each for each in (ENGLISH, SPANISH, GERMAN, HINDI)}
"""By language, as BCP 47 has it without a region."""

PAUSES = ",.;:!?"
"""What may stand behind a word where recorded words are said: a pause."""
LARGEST = 10**12
"""Numbers from here on are said digit by digit."""
_NUMBER = re.compile(r"([-+\u2212]?)(\d{1,3}(?:,\d{2,3})+|\d+)(?:\.(\d{1,20}))?", re.ASCII)
_DIGIT = {str(digit): digit for digit in range(10)}


def language_of(tag: str) -> str:
    """The language in a tag of BCP 47: `en` of `en-US`."""
    return tag.replace("_", "-").partition("-")[0].lower()


def say_digits(text: str, language: str) -> list[str]:
    """Every digit and letter by itself; what stands between them is left out. `*` and `#` have names."""
    grammar = GRAMMARS.get(language)
    words = []
    for letter in text:
        if grammar is not None and letter in _DIGIT:
            words.append(grammar.digits[_DIGIT[letter]])
        elif grammar is not None and letter in grammar.keys:
            words.append(grammar.keys[letter])
        elif letter.isalnum():
            words.append(letter)
    return words


def say_number(text: str, language: str) -> list[str]:
    """A number such as `-1,234.50` as words; what is none stays as it is."""
    grammar = GRAMMARS.get(language)
    found = _NUMBER.fullmatch(text.strip())
    if grammar is None or found is None:
        return [text.strip()] if text.strip() else []
    sign, whole, decimals = found[1], found[2].replace(",", ""), found[3]
    words = [grammar.minus] if sign not in ("", "+") else []
    words += _whole(whole, grammar)
    if decimals:
        words += [grammar.point, *(grammar.digits[int(digit)] for digit in decimals)]
    return words


def say_amount(amount: Decimal, currency: str, language: str) -> list[str]:
    """An amount of money as words. A currency (ISO 4217) without a name here is said letter by letter.

    Rounded to hundredths, half to even.
    """
    grammar = GRAMMARS.get(language)
    if grammar is None or not amount.is_finite() or abs(amount) >= LARGEST:
        return [f"{amount} {currency}"]
    hundredths = int(abs(amount * 100).to_integral_value())
    units, cents = divmod(hundredths, 100)
    names = grammar.currencies.get(currency.upper())
    minus = [grammar.minus] if amount < 0 and hundredths else []
    if names is None:
        return [
            *minus,
            *say_number(f"{units}.{cents:02}" if cents else str(units), language),
            *currency.upper(),
        ]
    words = []
    if units or not cents:
        words += grammar.count(units, names.unit)
    if cents:
        words += [grammar.conjunction] if words else []
        words += grammar.count(cents, names.cent)
    return [*minus, *words]


def say_date(day: date, language: str) -> list[str]:
    """A day as words: `March third twenty twenty six`."""
    grammar = GRAMMARS.get(language)
    return [day.isoformat()] if grammar is None else grammar.date(day)


def _whole(digits: str, grammar: Grammar) -> list[str]:
    number = int(digits) if len(digits) <= 40 else LARGEST
    if number >= LARGEST or (len(digits) > 1 and digits[0] == "0"):
        return [grammar.digits[int(digit)] for digit in digits]
    return grammar.cardinal(number)
