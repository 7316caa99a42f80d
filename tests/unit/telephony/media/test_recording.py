from pathlib import Path

from outdial.telephony.media.recording import Recording


def test_audio_is_on_disk_before_the_leg_ends(tmp_path: Path) -> None:
    path = tmp_path / "call.ulaw"
    recording = Recording(path)
    for index in range(50):
        recording.receive(1, index * 160, bytes((index,)) * 160, 0xFF, index * 0.02)
    recording.flush(1.0)
    on_disk = path.read_bytes()
    assert len(on_disk) >= 47 * 160
    assert on_disk[:320] == bytes(160) + b"\x01" * 160
    recording.flush(1.6)
    assert len(path.read_bytes()) == 50 * 160, "nothing came for half a second: nothing is held back"
    recording.close()
    assert len(path.read_bytes()) == 50 * 160


def test_a_leg_that_says_nothing_leaves_an_empty_file(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "call.ulaw")
    recording.flush(1.0)
    recording.close()
    assert (tmp_path / "call.ulaw").read_bytes() == b""


def test_a_full_disk_ends_the_recording_and_nothing_else() -> None:
    recording = Recording(Path("/dev/full"))
    recording.receive(1, 0, bytes(160), 0xFF, 0.0)
    recording.receive(1, 8000, bytes(160), 0xFF, 1.0)
    recording.flush(1.0)
    assert recording.problem is not None
    assert "No space" in recording.problem
    recording.receive(1, 8160, bytes(160), 0xFF, 1.02)
    recording.close()
