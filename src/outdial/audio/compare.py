"""Was that the very sound? Normalised cross-correlation of what was heard with what was sent.

The sent sound is cut into pieces of half a second. The whole of it gives the lag; each piece may then move a
little around that lag, so that a jitter buffer's slip or a lost packet costs the piece it is in and not all
that follows. A piece that is missing counts as zero, so half a sound scores near a half.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outdial.audio.wire import Pcm

_PIECE_S = 0.5
_SLIP_S = 0.06  # three packets of 20 ms: what a jitter buffer drops or repeats at once
_REACH = 16  # samples on either side that interpolation looks at

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Correlation:
    """How alike two sounds are, and where one lies in the other."""

    peak: float
    """From -1 to 1: 1 is the same sound at any volume, near 0 another sound. Codec noise costs about 0.01."""
    lag_ms: float
    """How long after the start of what was heard the sent sound begins; negative if its start was missed."""


def correlate(heard: Pcm, sent: Pcm, rate: int) -> Correlation:
    """Find ``sent`` in ``heard``, both mono PCM of ``rate`` samples per second.

    Energy decides how much each piece weighs, so pauses count for nothing. Nothing heard, or nothing sent, is
    ``Correlation(0.0, 0.0)``. By FFT: a minute of 8 kHz sound takes a quarter of a second.
    """
    heard_f = heard.astype(np.float64)
    sent_f = sent.astype(np.float64)
    if _rms(heard_f) < 1.0 or _rms(sent_f) < 1.0:
        return Correlation(0.0, 0.0)
    scores = _normalised(heard_f, sent_f)
    lag = int(np.argmax(scores)) - (len(sent_f) - 1)
    return Correlation(peak=_score_by_pieces(heard_f, sent_f, lag, rate), lag_ms=1_000 * lag / rate)


def _score_by_pieces(heard: _Floats, sent: _Floats, lag: int, rate: int) -> float:
    size, slip = int(_PIECE_S * rate), int(_SLIP_S * rate)
    total = weights = 0.0
    for start in range(0, len(sent), size):
        piece = sent[start : start + size]
        energy = float(np.dot(piece, piece))
        first = start + lag - slip
        window = heard[max(first, 0) : max(start + lag + len(piece) + slip, 0)]
        total += energy * (_best(_normalised(window, piece)) if len(window) else 0.0)
        weights += energy
    return total / weights if weights else 0.0


def _normalised(long: _Floats, short: _Floats) -> _Floats:
    """Correlation at every lag from ``-(len(short) - 1)`` on: the dot product over both energies.

    The energy of ``short`` is taken whole, so a partial overlap cannot score as well as a full one.
    """
    size = len(long) + len(short) - 1
    fft_size = 1 << (size - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(long, fft_size) * np.fft.rfft(short[::-1], fft_size), fft_size)[:size]
    sums = np.concatenate(([0.0], np.cumsum(long * long)))
    ends = np.arange(1, size + 1)
    overlap = sums[np.minimum(ends, len(long))] - sums[np.maximum(ends - len(short), 0)]
    energy = float(np.dot(short, short))
    # The floor, 30 dB under the loudest window, keeps near silence from being blown up into a likeness.
    floor = max(1e-3 * float(overlap.max()), 1.0)
    scores: _Floats = products / np.sqrt(np.maximum(overlap, floor) * max(energy, 1.0))
    return scores


def _best(scores: _Floats) -> float:
    """The highest score, also between samples: a far end that resamples shifts by fractions of one."""
    at = int(np.argmax(scores))
    around = np.pad(scores, _REACH)[at : at + 2 * _REACH + 1]
    return min(float(np.max(_BETWEEN @ around)), 1.0)


def _interpolation() -> _Floats:
    """Rows of a windowed sinc, one for each eighth of a sample up to a half on both sides."""
    places = np.arange(-_REACH, _REACH + 1)
    parts = np.arange(-4, 5)[:, None] / 8
    kernel: _Floats = np.sinc(places - parts) * np.hanning(2 * _REACH + 3)[1:-1]
    return kernel


def _rms(samples: _Floats) -> float:
    return float(np.sqrt(np.mean(samples * samples))) if len(samples) else 0.0


_BETWEEN = _interpolation()
