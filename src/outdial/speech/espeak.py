"""eSpeak NG as a program of its own, if it is installed: a hundred languages, a robot's voice.

It is licensed under the GPL, so it is neither a dependency nor linked with: Debian's package `espeak-ng`.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from outdial.errors import SpeechFailed, SpeechUnavailable
from outdial.speech.child import ChildLimits, run_child
from outdial.speech.engine import Gender, Voice

_PROGRAM = "espeak-ng"
_LANGUAGES = (
    "en-us", "en-gb", "hi", "bn", "ta", "te", "mr", "gu", "kn", "ml", "pa", "ur", "es", "es-419", "de", "fr",
    "it", "pt", "pt-br", "nl", "pl", "ru", "tr", "ar", "id", "vi", "sv", "da", "nb", "fi", "cs", "el", "ro",
    "hu", "uk", "sw", "ne", "fa", "cmn",
)  # fmt: skip
_BCP_47 = {"cmn": "zh"}
_VARIANTS: tuple[tuple[str, Gender], ...] = (("", "male"), ("+f3", "female"))


def _tag(language: str) -> str:
    """eSpeak's name of a language as BCP 47 has it: `en-us` is `en-US`."""
    base, _, region = _BCP_47.get(language, language).partition("-")
    return f"{base}-{region.upper()}" if region else base


class Espeak:
    """Says texts with eSpeak NG."""

    name = "espeak"
    revision = "1"
    voices: Sequence[Voice] = tuple(
        Voice("espeak", f"{language}{variant}", _tag(language), gender)
        for language in _LANGUAGES
        for variant, gender in _VARIANTS
    )

    def __init__(self, limits: ChildLimits | None = None) -> None:
        self._limits = limits or ChildLimits()

    async def speak(self, text: str, voice: Voice, out: Path) -> None:
        """Write `text` to `out` as WAV, 22.05 kHz mono."""
        if not is_installed():
            raise SpeechUnavailable(
                "The speech engine espeak is not installed on this machine: `apt install espeak-ng`."
            )
        command = [_PROGRAM, "-v", voice.name, "-b", "1", "-w", str(out), "--stdin"]
        ended = await run_child(command, text.encode(), engine=self.name, limits=self._limits)
        if not ended.ok:
            raise SpeechFailed(f"The speech engine espeak broke down (status {ended.status}).")


def is_installed() -> bool:
    """Whether the program is there."""
    return shutil.which(_PROGRAM) is not None
