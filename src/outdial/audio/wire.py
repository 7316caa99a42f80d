"""Between PCM and the wire bytes of a codec: how a clip is made, and how a recording or a test reads one
back."""

import numpy as np
import numpy.typing as npt

from outdial.audio import g711, g722

Pcm = npt.NDArray[np.int16]
"""Mono linear PCM, one ``int16`` a sample, at ``clip.SAMPLE_RATES[codec]``."""

_ENCODERS = {"PCMU": g711.encode_pcmu, "PCMA": g711.encode_pcma, "G722": g722.encode}
_DECODERS = {"PCMU": g711.decode_pcmu, "PCMA": g711.decode_pcma, "G722": g722.decode}


def encode_clip(pcm: Pcm, codec: str) -> bytes:
    """Encode ``pcm`` (8 kHz, or 16 kHz for G.722) to the wire bytes of ``codec``.

    Raises :class:`KeyError` for a codec that is not in ``clip.CODECS``.
    """
    return _ENCODERS[codec](pcm)


def decode_wire(wire: bytes, codec: str) -> Pcm:
    """Decode the wire bytes of ``codec`` to PCM at 8 kHz, or 16 kHz for G.722.

    Raises :class:`KeyError` for a codec that is not in ``clip.CODECS``.
    """
    return _DECODERS[codec](wire)
