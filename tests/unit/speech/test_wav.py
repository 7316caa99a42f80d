"""WAV files as engines and servers write them; whatever else comes is a failure with a sentence."""

import io
import struct
import wave
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.errors import SpeechFailed
from outdial.speech.wav import parse_wav


def wav(samples, *, rate=24_000, channels=1, width=2) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples, "<i2").tobytes())
    return content.getvalue()


def test_mono_is_read_as_it_is():
    speech = parse_wav(wav([1, -2, 3]), "e")
    assert (speech.pcm.tolist(), speech.rate) == ([1, -2, 3], 24_000)


def test_two_channels_become_their_average():
    assert parse_wav(wav([100, 200, -10, 10], channels=2), "e").pcm.tolist() == [150, 0]


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 0x7FFFFFFF])
def test_the_length_that_a_streaming_server_could_not_know_is_not_believed(claimed):
    content = bytearray(wav([5, 6, 7]))
    struct.pack_into("<I", content, 40, claimed)
    assert parse_wav(bytes(content), "e").pcm.tolist() == [5, 6, 7]


def test_chunks_before_the_sound_are_passed_over():
    content = wav([5])
    extra = b"LIST" + struct.pack("<I", 3) + b"abc\x00"
    assert parse_wav(content[:12] + extra + content[12:], "e").pcm.tolist() == [5]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not a WAV file"),
        (b"ID3\x04" + bytes(100), "not a WAV file"),
        (b"RIFF\x00\x00\x00\x00WAVE", "holds no sound"),
        (wav([1, 2], width=1), "not 16-bit PCM"),
        (wav([1], rate=4_000), "not 16-bit PCM"),
        (wav([1] * 6, channels=6), "not 16-bit PCM"),
    ],
)
def test_other_files_are_failures_that_name_the_engine(content, sentence):
    with pytest.raises(SpeechFailed, match=f"engine http.*{sentence}|{sentence}"):
        parse_wav(content, "http")


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_raise_anything_else(content, riff):
    with suppress(SpeechFailed):
        parse_wav(b"RIFF\x00\x00\x00\x00WAVEfmt " + content if riff else content, "e")
