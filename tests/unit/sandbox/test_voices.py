"""Every phone has a voice of its own, the same in every run."""

import numpy as np

from outdial.audio.compare import correlate
from outdial.sandbox.magic_numbers import MAGIC_NUMBERS
from outdial.sandbox.voices import murmur


def test_a_murmur_is_the_same_every_time_and_audible():
    murmur.cache_clear()
    first = murmur("12025550100", 8_000)
    murmur.cache_clear()
    assert np.array_equal(first, murmur("12025550100", 8_000))
    assert np.abs(first).max() >= 7_000


def test_no_two_phones_sound_alike():
    voices = [murmur(number, 8_000) for number in list(MAGIC_NUMBERS)[:12]]
    peaks = [correlate(one, other, 8_000).peak for at, one in enumerate(voices) for other in voices[at + 1 :]]
    assert max(peaks) < 0.3


def test_both_rates_hold_the_same_sound():
    assert np.array_equal(murmur("7", 16_000)[::2], murmur("7", 8_000))


def test_a_number_need_not_be_one():
    assert len(murmur("", 8_000)) == 40_000
