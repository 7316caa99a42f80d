"""The proof that a callee heard the very sound must neither miss it nor see it where it is not."""

import numpy as np
import pytest
from tests.unit.audio.files import murmur

from outdial.audio.compare import Correlation, correlate
from outdial.audio.wire import decode_wire, encode_clip

RATE = 8_000
SENT = murmur(5.0, RATE)
OTHER = murmur(5.0, RATE, seed=2)


def through(codec: str, sound: np.ndarray) -> np.ndarray:
    return decode_wire(encode_clip(sound, codec), codec)


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE), np.int16)


def test_the_same_sound_scores_one():
    assert correlate(SENT, SENT, RATE).peak == pytest.approx(1.0)
    assert correlate(SENT, SENT, RATE).lag_ms == 0


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
@pytest.mark.parametrize("lead", [0.0, 0.02, 3.3])
def test_codec_noise_and_silence_in_front_do_not_hide_it(codec, lead):
    found = correlate(np.concatenate([quiet(lead), through(codec, SENT), quiet(1)]), SENT, RATE)
    assert found.peak > 0.98
    assert found.lag_ms == pytest.approx(lead * 1_000, abs=1)


@pytest.mark.parametrize("part", [0.25, 0.5, 0.75])
def test_a_shift_by_part_of_a_sample_costs_little(part):
    spectrum = np.fft.rfft(SENT.astype(float))
    shifted = np.fft.irfft(
        spectrum * np.exp(-2j * np.pi * part * np.arange(len(spectrum)) / len(SENT)), len(SENT)
    )
    assert correlate(shifted.astype(np.int16), SENT, RATE).peak > 0.98


def test_volume_does_not_matter():
    assert correlate((SENT * 0.2).astype(np.int16), SENT, RATE).peak > 0.99


def test_another_sound_scores_near_nothing():
    assert correlate(OTHER, SENT, RATE).peak < 0.3


def test_another_loud_sound_in_front_does_not_hide_it():
    found = correlate(np.concatenate([OTHER, SENT]), SENT, RATE)
    assert found.peak > 0.98
    assert found.lag_ms == pytest.approx(5_000, abs=1)


def test_a_lost_packet_replaced_by_silence_costs_little():
    heard = SENT.copy()
    heard[16_000:16_160] = 0
    assert correlate(heard, SENT, RATE).peak > 0.95


def test_dropped_packets_that_shift_the_rest_cost_little():
    heard = np.concatenate([SENT[:16_000], SENT[16_480:]])
    assert correlate(heard, SENT, RATE).peak > 0.97


def test_half_the_sound_scores_about_half():
    assert 0.3 < correlate(SENT[: len(SENT) // 2], SENT, RATE).peak < 0.7
    assert 0.3 < correlate(np.concatenate([SENT[: len(SENT) // 2], quiet(3)]), SENT, RATE).peak < 0.7


def test_a_missed_start_gives_a_negative_lag():
    assert correlate(SENT[RATE:], SENT, RATE).lag_ms == pytest.approx(-1_000, abs=1)


@pytest.mark.parametrize(
    ("heard", "sent"), [(quiet(0), SENT), (quiet(2), SENT), (SENT, quiet(0)), (SENT, quiet(1))]
)
def test_nothing_heard_or_sent_is_no_likeness(heard, sent):
    assert correlate(heard, sent, RATE) == Correlation(0.0, 0.0)


def test_faint_noise_is_not_blown_up_into_a_likeness():
    hiss = np.random.default_rng(3).integers(-3, 4, 6 * RATE).astype(np.int16)
    assert correlate(hiss, SENT, RATE).peak < 0.3
