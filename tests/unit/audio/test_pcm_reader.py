"""Reading sound in this process: rates, the pass band, the stop at the limit, and what the child answers."""

import io

import numpy as np
import pytest
from tests.unit.audio.files import RECIPES, encode_file, murmur, rate_of, silent_flac
from tests.unit.audio.test_decode import wav
from tests.unit.audio.test_sniff import CONTAINERS

from outdial.audio.clip import CODECS
from outdial.audio.compare import correlate
from outdial.audio.decode_process import _decode, _rehearse
from outdial.audio.pcm_reader import PcmReader
from outdial.errors import AudioTooLong, UndecodableAudio

RATES = (8_000, 16_000)


@pytest.mark.parametrize("recipe", [recipe for recipe in RECIPES if recipe != "amr"])
def test_both_rates_hold_the_sound(recipe):
    upload = io.BytesIO(encode_file(murmur(1.0, rate_of(recipe)), recipe))
    with PcmReader(upload, CONTAINERS[recipe]) as reader:
        pcm = reader.read_all(10_000, RATES)
    for rate in RATES:
        assert correlate(pcm[rate], murmur(1.0, rate), rate).peak > 0.95


def test_rate_and_channels_may_change_in_the_middle(monkeypatch):
    monkeypatch.setitem(RECIPES, "slow", ("mp3", "libmp3lame", 24_000, "s16p", 64_000))
    first, second = murmur(1.0, 44_100), murmur(1.0, 24_000, seed=2)
    joined = encode_file(first, "mp3", channels=2) + encode_file(second, "slow")
    with PcmReader(io.BytesIO(joined), "mp3") as reader:
        heard = reader.read_all(10_000, RATES)[8_000]
    assert correlate(heard, murmur(1.0, 8_000), 8_000).peak > 0.95
    late = correlate(heard, murmur(1.0, 8_000, seed=2), 8_000)
    assert late.peak > 0.9
    assert 950 < late.lag_ms < 1_150


def level_at_8_khz(frequency: int) -> float:
    """What becomes of a tone at 44.1 kHz, in dB."""
    tone = 16_000 * np.sin(2 * np.pi * frequency * np.arange(44_100) / 44_100)
    with PcmReader(io.BytesIO(wav(tone, 44_100)), "wav") as reader:
        middle = reader.read_all(2_000, (8_000,))[8_000][1_000:7_000].astype(float)
    return float(20 * np.log10(max(np.sqrt(np.mean(middle**2)), 1e-3) / (16_000 / np.sqrt(2))))


@pytest.mark.parametrize(
    ("frequency", "lowest", "highest"),
    [
        (1_000, -0.1, 0.1),
        (3_400, -0.2, 0.1),
        (3_700, -1.5, 0),
        (4_100, -200, -40),
        (4_200, -200, -80),
        (7_000, -200, -80),
    ],
)
def test_telephone_band_passes_and_nothing_folds_back(frequency, lowest, highest):
    assert lowest <= level_at_8_khz(frequency) <= highest


def test_reading_stops_at_the_limit():
    upload = io.BytesIO(silent_flac(hours=20))
    with PcmReader(upload, "flac") as reader, pytest.raises(AudioTooLong, match="longer than 60 seconds"):
        reader.read_all(60_000, RATES)
    assert upload.tell() < len(upload.getvalue()) / 2


def test_damage_that_outweighs_the_sound_is_refused():
    content = encode_file(murmur(0.2, 44_100), "aac")
    rubbish = content[:7] + np.random.default_rng(5).bytes(int.from_bytes(content[3:6]) >> 5 & 0x1FFF)
    with PcmReader(io.BytesIO(content + rubbish * 300), "aac") as reader, pytest.raises(UndecodableAudio):
        reader.read_all(60_000, RATES)


def child_answers(content: bytes, max_ms: int = 10_000) -> tuple[dict[str, object], dict[str, bytes]]:
    class Kept(io.BytesIO):
        def close(self) -> None:
            """Stay readable for the test."""

    clips = {codec: Kept() for codec in CODECS}
    answer = _decode(io.BytesIO(content), clips, max_ms)
    return answer, {codec: clip.getvalue() for codec, clip in clips.items()}


def test_the_child_answers_with_what_it_decoded():
    answer, clips = child_answers(encode_file(murmur(0.5005, 16_000), "flac"))
    assert answer == {
        "outcome": "decoded",
        "duration_ms": 501,
        "container": "flac",
        "codec": "flac",
        "sample_rate": 16_000,
        "channels": 1,
    }
    assert {len(clip) for clip in clips.values()} == {501 * 8}


@pytest.mark.parametrize(
    ("content", "outcome", "sentence"),
    [
        (b"", "undecodable", "this file is empty"),
        (b"hello", "undecodable", "starts like text"),
        (silent_flac(hours=0.1), "too_long", "longer than 10 seconds"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "undecodable", "wav file is damaged or cut off"),
        (wav(np.zeros(0)), "undecodable", "holds no sound"),
    ],
)
def test_the_child_answers_with_a_sentence(content, outcome, sentence):
    answer, _ = child_answers(content)
    assert answer["outcome"] == outcome
    assert sentence in str(answer["message"])


def test_the_child_says_so_when_memory_is_short(monkeypatch):
    def no_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(PcmReader, "read_all", no_memory)
    answer, _ = child_answers(wav(murmur(0.1, 8_000)))
    assert answer["outcome"] == "undecodable"
    assert "too much memory" in str(answer["message"])


def test_the_rehearsal_does_no_harm():
    _rehearse()
