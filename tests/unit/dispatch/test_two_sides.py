"""A conversation as one file of two channels, which any player reads."""

import wave
from pathlib import Path

import av
import numpy as np
import pytest

from outdial.audio.wire import decode_wire
from outdial.dispatch import two_sides
from outdial.dispatch.two_sides import write_two_sides


def test_each_side_is_a_channel_and_the_shorter_one_ends_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(two_sides, "_CHUNK", 1_000)
    left, right, both = tmp_path / "left", tmp_path / "right", tmp_path / "both.wav"
    left.write_bytes(bytes(range(256)) * 10)
    right.write_bytes(b"\x2a" * 1_600)
    write_two_sides(both, (left, "PCMU"), (right, "PCMA"))
    with av.open(str(both)) as file:
        assert file.streams.audio[0].rate == 8_000
        frames = [frame.to_ndarray() for frame in file.decode(audio=0)]
    samples = np.concatenate(frames, axis=1).reshape(-1, 2)
    assert samples.shape == (2_560, 2)
    assert (samples[:, 0] == decode_wire(left.read_bytes(), "PCMU")).all()
    assert np.abs(samples[:1_600, 1] - decode_wire(b"\x2a", "PCMA")[0]).max() < 512
    assert (samples[1_600:, 1] == 0).all()


def test_the_header_tells_how_long_it_is(tmp_path: Path) -> None:
    left, both = tmp_path / "left", tmp_path / "both.wav"
    left.write_bytes(b"\x55" * 8_000)
    write_two_sides(both, (left, "PCMU"), (left, "PCMU"))
    # The module knows linear samples only, and says so after it has read all of the header.
    with pytest.raises(wave.Error, match="unknown format"), wave.open(str(both)):
        pass
    assert int.from_bytes(both.read_bytes()[4:8], "little") == both.stat().st_size - 8
