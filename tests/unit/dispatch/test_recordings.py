"""Where what callees say is kept."""

from pathlib import Path

from outdial.dispatch.recordings import Recordings
from outdial.domain.call import Lease

LEASE = Lease("request:1", 2, 1, "dialer")


def test_a_recording_is_named_by_its_attempt_and_its_codec(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "recordings")
    recordings.begin(LEASE).write_bytes(b"hello")
    key = recordings.keep(LEASE, "PCMA")
    assert key == "recordings/request-1-2.alaw"
    assert (tmp_path / key).read_bytes() == b"hello"
    assert [file.name for file in (tmp_path / "recordings").iterdir()] == ["request-1-2.alaw"]


def test_where_nobody_was_heard_nothing_is_kept(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "recordings")
    assert recordings.keep(LEASE, "PCMA") is None
    recordings.begin(LEASE).write_bytes(b"")
    assert recordings.keep(LEASE, "PCMU") is None
    recordings.begin(LEASE).write_bytes(b"early media of a call that nobody answered")
    assert recordings.keep(LEASE, None) is None
    assert list((tmp_path / "recordings").iterdir()) == []


def test_a_recording_that_cannot_be_renamed_does_not_cost_the_outcome(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "recordings")
    recordings.begin(LEASE).write_bytes(b"hello")
    (tmp_path / "recordings" / "request-1-2.alaw").mkdir()
    assert recordings.keep(LEASE, "PCMA") is None
    assert recordings.begin(LEASE).read_bytes() == b"hello"
