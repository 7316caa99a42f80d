"""Objects in a folder, and copies of objects in a remote store."""

from pathlib import Path

import pytest
from obstore.store import MemoryStore

from outdial.errors import NotFound, StorageError
from outdial.storage.blobs import Blobs

KEY = "sounds/a/PCMA.clip"


@pytest.fixture
def local(tmp_path: Path) -> Blobs:
    return Blobs(f"file://{tmp_path}/blobs")


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    store = MemoryStore()
    monkeypatch.setattr("outdial.storage.blobs.from_url", lambda url: store)
    return Blobs("s3://bucket/prefix", cache=tmp_path / "cache")


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


def test_where_a_recording_may_grow(local: Blobs, remote: Blobs) -> None:
    path = local.upload_path("recordings/x.wav")
    assert path is not None
    path.write_bytes(b"")
    assert remote.upload_path("recordings/x.wav") is None


def test_a_remote_store_needs_a_cache() -> None:
    with pytest.raises(StorageError, match="cache folder"):
        Blobs("s3://bucket")
