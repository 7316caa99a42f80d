"""How loud speech is to be: the same for all engines, voices and texts, and about as loud as uploads are.

Uploads are played as they are. Announcements made for telephony lie near -20 dB below full scale while
somebody speaks (the sample sound: -19.9), which is what engines are brought to; their own levels differ by
more than 10 dB.
"""

import numpy as np

from outdial.audio.wire import Pcm

TARGET_DB = -20.0
"""Of active speech, below full scale."""
_PEAK = 10 ** (-1 / 20)
"""No sample goes beyond this: G.711 clips, and resampling overshoots a little."""
_FRAME_S = 0.02
_ACTIVE_DB = 30.0
"""A frame is active speech if it is at most this far below the loudest one."""
_EDGE_S = 0.05
_FULL_SCALE = 32_768.0


def active_level(pcm: Pcm, rate: int) -> float | None:
    """Return the level of the frames with speech, dB below full scale; None for silence."""
    power = _frame_power(pcm, rate)
    active = power[_is_active(power)]
    return None if not len(active) else float(10 * np.log10(active.mean()))


def normalised(pcm: Pcm, rate: int) -> Pcm:
    """Return the same speech at TARGET_DB, or as near to it as its peaks allow; silence stays silent."""
    level = active_level(pcm, rate)
    if level is None:
        return pcm
    samples = pcm.astype(np.float64)
    peak = float(np.abs(samples).max()) / _FULL_SCALE
    gain = min(10 ** ((TARGET_DB - level) / 20), _PEAK / peak)
    return np.rint(samples * gain).astype(np.int16)


def trimmed(pcm: Pcm, rate: int) -> Pcm:
    """Return the speech without the silence around it, of which engines add as they like."""
    power = _frame_power(pcm, rate)
    active = np.flatnonzero(_is_active(power))
    if not len(active):
        return pcm[:0]
    frame, edge = int(rate * _FRAME_S), int(rate * _EDGE_S)
    return pcm[max(0, int(active[0]) * frame - edge) : (int(active[-1]) + 1) * frame + edge]


def _frame_power(pcm: Pcm, rate: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The power of each frame of 20 ms, of full scale; the last one is filled up with silence."""
    frame = int(rate * _FRAME_S)
    padded = np.pad(pcm.astype(np.float64) / _FULL_SCALE, (0, -len(pcm) % frame))
    power: np.ndarray[tuple[int], np.dtype[np.float64]] = (padded.reshape(-1, frame) ** 2).mean(axis=1)
    return power


def _is_active(
    power: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    loudest = power.max(initial=0.0)
    # A sample or two of rounding noise is silence as well.
    active: np.ndarray[tuple[int], np.dtype[np.bool_]] = power > max(loudest * 10 ** (-_ACTIVE_DB / 10), 1e-9)
    return active
