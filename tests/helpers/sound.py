"""A sound to send, and what became of it at the other end."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from outdial.audio.clip import SAMPLE_RATES
from outdial.audio.compare import Correlation, correlate
from outdial.audio.wire import decode_wire, encode_clip

Pcm = npt.NDArray[np.int16]


def melody(duration_s: float, rate: int, *, seed: int = 1) -> Pcm:
    """A tune that is like no other and nowhere like itself: a note of random pitch each 80 ms."""
    generator = np.random.default_rng(seed)
    length = int(0.08 * rate)
    time = np.arange(length) / rate
    notes = [
        np.sin(2 * np.pi * pitch * time) * np.hanning(length)
        for pitch in generator.uniform(300, 3000, round(duration_s / 0.08))
    ]
    return (np.concatenate(notes) * 12_000).astype(np.int16)


def write_clip(path: Path, pcm: Pcm, codec: str) -> Path:
    """Write a clip as the media worker plays it."""
    path.write_bytes(encode_clip(pcm, codec))
    return path


def likeness(recording: Path, pcm: Pcm, codec: str) -> Correlation:
    """Find the sound in a recording of wire bytes."""
    return correlate(decode_wire(recording.read_bytes(), codec), pcm, SAMPLE_RATES[codec])


def captured_rtp(capture: Path) -> Iterator[tuple[float, bytes]]:
    """The UDP payloads of a pcap file of Ethernet frames with IPv4, each with its time in seconds."""
    data = capture.read_bytes()
    offset = 24
    while offset < len(data):
        seconds, micros, length, _ = struct.unpack_from("<IIII", data, offset)
        frame = data[offset + 16 : offset + 16 + length]
        yield seconds + micros / 1e6, frame[14 + 20 + 8 :]
        offset += 16 + length
