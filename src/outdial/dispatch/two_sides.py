"""Two recordings of one conversation as one file of two channels, so that who said what stays apart."""

import struct
from pathlib import Path
from typing import BinaryIO

from outdial.telephony.media.g711_mix import translate

_RATE = 8_000
_SILENCE = b"\xff"
_MU_LAW = 7
"""WAVE_FORMAT_MULAW (RFC 2361)."""
_CHUNK = 1 << 20

Side = tuple[Path, str]
"""A file of wire bytes, and their codec: PCMU or PCMA."""


def write_two_sides(target: Path, left: Side, right: Side) -> None:
    """Write a WAV file of mu-law with a channel for each; the shorter one ends in silence."""
    samples = max(left[0].stat().st_size, right[0].stat().st_size)
    with left[0].open("rb") as one, right[0].open("rb") as other, target.open("wb") as file:
        file.write(_header(samples))
        for at in range(0, samples, _CHUNK):
            count = min(_CHUNK, samples - at)
            both = bytearray(2 * count)
            both[0::2] = _read(one, left[1], count)
            both[1::2] = _read(other, right[1], count)
            file.write(both)


def _read(file: BinaryIO, codec: str, count: int) -> bytes:
    return translate(file.read(count), codec, "PCMU").ljust(count, _SILENCE)


def _header(samples: int) -> bytes:
    size = 2 * samples
    form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, _MU_LAW, 2, _RATE, 2 * _RATE, 2, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, samples)
    data = struct.pack("<4sI", b"data", size)
    return (
        struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(fact) + len(data) + size, b"WAVE")
        + form
        + fact
        + data
    )
