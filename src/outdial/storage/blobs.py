"""Blobs: sounds and recordings, in a local folder or an object store, through obstore.

Keys are relative paths such as `sounds/<id>/PCMA.clip`. Objects are written once and never changed, which is
what makes the local copy of a remote object good for ever.
"""

import asyncio
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from outdial.errors import NotFound, StorageError


class Blobs:
    """A blob store at `url`: `file:///folder`, or what obstore knows (`s3://bucket/prefix` …).

    `cache` is where copies of remote objects are kept for `local_path`; a local store needs none.
    """

    def __init__(self, url: str, *, cache: Path | None = None) -> None:
        self._root: Path | None = None
        self._store: ObjectStore
        if url.startswith("file://"):
            self._root = self._files = Path(url.removeprefix("file://"))
            self._root.mkdir(parents=True, exist_ok=True)
            self._store = LocalStore(self._root)
        elif cache is None:
            raise StorageError(f"the blob store {url!r} is remote: it needs a cache folder")
        else:
            self._files = cache
            self._store = from_url(url)

    async def put(self, key: str, content: bytes | Path) -> None:
        """Store an object, as a whole or not at all."""
        await obstore.put_async(self._store, _checked(key), content)

    async def get(self, key: str) -> bytes:
        """Return an object; raises NotFound."""
        try:
            response = await obstore.get_async(self._store, _checked(key))
            return bytes(await response.bytes_async())
        except (NotFoundError, FileNotFoundError) as error:
            raise NotFound(f"no blob {key!r}") from error

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, also from the cache; missing ones are no error."""
        for key in keys:
            with suppress(NotFoundError, FileNotFoundError):
                await obstore.delete_async(self._store, _checked(key))
            if self._root is None:
                (self._files / key).unlink(missing_ok=True)

    async def local_path(self, key: str) -> Path:
        """Return a local file with the object's content, fetched first if the store is remote.

        Raises NotFound. The file must not be changed.
        """
        path = self._files / _checked(key)
        if path.is_file():
            return path
        if self._files is self._root:
            raise NotFound(f"no blob {key!r}")
        content = await self.get(key)
        await asyncio.to_thread(_write_whole, path, content)
        return path

    def upload_path(self, key: str) -> Path | None:
        """Return where to write an object as a file that grows (a recording); None if the store is remote."""
        if self._root is None:
            return None
        path = self._root / _checked(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _checked(key: str) -> str:
    parts = PurePosixPath(key).parts
    if not key or key.startswith("/") or ".." in parts:
        raise StorageError(f"{key!r} is not a blob key: it should be a relative path")
    return key


def _write_whole(path: Path, content: bytes) -> None:
    """Write beside, then rename: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    temporary.write_bytes(content)
    temporary.replace(path)
