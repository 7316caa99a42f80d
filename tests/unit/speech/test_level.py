"""Speech of any loudness comes out equally loud."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.audio.files import murmur

from outdial.audio.pcm_reader import PcmReader
from outdial.audio.samples import welcome_mp3
from outdial.speech.level import TARGET_DB, active_level, normalised, trimmed

RATE = 16_000


@pytest.mark.parametrize("gain", [0.02, 0.3, 1.0])
def test_loud_and_quiet_speech_end_at_one_level(gain):
    speech = (murmur(2.0, RATE) * gain).astype(np.int16)
    assert active_level(normalised(speech, RATE), RATE) == pytest.approx(TARGET_DB, abs=0.5)


def test_the_level_is_that_of_an_announcement_as_people_upload_them(tmp_path):
    file = tmp_path / "welcome.mp3"
    file.write_bytes(welcome_mp3())
    with file.open("rb") as upload, PcmReader(upload, "mp3") as reader:
        pcm = reader.read_all(60_000, (8_000,))[8_000]
    assert active_level(pcm, 8_000) == pytest.approx(TARGET_DB, abs=1.0)


def test_a_peak_bounds_the_gain():
    clicks = np.zeros(RATE, np.int16)
    clicks[::4_000] = 20_000
    assert abs(normalised(clicks, RATE).astype(int)).max() < 32_768 * 0.9


def test_silence_stays_silent_and_is_trimmed_away():
    silence = np.zeros(RATE, np.int16)
    assert not normalised(silence, RATE).any()
    assert active_level(silence, RATE) is None
    assert len(trimmed(silence, RATE)) == 0


def test_the_silence_around_speech_is_cut_to_a_twentieth_of_a_second():
    speech = murmur(1.0, RATE)
    padded = np.concatenate([np.zeros(RATE, np.int16), speech, np.zeros(3 * RATE, np.int16)])
    assert len(trimmed(padded, RATE)) == pytest.approx(len(speech) + 0.1 * RATE, abs=0.05 * RATE)


@given(st.lists(st.integers(-32_768, 32_767), max_size=700))
def test_no_samples_raise_or_overflow(samples):
    pcm = np.array(samples, np.int16)
    trimmed(pcm, RATE)
    assert abs(normalised(pcm, RATE).astype(int)).max(initial=0) <= 32_767
