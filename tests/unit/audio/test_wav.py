"""Recordings as WAV files: whole, and any part of them."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outdial.audio import wav
from outdial.audio.clip import CODECS, SAMPLE_RATES
from outdial.audio.wav import HEADER_BYTES, Wav
from outdial.audio.wire import decode_wire, encode_clip


def recorded(folder: Path, codec: str, seconds: float = 0.7) -> Path:
    """A rising tone as wire bytes."""
    rate = SAMPLE_RATES[codec]
    times = np.arange(int(rate * seconds)) / rate
    tone = (8_000 * np.sin(2 * np.pi * (300 + 200 * times) * times)).astype(np.int16)
    file = folder / f"{codec}.wire"
    file.write_bytes(encode_clip(tone, codec))
    return file


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wav, "_PIECE", 999)


@pytest.mark.parametrize("codec", CODECS)
def test_the_file_is_what_the_codec_decodes_to(tmp_path: Path, codec: str) -> None:
    file = recorded(tmp_path, codec)
    whole = b"".join(Wav(file, codec).read())
    assert len(whole) == Wav(file, codec).size
    with wave.open(io.BytesIO(whole)) as found:
        assert (found.getnchannels(), found.getsampwidth()) == (1, 2)
        assert found.getframerate() == SAMPLE_RATES[codec]
        pcm = np.frombuffer(found.readframes(found.getnframes()), "<i2")
    assert np.array_equal(pcm, decode_wire(file.read_bytes(), codec))


@pytest.mark.parametrize("codec", CODECS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_part_is_that_part(tmp_path: Path, codec: str, data: st.DataObject) -> None:
    file = tmp_path / f"{codec}.wire"
    if not file.exists():
        recorded(tmp_path, codec)
    whole = b"".join(Wav(file, codec).read())
    begin = data.draw(st.integers(0, len(whole) + 10))
    end = data.draw(st.integers(begin, len(whole) + 10))
    assert b"".join(Wav(file, codec).read(begin, end)) == whole[begin:end]


def test_an_empty_recording_is_a_header(tmp_path: Path) -> None:
    file = tmp_path / "empty"
    file.write_bytes(b"")
    assert len(b"".join(Wav(file, "G722").read())) == HEADER_BYTES == Wav(file, "G722").size


def test_a_part_of_a_long_recording_does_not_read_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "long"
    with file.open("wb") as out:
        out.truncate(28_800_000)  # an hour
    pieces = list(Wav(file, "PCMA").read(50_000_000, 50_000_100))
    assert sum(map(len, pieces)) == 100
    assert max(map(len, Wav(file, "PCMA").read(0, 100_000))) <= 999 * 2
