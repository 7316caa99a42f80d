"""G.722 at 64 kbit/s both ways, through FFmpeg's codec: 16 kHz PCM in pairs of samples, one byte a pair."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from av import AudioFrame, CodecContext, Packet
from av.audio.codeccontext import AudioCodecContext

_SAMPLE_RATE = 16_000

Pcm = npt.NDArray[np.int16]


def encode(pcm: Pcm) -> bytes:
    """Encode 16 kHz PCM; an odd last sample is dropped, because a byte holds two."""
    even = np.ascontiguousarray(pcm[: len(pcm) // 2 * 2])
    if not len(even):
        return b""
    frame = AudioFrame.from_ndarray(even.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = _SAMPLE_RATE
    encoder = _context("w")
    encoder.format = "s16"
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def decode(wire: bytes) -> Pcm:
    """Decode bytes to 16 kHz PCM, two samples a byte, from the decoder's first state.

    The result lags the encoder's input by 22 samples, the delay of the two quadrature mirror filters.
    """
    if not wire:
        return np.zeros(0, np.int16)
    return Decoder().decode(wire)


class Decoder:
    """Decodes one stream piece by piece; together the pieces are what `decode` makes of the whole."""

    def __init__(self) -> None:
        self._context = _context("r")

    def decode(self, wire: bytes) -> Pcm:
        """Decode the next bytes, two samples each."""
        frames = self._context.decode(Packet(wire))
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(
            np.int16, copy=False
        )


def _context(mode: Literal["r", "w"]) -> AudioCodecContext:
    context = CodecContext.create("g722", mode)
    context.sample_rate = _SAMPLE_RATE
    context.layout = "mono"
    return context
