"""What phones say: a murmur of its own for every number, so that a recording proves who was heard."""

from functools import lru_cache

import numpy as np

from outdial.audio.clip import SAMPLE_RATES
from outdial.audio.wire import Pcm, encode_clip

LENGTH_S = 5
"""A murmur repeats after this time."""
_RATE = 16_000
_LOUDEST = 8_000


@lru_cache(maxsize=256)
def murmur(number: str, rate: int) -> Pcm:
    """Five seconds of noise in the speech band, in syllables of an eighth of a second; ``rate`` is 8 or 16
    kHz."""
    random = np.random.default_rng(int(number or "0"))
    size = LENGTH_S * _RATE
    spectrum = np.fft.rfft(random.standard_normal(size))
    frequencies = np.fft.rfftfreq(size, 1 / _RATE)
    spectrum[(frequencies < 300) | (frequencies > 3_000)] = 0
    syllables = random.uniform(0.05, 1.0, LENGTH_S * 8 + 1)
    loudness = np.interp(np.arange(size) / _RATE, np.arange(len(syllables)) / 8, syllables)
    sound = np.fft.irfft(spectrum, size) * loudness
    sound *= _LOUDEST / np.abs(sound).max()
    # The band ends below 4 kHz, so every second sample is the same sound at half the rate.
    return sound[:: _RATE // rate].astype(np.int16)


@lru_cache(maxsize=256)
def murmur_on_the_wire(number: str, codec: str) -> bytes:
    """The murmur of a number as wire bytes of ``codec``."""
    return encode_clip(murmur(number, SAMPLE_RATES[codec]), codec)
