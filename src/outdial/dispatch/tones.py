"""The few sounds that nobody uploads, as clips: the tone before a recording, ringing, silence."""

import os
from collections.abc import Callable
from pathlib import Path

from outdial.audio import g722
from outdial.audio.clip import CODECS, SAMPLE_RATES, silence
from outdial.audio.g711 import encode_pcma, encode_pcmu
from outdial.audio.tone import beep, tone

SILENCE_MS = 100
_RING_HZ, _RING_MS, _RING_PAUSE_MS, _RING_LEVEL = 425, 1_000, 4_000, 3_000
"""As in most of Europe and of Asia (ITU-T E.180)."""
_ENCODERS: dict[str, Callable[..., bytes]] = {
    "PCMU": encode_pcmu,
    "PCMA": encode_pcma,
    "G722": g722.encode,
}


class Tones:
    """Clips in a folder, made when the object is."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        for codec in CODECS:
            self._write(
                self.beep(codec),
                _ENCODERS[codec](beep(SAMPLE_RATES[codec])),
            )
            self._write(self._silence(codec), silence(codec, SILENCE_MS))
            ringing = _ENCODERS[codec](tone(SAMPLE_RATES[codec], _RING_HZ, _RING_MS, _RING_LEVEL))
            self._write(self.ringing(codec), ringing + silence(codec, _RING_PAUSE_MS))

    def beep(self, codec: str) -> Path:
        """The tone after which one speaks."""
        return self._folder / f"beep.{codec}.clip"

    def ringing(self, codec: str) -> Path:
        """What one hears while a phone rings, once, with its pause."""
        return self._folder / f"ringing.{codec}.clip"

    def pause(self, codec: str, duration_ms: int) -> list[Path]:
        """So much silence, in whole tenths of a second, at least one."""
        return [self._silence(codec)] * max(1, round(duration_ms / SILENCE_MS))

    def _silence(self, codec: str) -> Path:
        return self._folder / f"silence.{codec}.clip"

    def _write(self, file: Path, content: bytes) -> None:
        """As a whole or not at all: other dialers of the machine may be reading it."""
        unfinished = file.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.rename(file)
