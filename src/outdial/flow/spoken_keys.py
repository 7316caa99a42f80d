"""The keys that a prompt tells the callee to press: "press 1", "pulse la tecla dos", "1 दबाएँ"."""

import re
from collections.abc import Iterator, Mapping

from outdial.domain.saying import GRAMMARS

_VERBS = (
    # English, Spanish, German, French, Italian, Portuguese
    r"press(?:ing)?|dial|push",
    r"puls[ea]r?|presion[ea]r?|oprim[ae]|marque|marca|digite",
    r"drücken sie|drücke|wählen sie|tippen sie",
    r"appuyez sur|tapez|composez",
    r"prem[aie]|premere|digit[ia]",
    r"pressione|aperte|tecle|prima",
)
_ARTICLES = r"the|el|la|die|den|le|il|lo|o|a|as?"
_NOUNS = r"key|number|digit|button|tecla|número|dígito|botón|taste|ziffer|touche|chiffre|tasto|numero|cifra"
_NAMED: Mapping[str, str] = {
    **dict.fromkeys(("star", "asterisk", "asterisco", "estrella", "estrela", "stern", "étoile"), "*"),
    **dict.fromkeys(("hash", "pound", "numeral", "almohadilla", "raute", "dièse", "cancelletto"), "#"),
}
_WORDS: Mapping[str, str] = {
    **{
        word.lower(): str(digit) for grammar in GRAMMARS.values() for digit, word in enumerate(grammar.digits)
    },
    **_NAMED,
}
_KEY = rf"(\d|[*#]|{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
_AFTER_A_VERB = re.compile(
    rf"\b(?:{'|'.join(_VERBS)})\s+(?:(?:{_ARTICLES})\s+)?(?:(?:{_NOUNS})\s+)?{_KEY}(?![\d\w])(?!\s+of\b)",
    re.IGNORECASE,
)
_BEFORE_A_VERB = re.compile(rf"(?<![\d\w]){_KEY}\s+(?:पर\s+)?(?:दबा|press\s+kar)", re.IGNORECASE)


def spoken_keys(text: str) -> Iterator[str]:
    """Each key that a text tells to press, in any of the languages that are known here."""
    for pattern in (_AFTER_A_VERB, _BEFORE_A_VERB):
        for found in pattern.finditer(text):
            yield _WORDS.get(found[1].lower(), found[1])
