"""The clips of a sound in the blob store: finding them for a call, and storing what was made or fetched.

A store that hangs is as good as away: nothing here takes longer than STORE_S.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from outdial.audio.clip import CODECS, clip_file_name
from outdial.errors import BlobsUnavailable, NotFound
from outdial.storage.blobs import Blobs
from outdial.storage.sounds import clip_key

STORE_S = 20.0


class Clips(Protocol):
    """Sounds by id, as clips in the codec of a leg."""

    async def find(self, sound_id: str, codec: str) -> Path | None:
        """Return the local file of a clip, None if there is no such sound. Raises BlobsUnavailable."""
        ...


class StoredClips:
    """Clips in the blob store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def find(self, sound_id: str, codec: str) -> Path | None:
        """Return the clip's local file; a remote one is fetched first, which dialling gives time for."""
        try:
            async with _in_time():
                return await self._blobs.local_path(clip_key(sound_id, codec))
        except NotFound:
            return None


async def are_stored(blobs: Blobs, sound_id: str) -> bool:
    """Tell whether all clips of a sound are there, and have them at hand. Raises BlobsUnavailable."""
    try:
        async with _in_time():
            for codec in CODECS:
                await blobs.local_path(clip_key(sound_id, codec))
    except NotFound:
        return False
    return True


async def store(blobs: Blobs, sound_id: str, folder: Path) -> None:
    """Store the clips that `audio.decode.prepare_sound` left in `folder`. Raises BlobsUnavailable."""
    async with _in_time():
        for codec in CODECS:
            await blobs.put(clip_key(sound_id, codec), folder / clip_file_name(codec))


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(STORE_S):
            yield
    except TimeoutError as error:
        raise BlobsUnavailable(f"the blob store took longer than {STORE_S:g} seconds") from error
