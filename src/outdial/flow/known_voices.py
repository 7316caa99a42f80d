"""The voices that a server can speak with, as far as a flow has to know of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from outdial.domain.saying import PAUSES
from outdial.flow.templates import SPEAK_AS, Template, variables_of

_MOST_SHOWN = 10
_MOST_WORDS = 5
_TAG = re.compile(r"\{%.*?%\}", re.DOTALL)
_OUTPUT = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_BREAK = "\0"
"""Stands where a variable is spoken in its own way: the text around it is said by itself."""


@dataclass(frozen=True, slots=True)
class KnownVoices:
    """Ids of voices, and the languages that any text can be spoken in."""

    ids: frozenset[str]
    languages: frozenset[str]
    """BCP 47, such as ``en-US``; a voice speaks every region's variety of its language."""
    words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The recorded words of voices that say nothing else, in lower case, by the id of the voice."""

    def why_not(self, language: str, voice: str | None) -> str | None:
        """Why a text in a language cannot be spoken, by a voice or by the usual one; None if it can."""
        if voice is not None:
            if voice in self.ids:
                return None
            near = get_close_matches(voice, self.ids, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {_some(self.ids)}"
            return f"there is no voice {voice[:60]!r} here; {hint}"
        if _base(language) in map(_base, self.languages):
            return None
        return f"no voice here speaks {language}; texts are spoken in {_some(self.languages)}"

    def words_missing(self, text: Template, voice: str | None) -> str | None:
        """What stands in a text that a voice of recorded words has no word for; None if there is nothing."""
        if voice is None or voice not in self.words:
            return None
        lacking = [each for each in words_of(text) if each not in self.words[voice]]
        shown = [repr(each[:40]) for each in dict.fromkeys(lacking)]
        if any(found["how"] == "time" for found in SPEAK_AS.finditer(text.source)):
            shown.append("times of day")  # no grammar makes words of them
        if not shown:
            return None
        more = " …" if len(shown) > _MOST_WORDS else ""
        return f"{_only(voice)}, and not {', '.join(shown[:_MOST_WORDS])}{more}"

    def words_unknown(self, text: Template, voice: str | None) -> str | None:
        """Which variables a voice of recorded words will have to read; None if none."""
        if voice is None or voice not in self.words:
            return None
        names = sorted(variables_of(Template(_TAG.sub(" ", SPEAK_AS.sub(" ", text.source)))))
        return f"{_only(voice)}; what {', '.join(names)} will be has to be made of these" if names else None


def _only(voice: str) -> str:
    return f"the voice {voice} has recorded words only"


def words_of(text: Template) -> list[str]:
    """The words that are said whatever the variables are."""
    written = _OUTPUT.sub(" ", _TAG.sub(" ", SPEAK_AS.sub(_BREAK, text.source)))
    pieces = written.split(_BREAK)
    words = [word.rstrip(PAUSES).lower() for piece in pieces if _has_sound(piece) for word in piece.split()]
    return [word for word in words if word]


def _has_sound(piece: str) -> bool:
    return any(character.isalnum() for character in piece)


def _some(names: Iterable[str]) -> str:
    """The first of the names in alphabetical order."""
    ordered = sorted(names)
    more = f" and {len(ordered) - _MOST_SHOWN} more" if len(ordered) > _MOST_SHOWN else ""
    return (", ".join(ordered[:_MOST_SHOWN]) or "none") + more


def _base(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()
