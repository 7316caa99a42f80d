"""Parts that several roles and commands build from the settings in the same way."""

import gc
import os
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from outdial.config import Settings
from outdial.egress.allow_list import AllowList
from outdial.egress.message import EgressOptions
from outdial.storage.blobs import Blobs

_COLLECT_AFTER = 10_000


def wall_clock_ms() -> int:
    """Unix milliseconds: the one place where the wall clock is read."""
    return time.time_ns() // 1_000_000


def steady_clock(now: Callable[[], int] = wall_clock_ms) -> Callable[[], int]:
    """A clock that shows the time of day now, and goes on evenly whatever is done to the clock of the day."""
    ahead = now() - time.monotonic_ns() // 1_000_000
    return lambda: time.monotonic_ns() // 1_000_000 + ahead


class UuidSource:
    """Random UUIDs (version 4) out of random bytes that are fetched for many at once.

    The system call lets another thread take the interpreter, which costs a request a fifth of a millisecond
    while the database's writer is busy.
    """

    _BYTES = 16
    _AT_ONCE = 256

    def __init__(self) -> None:
        self._bytes = b""
        self._used = 0

    def __call__(self) -> str:
        """The next UUID in its canonical form."""
        if self._used == len(self._bytes):
            self._bytes, self._used = os.urandom(self._BYTES * self._AT_ONCE), 0
        start, self._used = self._used, self._used + self._BYTES
        return str(uuid.UUID(bytes=self._bytes[start : self._used], version=4))


def why(error: OSError) -> str:
    """The system's own words for an error, without what libraries put around them."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)


def collect_garbage_rarely() -> None:
    """Set the garbage collector up for a process with much to do; called when it is ready.

    What start-up made stays: it is frozen. A request or a call makes hundreds of objects that live as long as
    it does, so that Python's usual 700 mean a search at every second or third one: a fifth of the dialer's
    time, a sixth of the API's.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)


def egress_options(settings: Settings) -> EgressOptions:
    """The part of the settings that requests to customers' addresses read."""
    return EgressOptions(
        allow=AllowList.parse(settings.egress.allow), user_agent=f"Outdial/{version('outdial')}"
    )


def open_blobs(settings: Settings) -> Blobs:
    """The blob store of the settings; copies of remote objects are kept in `cache` in the data folder."""
    section = settings.blobs
    secrets = {"access_key_id": section.access_key_id, "secret_access_key": section.secret_access_key}
    options = {name: value.get_secret_value() for name, value in secrets.items() if value is not None}
    options |= {
        name: value
        for name, value in {"endpoint": section.endpoint, "region": section.region}.items()
        if value is not None
    }
    return Blobs(
        section.url or f"file://{settings.data_dir / 'blobs'}",
        cache=settings.data_dir / "cache",
        cache_bytes=section.cache_bytes,
        options=options,
    )


def sweep_old_uploads(work_dir: Path, *, now_s: float, keep_s: float = 3_600.0) -> None:
    """Remove what uploads left behind that a process was killed in; another API may be using newer ones."""
    if not work_dir.is_dir():
        return
    for folder in work_dir.iterdir():
        with suppress(OSError):
            if folder.stat().st_mtime < now_s - keep_s:
                shutil.rmtree(folder)
