"""G.711 against FFmpeg's independent tables, G.722 there and back, and what a byte of silence decodes to."""

from typing import Any

import av
import numpy as np
import pytest
from tests.unit.audio.files import murmur

from outdial.audio.clip import BYTES_PER_MS, CODECS, SAMPLE_RATES, clip_file_name, silence
from outdial.audio.compare import correlate
from outdial.audio.wire import decode_wire, encode_clip

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32_768, 32_768).astype(np.int16)


def ffmpeg_decode(wire: bytes, codec: str) -> np.ndarray:
    context: Any = av.CodecContext.create(codec, "r")
    context.sample_rate, context.layout = 8_000, "mono"
    return context.decode(av.Packet(wire))[0].to_ndarray().reshape(-1)


@pytest.mark.parametrize(("codec", "ffmpeg"), [("PCMU", "pcm_mulaw"), ("PCMA", "pcm_alaw")])
def test_g711_decodes_every_code_as_the_standard_says(codec, ffmpeg):
    assert np.array_equal(decode_wire(EVERY_CODE, codec), ffmpeg_decode(EVERY_CODE, ffmpeg))


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_g711_encodes_every_sample_to_the_nearest_value(codec):
    values = decode_wire(EVERY_CODE, codec).astype(int)
    error = np.abs(decode_wire(encode_clip(EVERY_SAMPLE, codec), codec).astype(int) - EVERY_SAMPLE)
    nearest = np.array([np.abs(values - sample).min() for sample in EVERY_SAMPLE[::37].astype(int)])
    assert np.array_equal(error[::37], nearest)


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_g711_code_survives_decoding_and_encoding(codec):
    again = encode_clip(decode_wire(EVERY_CODE, codec), codec)
    different = [code for code in range(256) if again[code] != code]
    assert different == ([0x7F] if codec == "PCMU" else [])  # the negative zero of mu-law


@pytest.mark.parametrize("codec", CODECS)
def test_a_clip_takes_eight_bytes_a_millisecond_and_sounds_like_its_source(codec):
    rate = SAMPLE_RATES[codec]
    sound = murmur(2.0, rate)
    clip = encode_clip(sound, codec)
    assert len(clip) == 2_000 * BYTES_PER_MS
    heard = correlate(decode_wire(clip, codec), sound, rate)
    assert heard.peak > 0.99
    assert abs(heard.lag_ms) < 2


@pytest.mark.parametrize("codec", CODECS)
def test_silence_stays_quiet_even_behind_a_loud_sound(codec):
    loud = encode_clip(murmur(0.5, SAMPLE_RATES[codec]), codec)
    decoded = decode_wire(loud + silence(codec, 500), codec)
    tail = decoded[-SAMPLE_RATES[codec] * 450 // 1_000 :]
    assert len(silence(codec, 20)) == 160
    assert np.abs(tail.astype(int)).max() < 100


def test_g722_speech_after_long_silence_is_hardly_disturbed():
    sound = murmur(1.0, 16_000)
    wire = encode_clip(sound, "G722")
    quiet = silence("G722", 1_000)
    assert correlate(decode_wire(quiet + wire, "G722"), sound, 16_000).peak > 0.95


@pytest.mark.parametrize("codec", CODECS)
def test_nothing_encodes_to_nothing(codec):
    nothing = np.zeros(0, np.int16)
    assert encode_clip(nothing, codec) == b""
    assert len(decode_wire(b"", codec)) == 0


def test_g722_drops_an_odd_last_sample():
    assert len(encode_clip(np.zeros(3, np.int16), "G722")) == 1


def test_unknown_codecs_are_key_errors():
    with pytest.raises(KeyError):
        encode_clip(EVERY_SAMPLE, "G729")
    with pytest.raises(KeyError):
        decode_wire(b"", "G729")


def test_clip_files_are_named_by_codec():
    assert [clip_file_name(codec) for codec in CODECS] == ["PCMU.clip", "PCMA.clip", "G722.clip"]
