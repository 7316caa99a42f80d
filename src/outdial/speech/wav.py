"""WAV files of 16-bit PCM, as speech engines write them: servers that stream leave the lengths wrong."""

import struct
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from outdial.audio.wire import Pcm
from outdial.errors import SpeechFailed

_PCM, _EXTENSIBLE = 1, 0xFFFE
_RATES = range(8_000, 96_001)
_MOST_CHANNELS = 2


@dataclass(frozen=True, slots=True)
class Speech:
    """Mono PCM."""

    pcm: Pcm
    rate: int


def write_wav(file: Path, pcm: bytes, rate: int) -> None:
    """Write mono 16-bit little-endian PCM."""
    with wave.open(str(file), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(pcm)


def parse_wav(content: bytes, engine: str) -> Speech:
    """Read a WAV file of 16-bit PCM; two channels become one. Raises SpeechFailed, which names `engine`.

    A data chunk that claims more than there is, as streaming servers write it, ends with the file.
    """
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise SpeechFailed(f"What the speech engine {engine} made is not a WAV file.")
    form: tuple[int, int] | None = None
    at = 12
    while at + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, at)
        body = content[at + 8 : at + 8 + size]
        if kind == b"fmt ":
            form = _format(body, engine)
        elif kind == b"data":
            if form is None:
                break
            return Speech(_mono(body, form[0]), form[1])
        at += 8 + size + size % 2
    raise SpeechFailed(f"The WAV file that the speech engine {engine} made holds no sound.")


def _format(body: bytes, engine: str) -> tuple[int, int]:
    """Channels and rate."""
    if len(body) >= 16:
        tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
        known = tag in (_PCM, _EXTENSIBLE) and bits == 16
        if known and 1 <= channels <= _MOST_CHANNELS and rate in _RATES:
            return channels, rate
    raise SpeechFailed(f"The WAV file that the speech engine {engine} made is not 16-bit PCM.")


def _mono(body: bytes, channels: int) -> Pcm:
    whole = len(body) - len(body) % (2 * channels)
    samples = np.frombuffer(body[:whole], "<i2").astype(np.int16)
    if channels == 1:
        return samples
    mono: Pcm = samples.reshape(-1, channels).mean(axis=1).astype(np.int16)
    return mono
