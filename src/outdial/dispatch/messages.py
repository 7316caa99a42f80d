"""Messages that flows record: written by the media worker, then kept in the blob store."""

import asyncio
import re
from pathlib import Path
from typing import Protocol

import structlog

from outdial.dispatch.two_sides import Side, write_two_sides
from outdial.domain.call import Lease
from outdial.errors import StorageError
from outdial.telephony.media.recording import EXTENSIONS

_log = structlog.get_logger(__name__)


class Store(Protocol):
    """The part of `storage.blobs.Blobs` that is used here."""

    async def take(self, key: str, file: Path) -> None:
        """Store a file and remove it."""
        ...

    async def local_path(self, key: str) -> Path:
        """Return a local file with the object's content. Raises NotFound."""
        ...


class Messages:
    """A folder for messages that are being recorded, and where they go when they are over."""

    def __init__(self, folder: Path, store: Store) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._store = store

    def begin(self, lease: Lease, recording_id: str) -> Path:
        """The file to record into."""
        return self._folder / _name(lease, recording_id)

    async def keep(self, lease: Lease, recording_id: str, file: Path, codec: str) -> str:
        """Take a message to the store and return its key.

        Empty when nothing was said, or the store is away: then the file stays where it is, and the log has
        its name.
        """
        if await asyncio.to_thread(_is_empty, file):
            return ""
        key = f"recordings/{_name(lease, recording_id)}{EXTENSIONS[codec]}"
        try:
            await self._store.take(key, file)
        except (StorageError, OSError) as error:
            _log.warning("message_not_kept", call_id=lease.call_id, file=str(file), error=str(error))
            return ""
        return key

    async def heard_again(self, key: str) -> Path:
        """The file of a message that was kept, as wire bytes of the codec that it was recorded in.

        Raises StorageError.
        """
        return await self._store.local_path(key)

    async def keep_both(self, lease: Lease, recording_id: str, left: Side, right: Side) -> str:
        """Take what two people said to each other to the store, a channel for each, and return its key.

        Empty when neither said anything, or the store is away, as `keep`.
        """
        missing = [await asyncio.to_thread(_is_empty, file) for file, _ in (left, right)]
        if all(missing):
            return ""
        name = f"{_name(lease, recording_id)}.wav"
        both = self._folder / name
        try:
            await asyncio.to_thread(_mix, both, left, right)
            await self._store.take(f"recordings/{name}", both)
        except (StorageError, OSError) as error:
            _log.warning("message_not_kept", call_id=lease.call_id, file=str(both), error=str(error))
            return ""
        return f"recordings/{name}"


def _mix(both: Path, left: Side, right: Side) -> None:
    for file, _ in (left, right):
        file.touch()
    write_two_sides(both, left, right)
    for file, _ in (left, right):
        file.unlink()


def _is_empty(file: Path) -> bool:
    """Whether nothing was recorded; an empty file is removed."""
    if file.exists() and file.stat().st_size:
        return False
    file.unlink(missing_ok=True)
    return True


def _name(lease: Lease, recording_id: str) -> str:
    """A name that files of all systems can have; the end of the id, with the visit, tells it from others."""
    safe = re.sub(r"[^A-Za-z0-9]", "-", recording_id)
    return f"{lease.call_id.replace(':', '-')}-{lease.number}-{safe[-80:]}"
