"""Hindi: every number below a hundred has a word of its own; then सौ, हज़ार, लाख (10^5) and करोड़ (10^7)."""

from datetime import date

from outdial.domain.saying.grammar import Currency, Grammar, Noun

_BELOW_HUNDRED = (
    "शून्य", "एक", "दो", "तीन", "चार", "पाँच", "छह", "सात", "आठ", "नौ",
    "दस", "ग्यारह", "बारह", "तेरह", "चौदह", "पंद्रह", "सोलह", "सत्रह", "अठारह", "उन्नीस",
    "बीस", "इक्कीस", "बाईस", "तेईस", "चौबीस", "पच्चीस", "छब्बीस", "सत्ताईस", "अट्ठाईस", "उनतीस",
    "तीस", "इकतीस", "बत्तीस", "तैंतीस", "चौंतीस", "पैंतीस", "छत्तीस", "सैंतीस", "अड़तीस", "उनतालीस",
    "चालीस", "इकतालीस", "बयालीस", "तैंतालीस", "चौवालीस", "पैंतालीस", "छियालीस", "सैंतालीस", "अड़तालीस", "उनचास",
    "पचास", "इक्यावन", "बावन", "तिरपन", "चौवन", "पचपन", "छप्पन", "सत्तावन", "अट्ठावन", "उनसठ",
    "साठ", "इकसठ", "बासठ", "तिरसठ", "चौंसठ", "पैंसठ", "छियासठ", "सड़सठ", "अड़सठ", "उनहत्तर",
    "सत्तर", "इकहत्तर", "बहत्तर", "तिहत्तर", "चौहत्तर", "पचहत्तर", "छिहत्तर", "सतहत्तर", "अठहत्तर", "उनासी",
    "अस्सी", "इक्यासी", "बयासी", "तिरासी", "चौरासी", "पचासी", "छियासी", "सत्तासी", "अट्ठासी", "नवासी",
    "नब्बे", "इक्यानवे", "बानवे", "तिरानवे", "चौरानवे", "पचानवे", "छियानवे", "सत्तानवे", "अट्ठानवे", "निन्यानवे",
)  # fmt: skip
_SCALES = ((10**7, "करोड़"), (10**5, "लाख"), (1_000, "हज़ार"), (100, "सौ"))
_MONTHS = (
    "जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर",
)  # fmt: skip
_CURRENCIES = {
    "INR": Currency(Noun("रुपया", "रुपये"), Noun("पैसा", "पैसे")),
    "USD": Currency(Noun("डॉलर", "डॉलर"), Noun("सेंट", "सेंट")),
    "EUR": Currency(Noun("यूरो", "यूरो"), Noun("सेंट", "सेंट")),
}
_KEYS = {"*": "स्टार", "#": "हैश"}
_AND, _MINUS, _POINT, _FIRST = "और", "माइनस", "दशमलव", "पहली"


def cardinal(number: int) -> list[str]:
    """`बयालीस`, `एक लाख बीस हज़ार`."""
    if number < len(_BELOW_HUNDRED):
        return [_BELOW_HUNDRED[number]]
    words = []
    for size, name in _SCALES:
        times, number = divmod(number, size)
        words += [*cardinal(times), name] if times else []
    return [*words, _BELOW_HUNDRED[number]] if number else words


def count(number: int, noun: Noun) -> list[str]:
    """`एक रुपया`, `दो रुपये`."""
    return [*cardinal(number), noun.of(number)]


def say_date(day: date) -> list[str]:
    """`तीन मार्च दो हज़ार छब्बीस`."""
    first = [_FIRST] if day.day == 1 else cardinal(day.day)
    hundreds, rest = divmod(day.year, 100)
    if 11 <= hundreds <= 19:
        year = [*cardinal(hundreds), _SCALES[-1][1], *(cardinal(rest) if rest else [])]
    else:
        year = cardinal(day.year)
    return [*first, _MONTHS[day.month - 1], *year]


HINDI = Grammar(
    language="hi",
    digits=_BELOW_HUNDRED[:10],
    keys=_KEYS,
    minus=_MINUS,
    point=_POINT,
    conjunction=_AND,
    cardinal=cardinal,
    count=count,
    date=say_date,
    currencies=_CURRENCIES,
    words=(_BELOW_HUNDRED, tuple(name for _, name in _SCALES), _MONTHS, (_FIRST,)),
)
