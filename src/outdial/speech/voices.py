"""The voices of all engines in use, and the one that a request means."""

from collections.abc import Iterator, Sequence

from outdial.errors import SpeechUnavailable
from outdial.speech.engine import Gender, SpeechEngine, Voice


class Voices:
    """Engines in the order of preference, and the default voice."""

    def __init__(self, engines: Sequence[SpeechEngine], *, default: str | None = None) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._voices = {voice.id: voice for engine in engines for voice in engine.voices}
        self._default = default

    @property
    def all(self) -> list[Voice]:
        """Every voice, those of the preferred engine first."""
        return list(self._voices.values())

    @property
    def default(self) -> Voice | None:
        """What speaks when nothing is asked for; None if there is no voice at all."""
        named = None if self._default is None else self._voices.get(self._default)
        return named or next(self._texts(), None)

    @property
    def languages(self) -> list[str]:
        """The languages that texts can be spoken in, in alphabetical order."""
        return sorted({voice.language for voice in self._texts()})

    def _texts(self) -> Iterator[Voice]:
        return (voice for voice in self._voices.values() if not voice.for_words)

    def get(self, voice_id: str) -> Voice | None:
        """The voice of this id."""
        return self._voices.get(voice_id)

    def engine_of(self, voice: Voice) -> SpeechEngine:
        """The engine that has this voice."""
        return self._engines[voice.engine]

    def revision_of(self, voice: Voice) -> str:
        """What goes into the keys of prompts in this voice."""
        return self._engines[voice.engine].revision

    def find(self, voice_id: str) -> tuple[SpeechEngine, Voice]:
        """The voice of this id with its engine. Raises SpeechUnavailable."""
        voice = self._voices.get(voice_id)
        if voice is None:
            raise SpeechUnavailable(
                f"There is no voice {voice_id[:60]!r} on this machine; `outdial voices` lists those that are."
            )
        return self._engines[voice.engine], voice

    def choose(self, language: str | None = None, gender: Gender | None = None) -> Voice | None:
        """The best voice of a language (`en`, `en-US`; the default voice's if unset); None if there is none.

        The region and then the gender decide among those of the language, then the order of the engines: a
        wish for a gender that no voice of the language has is a wish, and not a reason not to call.
        """
        default = self.default
        if default is None:
            return None
        if language is None:
            if gender is None or default.gender == gender:
                return default
            language = default.language
        wanted = language.replace("_", "-").lower()
        base = wanted.partition("-")[0]
        fitting = [each for each in self._texts() if _base(each) == base]

        def fitness(voice: Voice) -> tuple[bool, bool, bool]:
            return (voice.language.lower() == wanted, gender in (None, voice.gender), voice is default)

        return max(fitting, key=fitness, default=None)


def _base(voice: Voice) -> str:
    return voice.language.partition("-")[0].lower()
