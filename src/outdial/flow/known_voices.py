"""The voices that a server can speak with, as far as a flow has to know of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class KnownVoices:
    """Ids of voices, and the languages that any text can be spoken in."""

    ids: frozenset[str]
    languages: frozenset[str]
    """BCP 47, such as ``en-US``; a voice speaks every region's variety of its language."""

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


def _some(names: Iterable[str]) -> str:
    """The first of the names in alphabetical order."""
    ordered = sorted(names)
    more = f" and {len(ordered) - _MOST_SHOWN} more" if len(ordered) > _MOST_SHOWN else ""
    return (", ".join(ordered[:_MOST_SHOWN]) or "none") + more


def _base(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()
