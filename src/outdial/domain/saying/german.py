"""German. A number below a hundred is one word; larger ones are said as words that are written together."""

from datetime import date

from outdial.domain.saying.grammar import Currency, Grammar, Noun, by_thousands

_SMALL = (
    "null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf",
    "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn",
)  # fmt: skip
_TENS = ("", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")
_MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
    "Dezember",
)  # fmt: skip
_ORDINALS = {1: "erster", 3: "dritter", 7: "siebter", 8: "achter"}
_CENT = Noun("Cent", "Cent")
_CURRENCIES = {
    "EUR": Currency(Noun("Euro", "Euro"), _CENT),
    "USD": Currency(Noun("Dollar", "Dollar"), _CENT),
    "CHF": Currency(Noun("Franken", "Franken"), Noun("Rappen", "Rappen")),
    "GBP": Currency(Noun("Pfund", "Pfund"), Noun("Penny", "Pence")),
    "INR": Currency(Noun("Rupie", "Rupien", feminine=True), Noun("Paisa", "Paisa")),
}
_KEYS = {"*": "Stern", "#": "Raute"}
_UND, _EIN, _EINE, _HUNDERT, _TAUSEND = "und", "ein", "eine", "hundert", "tausend"
_POWERS = {2: ("Million", "Millionen"), 3: ("Milliarde", "Milliarden")}


def below_hundred(number: int) -> str:
    """`zweiundvierzig`."""
    if number < len(_SMALL):
        return _SMALL[number]
    tens, ones = divmod(number, 10)
    return f"{_EIN if ones == 1 else _SMALL[ones]}{_UND}{_TENS[tens]}" if ones else _TENS[tens]


def ordinal(number: int) -> str:
    """From 1 to 31: `dritter`, `einundzwanzigster`."""
    return _ORDINALS.get(number) or f"{below_hundred(number)}{'ter' if number < 20 else 'ster'}"


def cardinal(number: int) -> list[str]:
    """`zwei hundert fünf`, `eine Million`."""
    if number == 0:
        return [_SMALL[0]]
    words = []
    for group, power in by_thousands(number):
        if power in _POWERS:
            one, many = _POWERS[power]
            words += [_EINE, one] if group == 1 else [*_below_thousand(group), many]
        elif power:
            words += [*_counting(_below_thousand(group), _EIN), _TAUSEND]
        else:
            words += _below_thousand(group)
    return words


def count(number: int, noun: Noun) -> list[str]:
    """`ein Euro`, `eine Rupie`, `zwei Euro`."""
    words = cardinal(number)
    if number == 1:
        words = _counting(words, _EINE if noun.feminine else _EIN)
    return [*words, noun.of(number)]


def say_date(day: date) -> list[str]:
    """`dritter März zwei tausend sechsundzwanzig`."""
    century, rest = divmod(day.year, 100)
    year = (
        [below_hundred(century), _HUNDERT, *([below_hundred(rest)] if rest else [])]
        if 11 <= century <= 19
        else cardinal(day.year)
    )
    return [ordinal(day.day), _MONTHS[day.month - 1], *year]


def _below_thousand(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [*_counting([_SMALL[hundreds]], _EIN), _HUNDERT] if hundreds else []
    return [*words, *([below_hundred(rest)] if rest else [])]


def _counting(words: list[str], one: str) -> list[str]:
    """A final `eins` becomes `one` in front of what is counted."""
    return [*words[:-1], one if words[-1] == _SMALL[1] else words[-1]]


GERMAN = Grammar(
    language="de",
    digits=_SMALL[:10],
    keys=_KEYS,
    minus="minus",
    point="Komma",
    conjunction=_UND,
    cardinal=cardinal,
    count=count,
    date=say_date,
    currencies=_CURRENCIES,
    words=(
        tuple(below_hundred(number) for number in range(100)),
        tuple(ordinal(number) for number in range(1, 32)),
        _MONTHS,
        *_POWERS.values(),
        (_EIN, _EINE, _HUNDERT, _TAUSEND),
    ),
)
