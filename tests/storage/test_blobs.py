"""Objects in a folder, and copies of objects in a remote store."""

import os
import time
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from outdial.errors import BlobsUnavailable, NotFound, StorageError
from outdial.storage.blobs import Blobs

KEY = "sounds/a/PCMA.clip"
A_LONG_TIME_S = 1_000


@pytest.fixture
def local(tmp_path: Path) -> Blobs:
    return Blobs(f"file://{tmp_path}/blobs")


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    store = MemoryStore()
    monkeypatch.setattr("outdial.storage.blobs.from_url", lambda url, **_: store)
    return Blobs("s3://bucket/prefix", cache=tmp_path / "cache", cache_bytes=100)


@pytest.mark.parametrize("kind", ["local", "remote"])
async def test_put_get_delete(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    blobs: Blobs = request.getfixturevalue(kind)
    await blobs.put(KEY, b"one")
    assert await blobs.get(KEY) == b"one"
    path = await blobs.local_path(KEY)
    assert path.read_bytes() == b"one"
    assert await blobs.local_path(KEY) == path
    source = tmp_path / "source"
    source.write_bytes(b"two")
    await blobs.put("sounds/a/source", source)
    assert await blobs.get("sounds/a/source") == b"two"
    await blobs.delete([KEY, "sounds/none", "sounds/a/source"])
    for key in (KEY, "sounds/a/source"):
        with pytest.raises(NotFound, match=key):
            await blobs.get(key)
        with pytest.raises(NotFound, match=key):
            await blobs.local_path(key)


async def test_a_remote_object_is_fetched_once(remote: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    await remote.put(KEY, b"one")
    path = await remote.local_path(KEY)
    monkeypatch.setattr(remote, "get", None)
    assert await remote.local_path(KEY) == path
    assert [part.name for part in path.parent.iterdir()] == ["PCMA.clip"]


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../secret", "sounds/../../secret"])
async def test_keys_cannot_leave_the_store(local: Blobs, key: str) -> None:
    with pytest.raises(StorageError, match="not a blob key"):
        await local.put(key, b"")
    with pytest.raises(StorageError, match="not a blob key"):
        await local.local_path(key)


def test_a_remote_store_needs_a_cache() -> None:
    with pytest.raises(StorageError, match="cache folder"):
        Blobs("s3://bucket")


@pytest.mark.parametrize("kind", ["local", "remote"])
async def test_a_file_is_taken(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    blobs: Blobs = request.getfixturevalue(kind)
    file = tmp_path / "spoken"
    file.write_bytes(b"hello")
    await blobs.take("recordings/a.alaw", file)
    assert await blobs.get("recordings/a.alaw") == b"hello"
    assert not file.exists()


async def test_the_least_recently_used_copies_make_room(remote: Blobs, tmp_path: Path) -> None:
    for name in ("used", "unused", "new"):
        await remote.put(name, bytes(45))
    for name in ("used", "unused"):
        path = await remote.local_path(name)
        os.utime(path, (time.time() - A_LONG_TIME_S, time.time() - A_LONG_TIME_S))
    assert (await remote.local_path("used")).stat().st_mtime > time.time() - A_LONG_TIME_S
    await remote.local_path("new")
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["new", "used"]
    assert await remote.get("unused") == bytes(45)


async def test_what_was_just_asked_for_is_spared(remote: Blobs) -> None:
    """A call that looked before dialling opens the copy a little later."""
    await remote.put("a", bytes(90))
    await remote.put("b", bytes(90))
    first, second = await remote.local_path("a"), await remote.local_path("b")
    assert first.exists()
    assert second.exists()


async def test_a_store_that_refuses_is_an_error_of_its_own(local: Blobs, tmp_path: Path) -> None:
    (tmp_path / "blobs" / "a").write_bytes(b"a file where a folder should be")
    with pytest.raises(BlobsUnavailable, match="refused 'a/b'"):
        await local.put("a/b", b"1")


async def test_a_folder_whose_disk_is_away_is_no_empty_store(local: Blobs, tmp_path: Path) -> None:
    """A mount point without its disk is an empty folder: nothing is missing, and nothing is written to it."""
    await local.put(KEY, b"one")
    folder, disk = tmp_path / "blobs", tmp_path / "disk"
    folder.rename(disk)
    folder.mkdir()
    spoken = tmp_path / "spoken"
    spoken.write_bytes(b"hello")
    for ask in (
        lambda: local.local_path(KEY),
        lambda: local.get(KEY),
        lambda: local.put("b", b"two"),
        lambda: local.take("c", spoken),
        lambda: local.delete([KEY]),
    ):
        with pytest.raises(BlobsUnavailable, match="is its disk mounted"):
            await ask()
    assert (list(folder.iterdir()), spoken.exists()) == ([], True)
    folder.rmdir()
    with pytest.raises(BlobsUnavailable, match="is its disk mounted"):
        await local.local_path(KEY)
    disk.rename(folder)
    assert (await local.local_path(KEY)).read_bytes() == b"one"


async def test_a_store_without_its_mark_is_given_one(tmp_path: Path) -> None:
    """Those of earlier versions have none, nor what was restored from their backups."""
    (tmp_path / "blobs" / "sounds").mkdir(parents=True)
    (tmp_path / "blobs" / "sounds" / "a").write_bytes(b"one")
    assert await Blobs(f"file://{tmp_path}/blobs").get("sounds/a") == b"one"
