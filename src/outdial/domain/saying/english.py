"""English, as in the United States: "one hundred five", "March third twenty twenty six"."""

from datetime import date

from outdial.domain.saying.grammar import Currency, Grammar, Noun, below_hundred, by_thousands

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_POWERS = ("", "thousand", "million", "billion")
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth", "twentieth",
)  # fmt: skip
_THIRTIETH = "thirtieth"
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_CURRENCIES = {
    "USD": Currency(Noun("dollar", "dollars"), Noun("cent", "cents")),
    "AUD": Currency(Noun("dollar", "dollars"), Noun("cent", "cents")),
    "CAD": Currency(Noun("dollar", "dollars"), Noun("cent", "cents")),
    "SGD": Currency(Noun("dollar", "dollars"), Noun("cent", "cents")),
    "EUR": Currency(Noun("euro", "euros"), Noun("cent", "cents")),
    "GBP": Currency(Noun("pound", "pounds"), Noun("penny", "pence")),
    "INR": Currency(Noun("rupee", "rupees"), Noun("paisa", "paise")),
    "AED": Currency(Noun("dirham", "dirhams"), Noun("fils", "fils")),
    "ZAR": Currency(Noun("rand", "rand"), Noun("cent", "cents")),
}
_KEYS = {"*": "star", "#": "pound"}
_HUNDRED, _OH, _AND = "hundred", "oh", "and"


def cardinal(number: int) -> list[str]:
    """`forty two`, `one thousand two hundred three`."""
    if number == 0:
        return [_SMALL[0]]
    words = []
    for group, power in by_thousands(number):
        words += _below_thousand(group)
        words += [_POWERS[power]] if power else []
    return words


def count(number: int, noun: Noun) -> list[str]:
    """`one dollar`, `two dollars`."""
    return [*cardinal(number), noun.of(number)]


def ordinal(number: int) -> list[str]:
    """From 1 to 31, the days of a month: `twenty first`."""
    if number <= len(_ORDINALS):
        return [_ORDINALS[number - 1]]
    tens, ones = divmod(number, 10)
    return [_TENS[tens], _ORDINALS[ones - 1]] if ones else [_THIRTIETH]


def year(number: int) -> list[str]:
    """`nineteen oh five`, `two thousand eight`, `twenty twenty six`."""
    century, rest = divmod(number, 100)
    if not 1_000 <= number < 10_000 or (century % 10 == 0 and rest < 10):
        return cardinal(number)
    if rest == 0:
        return [*cardinal(century), _HUNDRED]
    return [*cardinal(century), *([_OH] if rest < 10 else []), *cardinal(rest)]


def say_date(day: date) -> list[str]:
    """`March third twenty twenty six`."""
    return [_MONTHS[day.month - 1], *ordinal(day.day), *year(day.year)]


def _below_thousand(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [_SMALL[hundreds], _HUNDRED] if hundreds else []
    return words + below_hundred(rest, _SMALL, _TENS)


ENGLISH = Grammar(
    language="en",
    digits=_SMALL[:10],
    keys=_KEYS,
    minus="minus",
    point="point",
    conjunction=_AND,
    cardinal=cardinal,
    count=count,
    date=say_date,
    currencies=_CURRENCIES,
    words=(_SMALL, _TENS[2:], _POWERS[1:], _ORDINALS, _MONTHS, (_THIRTIETH, _HUNDRED, _OH)),
)
