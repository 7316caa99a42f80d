"""Spanish: "treinta y un mil", "veintiún dólares", "doscientas rupias"."""

from datetime import date

from outdial.domain.saying.grammar import Currency, Grammar, Noun, below_hundred, by_thousands

_SMALL = (
    "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce",
    "trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve", "veinte",
    "veintiuno", "veintidós", "veintitrés", "veinticuatro", "veinticinco", "veintiséis", "veintisiete",
    "veintiocho", "veintinueve",
)  # fmt: skip
_TENS = ("", "", "", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa")
_HUNDREDS = (
    "", "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos", "setecientos",
    "ochocientos", "novecientos",
)  # fmt: skip
_SHORT = {"uno": "un", "veintiuno": "veintiún"}
_FEMININE = {"uno": "una", "veintiuno": "veintiuna"}
_MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
    "noviembre", "diciembre",
)  # fmt: skip
_CENTAVO = Noun("centavo", "centavos")
_CURRENCIES = {
    "USD": Currency(Noun("dólar", "dólares"), _CENTAVO),
    "EUR": Currency(Noun("euro", "euros"), Noun("céntimo", "céntimos")),
    "MXN": Currency(Noun("peso", "pesos"), _CENTAVO),
    "GBP": Currency(Noun("libra", "libras", feminine=True), Noun("penique", "peniques")),
    "INR": Currency(Noun("rupia", "rupias", feminine=True), Noun("paisa", "paisas", feminine=True)),
}
_KEYS = {"*": "asterisco", "#": "almohadilla"}
_Y, _DE, _CIEN, _MIL, _MILLON, _MILLONES, _CON = "y", "de", "cien", "mil", "millón", "millones", "con"


def cardinal(number: int) -> list[str]:
    """`treinta y uno`, `mil doscientos`, `un millón`."""
    if number == 0:
        return [_SMALL[0]]
    millions, rest = divmod(number, 1_000_000)
    words = (
        [*_shortened(_below_million(millions)), _MILLON if millions == 1 else _MILLONES] if millions else []
    )
    return words + (_below_million(rest) if rest else [])


def count(number: int, noun: Noun) -> list[str]:
    """`un dólar`, `veintiuna rupias`, `un millón de euros`."""
    words = cardinal(number)
    words = _feminine(words) if noun.feminine else _shortened(words)
    of = [_DE] if number and number % 1_000_000 == 0 else []
    return [*words, *of, noun.of(number)]


def say_date(day: date) -> list[str]:
    """`tres de marzo de dos mil veintiséis`."""
    return [*cardinal(day.day), _DE, _MONTHS[day.month - 1], _DE, *cardinal(day.year)]


def _below_million(number: int) -> list[str]:
    words = []
    for group, power in by_thousands(number):
        if power:
            words += [*(_shortened(_below_thousand(group)) if group > 1 else []), _MIL]
        else:
            words += _below_thousand(group)
    return words


def _below_thousand(number: int) -> list[str]:
    if number == 100:
        return [_CIEN]
    hundreds, rest = divmod(number, 100)
    words = [_HUNDREDS[hundreds]] if hundreds else []
    return words + below_hundred(rest, _SMALL, _TENS, (_Y,))


def _shortened(words: list[str]) -> list[str]:
    """In front of a masculine noun, of `mil` and of `millones`."""
    return [*words[:-1], _SHORT.get(words[-1], words[-1])]


def _feminine(words: list[str]) -> list[str]:
    """In front of a feminine noun; what counts millions stays as it is."""
    start = next((at + 1 for at, word in enumerate(words) if word in (_MILLON, _MILLONES)), 0)
    changed = [f"{word[:-2]}as" if word in _HUNDREDS[2:] else word for word in words[start:]]
    changed[-1:] = [_FEMININE.get(word, word) for word in changed[-1:]]
    return words[:start] + changed


SPANISH = Grammar(
    language="es",
    digits=_SMALL[:10],
    keys=_KEYS,
    minus="menos",
    point="punto",
    conjunction=_CON,
    cardinal=cardinal,
    count=count,
    date=say_date,
    currencies=_CURRENCIES,
    words=(
        _SMALL,
        _TENS[3:],
        _HUNDREDS[1:],
        tuple(f"{word[:-2]}as" for word in _HUNDREDS[2:]),
        tuple(_SHORT.values()),
        tuple(_FEMININE.values()),
        _MONTHS,
        (_Y, _DE, _CIEN, _MIL, _MILLON, _MILLONES),
    ),
)
