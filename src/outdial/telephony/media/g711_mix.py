"""G.711 bytes without linear samples: from one law to the other, added up, and how loud they are.

The worker has no use for numpy, whose import alone would cost more memory than a hundred calls. Tables of
one byte for one byte do: a translation is one C call a frame, and adding two frames costs as much as sending
one. Values are ITU-T G.711's.
"""

from collections.abc import Iterable
from itertools import starmap
from operator import getitem

SILENT_LEVEL = 2
"""Levels up to this (of 255, see `level`) are taken for silence: -50 dBm0, above the noise of a line."""

_LEVEL_SHIFT = 5
"""Levels are magnitudes of 16-bit samples divided by this power of two, at most 255."""


def _mu_law_value(code: int) -> int:
    code = ~code & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << (code >> 4 & 0x07)) - 0x84
    return -magnitude if code & 0x80 else magnitude


def _a_law_value(code: int) -> int:
    code ^= 0x55
    exponent, mantissa = code >> 4 & 0x07, ((code & 0x0F) << 4) + 8
    magnitude = mantissa if exponent == 0 else mantissa + 0x100 << exponent - 1
    return magnitude if code & 0x80 else -magnitude


_MU_LAW = [_mu_law_value(code) for code in range(256)]
_A_LAW = [_a_law_value(code) for code in range(256)]


def _nearest(values: list[int], code_of_zero: int, samples: Iterable[int]) -> bytes:
    """For each of the ascending samples the code whose value is nearest, the smaller value of two as near."""
    codes = sorted(range(256), key=values.__getitem__)
    found, at = bytearray(), 0
    for sample in samples:
        while at < 255 and values[codes[at + 1]] - sample < sample - values[codes[at]]:
            at += 1
        found.append(codes[at] if sample else code_of_zero)
    return bytes(found)


def _to(values: list[int], code_of_zero: int, other: list[int]) -> bytes:
    """The table that translates the codes of the law `other`."""
    order = sorted(range(256), key=other.__getitem__)
    nearest = _nearest(values, code_of_zero, (other[code] for code in order))
    return bytes(code for _, code in sorted(zip(order, nearest, strict=True)))


# Mu-law spells zero twice and A-law not at all: zero becomes what idle lines carry, 0xFF and 0xD5.
PCMA_TO_PCMU = _to(_MU_LAW, 0xFF, _A_LAW)
PCMU_TO_PCMA = _to(_A_LAW, 0xD5, _MU_LAW)

_LEVELS = {
    "PCMU": bytes(min(255, abs(value) >> _LEVEL_SHIFT) for value in _MU_LAW),
    "PCMA": bytes(min(255, abs(value) >> _LEVEL_SHIFT) for value in _A_LAW),
}

LAWS = frozenset(_LEVELS)
"""The codecs that this module knows."""


def translate(frame: bytes, codec: str, wanted: str) -> bytes:
    """The frame in the other law. Both names are of `LAWS`."""
    if codec == wanted:
        return frame
    return frame.translate(PCMU_TO_PCMA if codec == "PCMU" else PCMA_TO_PCMU)


def level(frame: bytes, codec: str) -> int:
    """The mean magnitude of a frame that is not empty, 0 to 255; `codec` is of `LAWS`."""
    return sum(frame.translate(_LEVELS[codec])) // len(frame)


_STEP = 4
"""All mu-law values, and so their sums, are multiples of this."""
_MOST = 2 * max(_MU_LAW)
_BY_SUM = _nearest(_MU_LAW, 0xFF, range(-_MOST, _MOST + _STEP, _STEP))
_SUMS = [bytes(_BY_SUM[one + other + _MOST >> 2] for other in _MU_LAW) for one in _MU_LAW]
"""By one mu-law byte and another, the mu-law byte of their sum, the loudest where it is too large. 64 kB."""


def add(one: bytes, other: bytes) -> bytes:
    """The sum of two mu-law frames of one length, limited where it would overflow."""
    return bytes(starmap(getitem, zip(map(_SUMS.__getitem__, one), other, strict=True)))
