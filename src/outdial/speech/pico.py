"""SVOX Pico, the engine that needs nothing else: six voices of five languages inside a 5 MB package.

Each text is said by a process of its own (`pico_process`), about 0.1 s of processor time and little more for
longer texts. Pico's code is C of 2008 and keeps state between texts: a fresh process says the same text in
the same way each time, and a fault of it costs that text only.
"""

import json
import unicodedata
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from outdial.errors import SpeechFailed, SpeechUnavailable, Unspeakable
from outdial.speech.child import ChildLimits, python_command, run_child
from outdial.speech.engine import Voice

_LATIN = ("LATIN", "FEMININE", "MASCULINE", "MICRO")
_LONGEST_WORD = 100
"""Pico gives up on words of some hundred letters, and with them on the whole text."""


class Pico:
    """Says texts with SVOX Pico (Apache-2.0)."""

    name = "pico"
    revision = "1"
    voices: Sequence[Voice] = tuple(
        Voice("pico", language, language, "female")
        for language in ("en-US", "en-GB", "es-ES", "de-DE", "fr-FR", "it-IT")
    )

    def __init__(self, limits: ChildLimits | None = None) -> None:
        self._limits = limits or ChildLimits()

    async def speak(self, text: str, voice: Voice, out: Path) -> None:
        """Write `text` to `out` as WAV, 16 kHz mono."""
        if find_spec("py_nanotts") is None:
            raise SpeechUnavailable(
                "The speech engine pico is not installed on this machine: `pip install py-nanotts`."
            )
        foreign = next((letter for letter in text if letter.isalpha() and not _is_latin(letter)), None)
        if foreign is not None:  # Pico would leave the word out
            raise Unspeakable(f"The voice {voice.id} cannot say {foreign!r}: it reads Latin letters only.")
        if not any(letter.isalnum() for letter in text):  # Pico would answer with faint noise
            raise Unspeakable(f"The voice {voice.id} finds nothing to say in this text.")
        request = json.dumps({"text": plain(text), "voice": voice.name, "out": str(out)}).encode()
        command = python_command("outdial.speech.pico_process")
        ended = await run_child(command, request, engine=self.name, limits=self._limits)
        if not ended.ok:
            raise SpeechFailed(f"The speech engine pico broke down (status {ended.status}).")


def plain(text: str) -> str:
    """The text without what Pico takes for mark-up, and without words that it chokes on."""
    words = text.replace("<", " ").replace(">", " ").replace("\x00", " ").split()
    return " ".join(
        word[start : start + _LONGEST_WORD] for word in words for start in range(0, len(word), _LONGEST_WORD)
    )


def _is_latin(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith(_LATIN)
