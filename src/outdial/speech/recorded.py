"""Recorded words as an engine: a voice that says numbers, digits, dates and amounts, word by word.

A set of words is a folder with `manifest.json` and a sound file a word. The package brings English; sets of
further languages are folders beside each other in `speech.words_dir`. The words are those of `domain.saying`:
`tools/record_words` makes a set of them from any other engine or from a folder of recordings.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from outdial.audio.wire import Pcm
from outdial.domain.saying import PAUSES
from outdial.errors import AudioError, ConfigurationError, SpeechFailed, Unspeakable
from outdial.speech.engine import Gender, Voice
from outdial.speech.wav import write_wav

MANIFEST = "manifest.json"
RATE = 16_000
"""Samples per second of what it says: no codec of a call carries more."""
_LONGEST_WORD_MS = 10_000
_PAUSE_S = 0.2
_GENDERS: Mapping[str, Gender] = {"female": "female", "male": "male", "neutral": "neutral"}


@dataclass(frozen=True, slots=True)
class WordSet:
    """The recorded words of one voice."""

    language: str
    gender: Gender
    files: Mapping[str, Path]
    """By word, in lower case."""


def load_words(folder: Path) -> WordSet:
    """Read the manifest of one set. Raises ConfigurationError with a sentence that names the file."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        words = {str(word).lower(): folder / str(name) for word, name in manifest["words"].items()}
        found = WordSet(str(manifest["language"]), _GENDERS[manifest["gender"]], words)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{path} should be JSON with language, gender (female, male, neutral) and words, a file name for"
            f" each: {type(error).__name__} {error}."
        ) from None
    missing = [word for word, file in found.files.items() if not file.is_file()]
    if missing:
        raise ConfigurationError(f"{path} names a file for {missing[0]!r} that is not there.")
    return found


class RecordedWords:
    """Says what its words can say, and nothing else; so it is used where it is asked for only."""

    name = "recorded"
    revision = "1"

    def __init__(self, words_dir: Path | None = None) -> None:
        """Read the sets of the package and those in `words_dir`, which win. Raises ConfigurationError."""
        parents = [Path(str(files("outdial.speech.words"))), *([words_dir] if words_dir else [])]
        folders = {
            manifest.parent.name: manifest.parent
            for parent in parents
            for manifest in sorted(parent.glob(f"*/{MANIFEST}"))
        }
        self._sets = {name: load_words(folder) for name, folder in folders.items()}
        self.voices: Sequence[Voice] = tuple(
            Voice(self.name, name, words.language, words.gender, frozenset(words.files))
            for name, words in self._sets.items()
        )
        self._decoded: dict[Path, Pcm] = {}

    async def speak(self, text: str, voice: Voice, out: Path) -> None:
        """Write the words of `text` one after the other; punctuation is a pause."""
        await asyncio.to_thread(self._speak, text, voice, out)

    def _speak(self, text: str, voice: Voice, out: Path) -> None:
        words = self._sets[voice.name].files
        pieces: list[Pcm] = []
        for token in text.split():
            word = token.rstrip(PAUSES).lower()
            if word and word not in words:
                raise Unspeakable(
                    f"The voice {voice.id} has no word {word[:40]!r}: it says recorded words only."
                )
            if word:
                pieces.append(self._pcm(words[word]))
            if token[-1] in PAUSES:
                pieces.append(np.zeros(int(RATE * _PAUSE_S), np.int16))
        if not pieces:
            raise Unspeakable(f"The voice {voice.id} finds nothing to say in this text.")
        write_wav(out, np.concatenate(pieces).astype("<i2").tobytes(), RATE)

    def _pcm(self, file: Path) -> Pcm:
        if file not in self._decoded:
            self._decoded[file] = read_sound(file)
        return self._decoded[file]


def read_sound(file: Path) -> Pcm:
    """Decode one recorded word to `RATE`. Raises SpeechFailed."""
    from outdial.audio.pcm_reader import PcmReader  # loads FFmpeg, which only rendering needs
    from outdial.audio.sniff import sniff_container

    try:
        with file.open("rb") as content:
            container = sniff_container(content.read(4_096))
            if container is None:
                raise SpeechFailed(f"The recorded word {file.name} is not a sound.")
            content.seek(0)
            with PcmReader(content, container) as reader:
                return reader.read_all(_LONGEST_WORD_MS, (RATE,))[RATE]
    except (AudioError, OSError) as error:
        raise SpeechFailed(f"The recorded word {file.name} cannot be read: {error}.") from error
