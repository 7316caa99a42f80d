"""Sound files made for the tests: speech-like noise, in every container that PyAV can write."""

import io
from typing import Any

import av
import numpy as np

from outdial.audio.wire import Pcm

RECIPES = {
    "mp3": ("mp3", "libmp3lame", 44_100, "s16p", 128_000),
    "wav": ("wav", "pcm_s16le", 44_100, "s16", None),
    "alaw.wav": ("wav", "pcm_alaw", 8_000, "s16", None),
    "ogg": ("ogg", "libopus", 48_000, "s16", 64_000),
    "m4a": ("ipod", "aac", 44_100, "fltp", 128_000),
    "aac": ("adts", "aac", 44_100, "fltp", 128_000),
    "flac": ("flac", "flac", 16_000, "s16", None),
    "amr": ("amr", "libopencore_amrnb", 8_000, "s16", 12_200),
    "webm": ("webm", "libopus", 48_000, "s16", 64_000),
    "aiff": ("aiff", "pcm_s16be", 22_050, "s16", None),
}


def murmur(seconds: float, rate: int, *, seed: int = 1) -> Pcm:
    """Noise in the speech band whose loudness rises and falls like syllables; every seed is another sound."""
    random = np.random.default_rng(seed)
    spectrum = np.fft.rfft(random.standard_normal(int(seconds * 48_000)))
    frequency = np.fft.rfftfreq(int(seconds * 48_000), 1 / 48_000)
    spectrum[(frequency < 300) | (frequency > 2_500)] = 0
    noise = np.fft.irfft(spectrum, int(seconds * 48_000))
    times = np.arange(0, seconds + 0.2, 0.1)
    loudness = np.interp(np.arange(len(noise)) / 48_000, times, random.uniform(0.1, 1, len(times)))
    sound = noise * loudness
    sound *= 12_000 / np.abs(sound).max()
    # Only multiples of the test rates are asked for, or near ones: linear interpolation is clean at 48 kHz.
    times = np.arange(int(seconds * rate)) * 48_000 / rate
    return np.interp(times, np.arange(len(sound)), sound).astype(np.int16)


def encode_file(pcm: Pcm, recipe: str, *, channels: int = 1) -> bytes:
    """``pcm``, sampled at the rate of the recipe, as a file of that recipe."""
    container_name, codec, rate, sample_format, bit_rate = RECIPES[recipe]
    layout = "mono" if channels == 1 else "stereo"
    content = io.BytesIO()
    with av.open(content, "w", format=container_name) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout=layout)
        if bit_rate:
            stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(
            np.repeat(pcm, channels).reshape(1, -1), format="s16", layout=layout
        )
        frame.sample_rate = rate
        size = stream.codec_context.frame_size or 960
        shaper = av.AudioResampler(sample_format, layout, rate, frame_size=size)
        for shaped in [*shaper.resample(frame), *shaper.resample(None)]:
            container.mux(stream.encode(shaped))
        container.mux(stream.encode(None))
    return content.getvalue()


def rate_of(recipe: str) -> int:
    return RECIPES[recipe][2]


def silent_flac(hours: float) -> bytes:
    """Hours of silence at 8 kHz in 6 kB an hour: FLAC frames of 65,535 equal samples (RFC 9639 section 9)."""
    block = 65_535
    frames = int(hours * 3_600 * 8_000 / block)
    stream_info = (
        block.to_bytes(2) * 2
        + bytes(6)  # frame sizes unknown
        + (8_000 << 44 | 0 << 41 | 15 << 36 | frames * block).to_bytes(
            8
        )  # rate, mono, 16 bits, total samples
        + bytes(16)  # no MD5
    )
    content = [b"fLaC", b"\x80", len(stream_info).to_bytes(3), stream_info]
    for number in range(frames):
        # Sync; block size at the end of the header, 8 kHz; mono, 16 bits; the number; the block size less
        # one.
        header = b"\xff\xf8\x74\x08" + chr(number).encode() + (block - 1).to_bytes(2)
        header += _crc(header, 8, 0x07)
        frame = header + b"\x00" + bytes(2)  # one subframe: the constant zero
        content.append(frame + _crc(frame, 16, 0x8005))
    return b"".join(content)


def _crc(data: bytes, bits: int, polynomial: int) -> bytes:
    crc = 0
    for byte in data:
        crc ^= byte << (bits - 8)
        for _ in range(8):
            crc = (crc << 1) ^ (polynomial if crc >> (bits - 1) else 0)
            crc &= (1 << bits) - 1
    return crc.to_bytes(bits // 8)
