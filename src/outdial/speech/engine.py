"""What a speech engine is to everybody else: voices, and texts that become sound files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

LONGEST_TEXT = 4_000
"""Characters that an engine is asked to say at once, some five minutes; servers' own limit is about that."""

Gender = Literal["female", "male", "neutral"]


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice of one engine."""

    engine: str
    name: str
    """The engine's own name of it."""
    language: str
    """BCP 47: `en-US`, `hi`."""
    gender: Gender
    words: frozenset[str] | None = None
    """The recorded words that it has, in lower case, if it says nothing else; None: it reads any text."""

    @property
    def for_words(self) -> bool:
        """Whether it has recorded words only, so that it is never chosen for a text by its language."""
        return self.words is not None

    @property
    def id(self) -> str:
        """The name of the voice among those of all engines: `pico:en-US`."""
        return f"{self.engine}:{self.name}"


def parse_server_voice(text: str) -> Voice:
    """Read `name:language:gender`, as the settings have it. Raises ValueError with a sentence."""
    match text.split(":"):
        case [name, language, ("female" | "male" | "neutral") as gender] if name and language:
            return Voice("http", name, language, gender)
        case _:
            raise ValueError(
                f"{text!r} should be name:language:gender, such as nova:en-US:female; genders are female,"
                " male and neutral"
            )


class SpeechEngine(Protocol):
    """Says texts. An engine bounds itself: time, memory, the size of what it writes."""

    name: str
    revision: str
    """Changes when the same text would sound different: what was rendered before is then rendered again."""
    voices: Sequence[Voice]

    async def speak(self, text: str, voice: Voice, out: Path) -> None:
        """Write `text`, at most LONGEST_TEXT characters, as a WAV file of 16-bit PCM to `out`.

        Raises SpeechUnavailable, Unspeakable, SpeechFailed or SpeechAway.
        """
        ...
