"""Blobs: sounds and recordings, in a local folder or an object store, through obstore.

Keys are relative paths such as `sounds/<id>/PCMA.clip`. Objects are written once and never changed, which is
what makes the local copy of a remote object good for ever.
"""

import asyncio
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from outdial.errors import BlobsUnavailable, NotFound, StorageError
from outdial.storage.blob_cache import BlobCache

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE_BYTES = 2 * 1024**3
MARK = ".outdial-blobs"
"""In the folder of a local store: a mount point whose disk is away has none, so it is not taken for empty."""
_CLIENT = {"timeout": "60s", "connect_timeout": "5s"}
_RETRY: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=15)}
"""A request that waits for a store must not wait for the library's own three minutes."""


class Blobs:
    """A blob store at `url`: `file:///folder`, or what obstore knows (`s3://bucket/prefix` …).

    `cache` is where copies of remote objects are kept for `local_path`, at most `cache_bytes` of them; a
    local store needs none. `options` go to the store as they are (endpoint, region, credentials); what they
    leave out comes from the store's own environment variables.

    Every method raises BlobsUnavailable when the store cannot be reached or refuses, as the folder of a local
    store does while its disk is not mounted.
    """

    def __init__(
        self,
        url: str,
        *,
        cache: Path | None = None,
        cache_bytes: int = CACHE_BYTES,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._root: Path | None = None
        self._cache: BlobCache | None = None
        self._store: ObjectStore
        if url.startswith("file://"):
            self._root = Path(url.removeprefix("file://"))
            self._root.mkdir(parents=True, exist_ok=True)
            if not (self._root / MARK).exists():
                (self._root / MARK).touch()
            self._store = LocalStore(self._root)
        elif cache is None:
            raise StorageError("the blob store is remote: it needs a cache folder")
        else:
            self._cache = BlobCache(cache, cache_bytes)
            self._store = _remote(url, options or {})

    async def put(self, key: str, content: bytes | Path) -> None:
        """Store an object, as a whole or not at all."""
        with self._errors(key):
            self._insist_on_disk()
            await obstore.put_async(self._store, key, content)

    async def take(self, key: str, file: Path) -> None:
        """Store a local file as an object, and remove the file once that is done."""
        if self._root is None:
            await self.put(key, file)
            await asyncio.to_thread(file.unlink, missing_ok=True)
            return
        with self._errors(key):
            self._insist_on_disk()
            await asyncio.to_thread(_move, file, self._root / key)

    async def get(self, key: str) -> bytes:
        """Return an object; raises NotFound."""
        with self._errors(key):
            response = await obstore.get_async(self._store, key)
            return bytes(await response.bytes_async())

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, also from the cache; missing ones are no error."""
        for key in keys:
            with suppress(NotFound), self._errors(key):
                await obstore.delete_async(self._store, key)
            if self._cache is not None:
                self._cache.drop(key)

    async def local_path(self, key: str) -> Path:
        """Return a local file with the object's content, fetched first if the store is remote.

        Raises NotFound. The file must not be changed, and should be opened within blob_cache.SPARED_S.
        """
        with self._errors(key):
            if self._cache is None:
                assert self._root is not None
                return _existing(self._root / key)
            if (kept := self._cache.find(key)) is not None:
                return kept
        content = await self.get(key)
        with self._errors(key):
            return await asyncio.to_thread(self._cache.add, key, content)

    @contextmanager
    def _errors(self, key: str) -> "Iterator[None]":
        """Turn what the store and the system raise about an object into errors of ours."""
        _checked(key)
        try:
            try:
                yield
            except (NotFoundError, FileNotFoundError) as error:
                self._insist_on_disk()
                raise NotFound(f"no blob {key!r}") from error
        except (BaseError, OSError) as error:
            raise BlobsUnavailable(f"the blob store refused {key!r}: {_first_line(error)}") from error

    def _insist_on_disk(self) -> None:
        if self._root is not None and not (self._root / MARK).is_file():
            raise BlobsUnavailable(
                f"the folder of the blob store has no {MARK}, which each start writes: is its disk mounted?"
            )


def _remote(url: str, options: Mapping[str, Any]) -> ObjectStore:
    client: dict[str, str] = dict(_CLIENT)
    if str(options.get("endpoint", "")).startswith("http://"):
        client["allow_http"] = "true"
    if url.startswith("s3"):
        options = {
            "disable_bulk_delete": True,
            **options,
        }  # not every S3-compatible store has the bulk request
    settings: Any = {**options, "client_options": client, "retry_config": _RETRY}
    try:
        store: ObjectStore = from_url(url, **settings)
    except (BaseError, ValueError, TypeError) as error:
        # Not with the URL or the options: both may hold credentials.
        raise StorageError(f"the blob store cannot be opened: {_first_line(error)}") from None
    return store


def _existing(file: Path) -> Path:
    if not stat.S_ISREG(file.stat().st_mode):
        raise FileNotFoundError(file)
    return file


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _checked(key: str) -> str:
    parts = PurePosixPath(key).parts
    if not key or key.startswith("/") or ".." in parts:
        raise StorageError(f"{key!r} is not a blob key: it should be a relative path")
    return key


def _move(file: Path, to: Path) -> None:
    """Rename, or copy and rename where the store is on another file system."""
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        file.replace(to)
    except OSError:
        beside = to.with_name(f"{to.name}.{os.getpid()}.part")
        shutil.copyfile(file, beside)
        beside.replace(to)
        file.unlink(missing_ok=True)
