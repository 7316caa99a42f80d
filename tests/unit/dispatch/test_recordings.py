"""Where what callees say is kept."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from outdial.dispatch.recordings import Kept, Recordings
from outdial.domain.call import Lease
from outdial.errors import BlobsUnavailable, NotFound
from outdial.storage.blobs import Blobs

LEASE = Lease("request:1", 2, 1, "dialer")
KEY = "recordings/request-1-2.alaw"


class Store:
    """A blob store that can be away."""

    def __init__(self, folder: Path) -> None:
        self.blobs = Blobs(f"file://{folder}")
        self.away = False

    async def take(self, key: str, file: Path) -> None:
        if self.away:
            raise BlobsUnavailable("away")
        await self.blobs.take(key, file)

    async def delete(self, keys: Iterable[str]) -> None:
        await self.blobs.delete(keys)


class Attempts:
    """CDRs that are there or not yet."""

    def __init__(self) -> None:
        self.rescued = True
        self.named: list[tuple[str, int, str, str, int]] = []
        self.deleted: set[str] = set()

    async def is_deleted(self, key: str) -> bool:
        return key in self.deleted

    async def add_recording(self, call_id: str, number: int, codec: str, key: str, duration_ms: int) -> bool:
        if self.rescued:
            self.named.append((call_id, number, codec, key, duration_ms))
        return self.rescued


Make = Callable[[str], Recordings]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "blobs")


@pytest.fixture
def attempts() -> Attempts:
    return Attempts()


@pytest.fixture
def make(tmp_path: Path, store: Store, attempts: Attempts) -> Make:
    return lambda name: Recordings(tmp_path / "recordings", store, attempts, name=name)


async def test_a_recording_is_named_by_its_attempt_and_its_codec(make: Make, store: Store) -> None:
    recordings = make("one")
    recordings.begin(LEASE).write_bytes(b"hello" * 80)
    recordings.answered(LEASE, "PCMA")
    assert recordings.keep(LEASE, "PCMA") == Kept(KEY, 50)
    assert await recordings.upload_once()
    assert await store.blobs.get(KEY) == b"hello" * 80


def test_where_nobody_was_heard_nothing_is_kept(make: Make, tmp_path: Path) -> None:
    recordings = make("one")
    assert recordings.keep(LEASE, "PCMA") is None
    recordings.begin(LEASE).write_bytes(b"")
    assert recordings.keep(LEASE, "PCMU") is None
    recordings.begin(LEASE).write_bytes(b"early media of a call that nobody answered")
    assert recordings.keep(LEASE, None) is None
    assert [file.name for file in (tmp_path / "recordings" / "one").iterdir()] == [".lock"]


def test_a_recording_that_cannot_be_renamed_does_not_cost_the_outcome(make: Make) -> None:
    recordings = make("one")
    file = recordings.begin(LEASE)
    file.write_bytes(b"hello")
    file.with_name(file.name + ".alaw").mkdir()
    assert recordings.keep(LEASE, "PCMA") is None
    assert file.read_bytes() == b"hello"


async def test_a_store_that_is_away_gets_it_later(make: Make, store: Store) -> None:
    recordings = make("one")
    recordings.begin(LEASE).write_bytes(b"hello")
    recordings.keep(LEASE, "PCMA")
    store.away = True
    assert not await recordings.upload_once()
    store.away = False
    assert await recordings.upload_once()
    assert await store.blobs.get(KEY) == b"hello"


async def test_what_was_deleted_before_it_was_stored_does_not_stay(
    make: Make, store: Store, attempts: Attempts
) -> None:
    attempts.deleted.add(KEY)
    recordings = make("one")
    recordings.begin(LEASE).write_bytes(b"hello")
    recordings.keep(LEASE, "PCMA")
    assert await recordings.upload_once()
    with pytest.raises(NotFound):
        await store.blobs.get(KEY)


async def test_what_a_dead_dialer_left_is_taken_over(
    make: Make, store: Store, attempts: Attempts, tmp_path: Path
) -> None:
    dead = make("dead")
    dead.begin(LEASE).write_bytes(b"hello" * 80)
    dead.answered(LEASE, "PCMA")
    dead.begin(Lease("request:2", 1, 1, "dialer")).write_bytes(b"early media")
    alive = make("alive")
    assert await alive.upload_once()
    assert attempts.named == []  # it lives

    dead.close()
    attempts.rescued = False
    assert await alive.upload_once()
    assert (tmp_path / "recordings" / "dead").exists()
    attempts.rescued = True
    assert await alive.upload_once()
    assert attempts.named == [("request:1", 2, "PCMA", KEY, 50)]
    assert await store.blobs.get(KEY) == b"hello" * 80
    assert [folder.name for folder in (tmp_path / "recordings").iterdir()] == ["alive"]
