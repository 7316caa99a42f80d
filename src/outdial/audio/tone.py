"""Tones, as samples."""

import numpy as np

from outdial.audio.wire import Pcm

_BEEP_HZ, _BEEP_MS, _BEEP_LEVEL = 1_000, 400, 8_000


def beep(rate: int) -> Pcm:
    """The tone after which one speaks, at `rate` samples a second."""
    return tone(rate, _BEEP_HZ, _BEEP_MS, _BEEP_LEVEL)


def tone(rate: int, hertz: int, ms: int, level: int) -> Pcm:
    """A sine of this frequency, length and amplitude."""
    samples = np.arange(rate * ms // 1000)
    return (level * np.sin(2 * np.pi * hertz * samples / rate)).astype(np.int16)
