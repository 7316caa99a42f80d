"""No room for another byte of the recordings under a call: the call goes on, and says what it could not keep.

The disk is real: a small file system of its own at the folder of the recordings, filled up by a ballast.
Where nobody may mount one, a bound on the size of the media worker's files (RLIMIT_FSIZE) stands for it.
"""

import errno
import io
import os
import resource
import subprocess
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from tests.helpers.poll import until
from tests.helpers.system import System

from outdial.audio.compare import correlate
from outdial.sandbox.voices import murmur

pytestmark = pytest.mark.timeout(180)

TALKS = "12025550100"
RATE = 8_000
SOUND_MS = 6_000
PACKETS = SOUND_MS // 20
_DISK_BYTES = 1024 * 1024


class Disk(Protocol):
    """Where recordings are written."""

    words: str
    """What the system says when there is no room."""

    def fill(self, system: System) -> None:
        """Take all the room that is left."""
        ...

    def make_room(self, system: System) -> None:
        """Give it back."""
        ...


class SmallDisk:
    """A file system that holds a megabyte."""

    words = os.strerror(errno.ENOSPC)

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, _: System) -> None:
        with (self.folder / ".ballast").open("ab", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(4096))

    def make_room(self, _: System) -> None:
        (self.folder / ".ballast").unlink()


class BoundedFiles:
    """No file of the media worker may grow beyond what the recording has now."""

    words = os.strerror(errno.EFBIG)

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, system: System) -> None:
        self._bound(system, max((file.stat().st_size for file in _recordings(self.folder)), default=0))

    def make_room(self, system: System) -> None:
        self._bound(system, resource.RLIM_INFINITY)

    def _bound(self, system: System, size: int) -> None:
        pid = system.pid_of("media")
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


@pytest.fixture(params=["small disk", "bounded files"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "data" / "recordings"
    folder.mkdir(parents=True)
    if request.param == "bounded files":
        yield BoundedFiles(folder)
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "outdial-test", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("nobody may mount a file system here")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
async def system(tmp_path: Path, sqlite_url: str, disk: Disk) -> AsyncIterator[System]:
    settings = {"dispatch.record": True, "media.workers": 1}
    async with System(tmp_path, sqlite_url, settings=settings) as running:
        yield running


async def test_a_full_disk_costs_the_rest_of_a_recording_and_nothing_else(system: System, disk: Disk) -> None:
    server = await system.start()
    folder = system.data_dir / "recordings"
    sound = await system.add_sound(SOUND_MS)

    (cut,) = (await system.send([TALKS], sound)).values()
    await until(lambda: any(file.stat().st_size >= RATE for file in _recordings(folder)), "a second is kept")
    disk.fill(system)
    ended = await system.done(cut)
    _went_through(system, ended, calls=1)
    seconds = await _recorded_seconds(system, cut)
    assert 1.0 <= seconds < SOUND_MS / 1000 - 0.5
    assert ended["explanation"].endswith(
        f"; then we hung up. The recording ends after {seconds:.1f} seconds: {disk.words}."
    )
    assert await _trace(system, cut, f"recorded only {seconds:.1f} s: {disk.words}")
    (line,) = server.log("recording_cut")
    assert (line["call_id"], line["error"]) == (cut, disk.words)

    disk.fill(system)  # the first recording has left, and with it some room
    (unheard,) = (await system.send([TALKS], sound)).values()
    ended = await system.done(unheard)
    _went_through(system, ended, calls=2)
    assert ended["attempts"][0]["recording"] is None
    assert ended["explanation"].endswith(f"; then we hung up. Nothing was recorded: {disk.words}.")
    assert len(server.log("recording_cut")) == 2

    disk.make_room(system)
    (whole,) = (await system.send([TALKS], sound)).values()
    ended = await system.done(whole)
    _went_through(system, ended, calls=3)
    assert ended["explanation"].endswith("; then we hung up.")
    assert await _recorded_seconds(system, whole) > SOUND_MS / 1000 - 0.5
    assert len(server.log("recording_cut")) == 2
    for trouble in ("role_fell", "media_worker_lost", "attempt_failed", "recording_not_kept"):
        assert server.log(trouble) == []
    assert "Traceback" not in server.log_file.read_text()


def _recordings(folder: Path) -> list[Path]:
    return [file for file in folder.glob("*/*") if not file.name.startswith(".")]


def _went_through(system: System, ended: dict[str, Any], *, calls: int) -> None:
    """The callee heard all of it, and so says the outcome."""
    (attempt,) = ended["attempts"]
    assert (ended["status"], attempt["reason"]) == ("ANSWER", "completed")
    heard = system.heard()
    assert len(heard) == calls
    assert heard[-1].packets + heard[-1].lost >= PACKETS


async def _recorded_seconds(system: System, call_id: str) -> float:
    """How long the recording of a call is, which can be fetched and has the callee's voice."""
    recording_id = f"{call_id.replace(':', '-')}-1"
    status, row = await system.request("GET", f"voice/recordings/{recording_id}")
    assert status == 200, row

    async def stored() -> bytes:
        status, audio = await system.request("GET", f"voice/recordings/{recording_id}/audio")
        return audio if status == 200 else b""

    with wave.open(io.BytesIO(await until(stored, "the recording is in the store"))) as file:
        assert file.getframerate() == RATE
        heard = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert row["data"]["duration"] == f"00:00:{-(-len(heard) // RATE):02}"
    voice = np.tile(murmur(TALKS, RATE), 2)
    # A second of it: on a busy machine the far end may have been late with another one.
    seconds = [heard[start : start + RATE] for start in range(0, len(heard) - RATE + 1, RATE // 2)]
    assert max(correlate(voice, second, RATE).peak for second in seconds) > 0.9
    return len(heard) / RATE


async def _trace(system: System, call_id: str, note: str) -> bool:
    status, answer = await system.request("GET", f"outgoing/trace?id={call_id}")
    assert status == 200, answer
    return note in str(answer["data"])
