"""Records of calls: lines that can be read back, wav files that are complete when their line is there."""

import wave
from dataclasses import replace

import numpy as np

from outdial.audio.compare import correlate
from outdial.audio.wire import encode_clip
from outdial.sandbox.heard import Heard, Recorder, read_heard
from outdial.sandbox.voices import murmur

HEARD = Heard(
    number="12025550100", caller="1", call_id="a/b@c", outcome="answered", invited_at=1, codec="G722"
)


def test_without_calls_nothing_was_heard(tmp_path):
    assert list(read_heard(tmp_path)) == []


def test_a_call_is_written_with_what_it_heard(tmp_path):
    sound = murmur("1", 16_000)
    recorder = Recorder(tmp_path / "new" / "folder", 10)
    recorder.write(HEARD, encode_clip(sound, "G722"))
    recorder.close()
    [line] = read_heard(tmp_path / "new" / "folder")
    assert line.recording == "12025550100-a_b_c.wav"
    with wave.open(str(tmp_path / "new" / "folder" / line.recording)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert correlate(heard, sound, 16_000).peak > 0.97


def test_lines_are_added_in_order(tmp_path):
    recorder = Recorder(tmp_path, 10)
    recorder.write(HEARD, b"")
    recorder.write(Heard(number="2", caller="1", call_id="x", outcome="refused", code=486, invited_at=2), b"")
    recorder.close()
    assert [(line.number, line.outcome, line.recording) for line in read_heard(tmp_path)] == [
        ("12025550100", "answered", None),
        ("2", "refused", None),
    ]


def test_the_oldest_recordings_make_room_also_after_a_new_start(tmp_path):
    for start in range(2):
        recorder = Recorder(tmp_path, 2)
        for number in range(2):
            recorder.write(replace(HEARD, number=f"{start}{number}"), b"\xff" * 160)
        recorder.close()
    assert sorted(path.name for path in tmp_path.glob("*.wav")) == ["10-a_b_c.wav", "11-a_b_c.wav"]
    assert len(list(read_heard(tmp_path))) == 4
