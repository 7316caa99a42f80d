"""What is queued while another process writes to the SQLite file waits for one commit, not for two."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator

import pytest

from outdial.storage import writer
from outdial.storage.database import Database
from outdial.storage.engine import is_busy, sqlite_path
from tests.storage.world import until


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    async with Database(sqlite_url) as started:
        await started.run(lambda _: None)
        yield started


class Held:
    """The file is another's; the first write waits for it, and the second one came meanwhile."""

    def __init__(self, url: str) -> None:
        self._other = sqlite3.connect(sqlite_path(url), isolation_level=None)
        self._other.execute("BEGIN IMMEDIATE")
        self.writes: list[asyncio.Task[int]] = []

    def let_go(self) -> None:
        self._other.close()


@pytest.fixture
async def held(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Held]:
    waiting = threading.Event()

    def noting(error: BaseException) -> bool:
        waiting.set()
        return is_busy(error)

    monkeypatch.setattr(writer, "is_busy", noting)
    made = Held(database.url)
    try:
        made.writes.append(asyncio.create_task(database.run(lambda _: 1)))
        await until(waiting.is_set)
        made.writes.append(asyncio.create_task(database.run(lambda _: 2)))
        await asyncio.sleep(0)  # it is queued
        yield made
    finally:
        made.let_go()


async def test_they_share_the_commit(database: Database, held: Held) -> None:
    before = database.commits
    held.let_go()
    assert await asyncio.gather(*held.writes) == [1, 2]
    assert database.commits == before + 1


async def test_what_came_is_written_before_a_stop(database: Database, held: Held) -> None:
    """The order to stop is found behind it."""
    stopping = asyncio.create_task(database.stop())
    await asyncio.sleep(0)
    held.let_go()
    await stopping
    assert await asyncio.gather(*held.writes) == [1, 2]
