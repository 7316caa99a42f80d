"""The wire bytes of a codec as a WAV file, of which any part is made when it is asked for.

A recording of an hour is 58 MB of PCM (115 MB of G.722): nobody keeps it, or holds it in memory.
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from outdial.audio import g711, g722
from outdial.audio.clip import SAMPLE_RATES

HEADER_BYTES = 44
_SAMPLE_BYTES = 2
_PIECE = 32 * 1024
"""Wire bytes that are decoded at once: four seconds."""
_WIRE_RATE = 8_000
_MOST_DATA = 0xFFFFFFFF - HEADER_BYTES


class Stored:
    """A WAV file that is there as such; raises OSError if there is none."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.size = file.stat().st_size

    def read(self, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from `begin` up to `end` in pieces of at most 32 kB."""
        end = self.size if end is None else min(end, self.size)
        with self._file.open("rb") as content:
            content.seek(begin)
            while begin < end and (piece := content.read(min(_PIECE, end - begin))):
                begin += len(piece)
                yield piece


class Wav:
    """One file of wire bytes as 16-bit mono PCM; raises OSError if there is none."""

    def __init__(self, file: Path, codec: str) -> None:
        self._codec = codec
        self._wide = SAMPLE_RATES[codec] // _WIRE_RATE * _SAMPLE_BYTES
        self._file = file
        data = file.stat().st_size * self._wide
        self.size = HEADER_BYTES + min(data, _MOST_DATA // self._wide * self._wide)
        """Bytes of the whole WAV file."""

    def read(self, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from `begin` up to `end` in pieces of at most 128 kB."""
        end = self.size if end is None else min(end, self.size)
        if begin < HEADER_BYTES:
            yield _header(SAMPLE_RATES[self._codec], self.size - HEADER_BYTES)[begin:end]
        at = max(begin, HEADER_BYTES) - HEADER_BYTES
        last = end - HEADER_BYTES
        with self._file.open("rb") as wire:
            for position, pcm in self._pcm(wire, at):
                if position >= last:
                    return
                yield pcm[max(0, at - position) : last - position]

    def _pcm(self, wire: BinaryIO, at: int) -> Iterator[tuple[int, bytes]]:
        """Pieces of PCM with their positions, from the one that holds the byte `at` on."""
        position = at // self._wide
        if self._codec == "G722":
            # Each sample rests on all that came before it.
            decode = _g722_after(wire.read, position)
        else:
            wire.seek(position)
            decode = g711.decode_pcmu if self._codec == "PCMU" else g711.decode_pcma
        while piece := wire.read(_PIECE):
            yield position * self._wide, decode(piece).astype("<i2", copy=False).tobytes()
            position += len(piece)


def _g722_after(read: Callable[[int], bytes], skipped: int) -> Callable[[bytes], g722.Pcm]:
    """A decoder that has heard the first `skipped` bytes."""
    decoder = g722.Decoder()
    while skipped > 0 and (wire := read(min(_PIECE, skipped))):
        decoder.decode(wire)
        skipped -= len(wire)
    return decoder.decode


def _header(sample_rate: int, data: int) -> bytes:
    """RIFF, format 1 (PCM), one channel."""
    rate = sample_rate * _SAMPLE_BYTES
    form = struct.pack("<HHIIHH", 1, 1, sample_rate, rate, _SAMPLE_BYTES, 8 * _SAMPLE_BYTES)
    sizes = [struct.pack("<I", size) for size in (HEADER_BYTES - 8 + data, len(form), data)]
    return b"RIFF" + sizes[0] + b"WAVEfmt " + sizes[1] + form + b"data" + sizes[2]
