"""Where the runner finds the clip of a sound."""

from pathlib import Path
from typing import Protocol

from outdial.errors import NotFound
from outdial.storage.blobs import Blobs
from outdial.storage.sounds import clip_key


class Clips(Protocol):
    """Sounds by id, as clips in the codec of a leg."""

    async def find(self, sound_id: str, codec: str) -> Path | None:
        """Return the local file of a clip, None if there is no such sound."""
        ...


class StoredClips:
    """Clips in the blob store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def find(self, sound_id: str, codec: str) -> Path | None:
        """Return the clip's local file; a remote one is fetched first, which dialling gives time for."""
        try:
            return await self._blobs.local_path(clip_key(sound_id, codec))
        except NotFound:
            return None
