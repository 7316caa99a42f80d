"""Where what callees say is kept: first a local file for each attempt, then the blob store.

The media worker writes into the spool while the call runs. When the attempt ends, its file gets the name by
which the CDR knows it and is taken to the blob store in the background, again and again until that worked. A
dialer that dies leaves its spool, which the next one on this machine takes over.
"""

import asyncio
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from outdial.audio.clip import BYTES_PER_MS
from outdial.domain.call import Lease
from outdial.errors import StorageError
from outdial.telephony.media.events import RecordingCut
from outdial.telephony.media.recording import EXTENSIONS

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_LOOK_S = 30.0
"""How often spools of other dialers are looked at."""
_LOCK = ".lock"
_RUNNING = ".running"

_log = structlog.get_logger(__name__)


class Store(Protocol):
    """The part of `storage.blobs.Blobs` that is used here."""

    async def take(self, key: str, file: Path) -> None:
        """Store a file and remove it."""
        ...

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove what is stored."""
        ...


class Attempts(Protocol):
    """What is asked about attempts that ended, and those whose dialer died."""

    async def is_deleted(self, key: str) -> bool:
        """Tell whether somebody deleted a recording already, before it was in the store."""
        ...

    async def add_recording(self, call_id: str, number: int, codec: str, key: str, duration_ms: int) -> bool:
        """Name the recording in the CDR; False while there is none, because nobody has rescued it yet."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What an attempt has recorded."""

    key: str
    """Under which it will be stored."""
    duration_ms: int


class Recordings:
    """The recordings of one dialer. A file holds the wire bytes of its codec, 8 bytes a millisecond.

    `folder` is shared by all dialers of the machine; each has a spool in it, locked for as long as it lives.
    """

    def __init__(self, folder: Path, store: Store, attempts: Attempts, *, name: str) -> None:
        self._folder = folder
        self._spool = folder / name
        unseen = folder / f".{name}"  # by the others, until it is locked
        unseen.mkdir(parents=True)
        self._lock = _locked(unseen)
        unseen.rename(self._spool)
        self._store = store
        self._attempts = attempts
        self._kept = asyncio.Event()

    def begin(self, lease: Lease) -> Path:
        """Return the file that an attempt records into."""
        return self._spool / f"{lease.call_id}-{lease.number}"

    def answered(self, lease: Lease, codec: str) -> None:
        """Note the codec in the file's name: wire bytes do not tell it, and this dialer may die."""
        file = self.begin(lease)
        with suppress(OSError):  # then it goes without a name until `keep`
            file.rename(file.with_name(file.name + EXTENSIONS[codec] + _RUNNING))

    def keep(self, lease: Lease, codec: str | None) -> Kept | None:
        """End the file of an attempt that is over, and return what it holds.

        One in which nobody was heard is removed: then there is no recording, and None is returned. So it is
        when the disk refuses, which must not cost the attempt its outcome; the file then stays as it is.
        """
        try:
            return self._keep(self.begin(lease), codec)
        except OSError as error:
            _log.warning("recording_not_kept", call_id=lease.call_id, error=str(error))
            return None

    def _keep(self, begun: Path, codec: str | None) -> Kept | None:
        extension = "" if codec is None else EXTENSIONS[codec]
        running = begun.with_name(begun.name + extension + _RUNNING)
        file = running if extension and running.exists() else begun
        if codec is None or not file.exists() or file.stat().st_size == 0:
            file.unlink(missing_ok=True)
            return None
        kept = file.rename(begun.with_name(begun.name + extension))
        self._kept.set()
        return Kept(_key(kept), _duration_ms(kept))

    async def upload(self) -> None:
        """Take what is kept to the store, also what dead dialers left, until cancelled."""
        wait_s = _FIRST_WAIT_S
        while True:
            self._kept.clear()
            ok = await self.upload_once()
            wait_s = _FIRST_WAIT_S if ok else min(wait_s * 2, _LONGEST_WAIT_S)
            if not ok:
                await asyncio.sleep(wait_s)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._kept.wait()

    async def upload_once(self) -> bool:
        """Take all that can be taken now; False if the store or the database refused."""
        try:
            for file in _finished(self._spool):
                await self._take(_key(file), file)
            for spool in self._abandoned():
                await self._take_over(spool)
        except (StorageError, OSError) as error:
            _log.warning("recordings_not_uploaded", error=str(error))
            return False
        return True

    def close(self) -> None:
        """Let go of the spool: what is still in it is for the next dialer."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _abandoned(self) -> Iterator[Path]:
        for spool in self._folder.iterdir():
            if spool == self._spool or spool.name.startswith(".") or not spool.is_dir():
                continue
            lock = _locked(spool)
            if lock is not None:
                try:
                    yield spool
                finally:
                    os.close(lock)

    async def _take_over(self, spool: Path) -> None:
        for file in _finished(spool):
            await self._take(_key(file), file)
        for file in _running(spool):
            kept = file.with_name(file.name.removesuffix(_RUNNING))
            call_id, _, number = kept.stem.rpartition("-")
            codec = _CODECS[kept.suffix]
            key, duration_ms = _key(kept), _duration_ms(file)
            if not await self._attempts.add_recording(call_id, int(number), codec, key, duration_ms):
                return  # the lease of its dialer has not run out yet
            await self._take(key, file)
        shutil.rmtree(spool)  # with what nobody answered

    async def _take(self, key: str, file: Path) -> None:
        """Whoever deletes a recording marks it first and removes its audio then: one of us two removes it."""
        await self._store.take(key, file)
        if await self._attempts.is_deleted(key):
            await self._store.delete([key])


_CODECS = {extension: codec for codec, extension in EXTENSIONS.items()}


def tell_cut(lease: Lease, cut: RecordingCut) -> str:
    """Note in the log that the disk took no more of a recording, and return the sentence for its CDR."""
    seconds = cut.recorded_ms / 1000
    _log.warning("recording_cut", call_id=lease.call_id, seconds=seconds, error=cut.problem)
    ends = f"The recording ends after {seconds:.1f} seconds" if cut.recorded_ms else "Nothing was recorded"
    return f"{ends}: {cut.problem}."


def _key(file: Path) -> str:
    return f"recordings/{file.name.replace(':', '-')}"


def _duration_ms(file: Path) -> int:
    return file.stat().st_size // BYTES_PER_MS


def _finished(spool: Path) -> list[Path]:
    return [file for file in spool.iterdir() if file.suffix in _CODECS]


def _running(spool: Path) -> list[Path]:
    return list(spool.glob(f"*{_RUNNING}"))


def _locked(spool: Path) -> int | None:
    """Lock a spool for as long as the descriptor is open; None if a living dialer has it."""
    descriptor = os.open(spool / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
