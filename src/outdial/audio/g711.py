"""G.711 both ways by table: PCMU (mu-law) and PCMA (A-law), as ITU-T G.711 tables 1 and 2 define them.

Each table is built once from the decoder's formula: decoding looks up 256 values, encoding looks up the
nearest of them for every 16-bit sample, which is the smallest error that the codec allows.
"""

import numpy as np
import numpy.typing as npt

_Pcm = npt.NDArray[np.int16]


def decode_pcmu(wire: bytes) -> _Pcm:
    """Decode mu-law bytes to 8 kHz PCM, one sample a byte."""
    return _PCMU_TO_PCM[np.frombuffer(wire, np.uint8)]


def decode_pcma(wire: bytes) -> _Pcm:
    """Decode A-law bytes to 8 kHz PCM, one sample a byte."""
    return _PCMA_TO_PCM[np.frombuffer(wire, np.uint8)]


def encode_pcmu(pcm: _Pcm) -> bytes:
    """Encode 8 kHz PCM to mu-law, one byte a sample."""
    return _PCM_TO_PCMU[pcm.view(np.uint16)].tobytes()


def encode_pcma(pcm: _Pcm) -> bytes:
    """Encode 8 kHz PCM to A-law, one byte a sample."""
    return _PCM_TO_PCMA[pcm.view(np.uint16)].tobytes()


def _mu_law_values() -> _Pcm:
    code = ~np.arange(256, dtype=np.uint8)
    exponent = ((code >> 4) & 0x07).astype(np.int32)
    mantissa = (code & 0x0F).astype(np.int32)
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_law_values() -> _Pcm:
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent = ((code >> 4) & 0x07).astype(np.int32)
    mantissa = ((code & 0x0F).astype(np.int32) << 4) + 8
    magnitude = np.where(exponent == 0, mantissa, (mantissa + 0x100) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _nearest_codes(values: _Pcm, code_of_zero: int) -> npt.NDArray[np.uint8]:
    """For every 16-bit sample, indexed by its unsigned spelling, the code whose value is nearest."""
    order = np.argsort(values, kind="stable")
    ascending = values[order].astype(np.int32)
    samples = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    above = np.searchsorted(ascending, samples).clip(1, 255)
    nearer_below = samples - ascending[above - 1] <= ascending[above] - samples
    codes = order[np.where(nearer_below, above - 1, above)].astype(np.uint8)
    codes[0] = code_of_zero
    return codes


_PCMU_TO_PCM = _mu_law_values()
_PCMA_TO_PCM = _a_law_values()
# Mu-law spells zero twice and A-law not at all: zero becomes what idle lines carry, 0xFF and 0xD5.
_PCM_TO_PCMU = _nearest_codes(_PCMU_TO_PCM, 0xFF)
_PCM_TO_PCMA = _nearest_codes(_PCMA_TO_PCM, 0xD5)
