"""Who waits for work is woken by the commit that makes it, and only by that."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from outdial.storage import wake
from outdial.storage.database import Database
from tests.postgres import Cluster
from tests.storage.world import World


@asynccontextmanager
async def listening(url: str, *channels: str) -> AsyncIterator[wake.WakeListener]:
    listener = wake.WakeListener(url, channels)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(listener.run())
        async with asyncio.timeout(10):
            await listener.listening.wait()
        await listener.wait(0)
        yield listener
        task.cancel()


async def test_a_commit_wakes_every_listener_of_its_channel(world: World) -> None:
    url = world.database.url
    async with (
        listening(url, wake.CALLS, wake.CANCELS) as one,
        listening(url, wake.CALLS) as two,
        listening(url, wake.CANCELS) as three,
    ):
        await world.queue()
        assert await one.wait(5) == {wake.CALLS}
        assert await two.wait(5) == {wake.CALLS}
        assert await three.wait(0.05) == frozenset()


async def test_a_wake_up_before_the_wait_is_not_missed(world: World) -> None:
    async with listening(world.database.url, wake.CALLS) as listener:
        await world.queue()
        await asyncio.sleep(0.1)
        assert await listener.wait(0.001) == {wake.CALLS}
        assert await listener.wait(0.001) == frozenset()


async def test_a_service_may_wake_itself(database_url: str) -> None:
    listener = wake.WakeListener(database_url, [wake.CALLS])
    listener.wake()
    assert await listener.wait(5) == frozenset()
    listener.wake(wake.CALLS)
    assert await listener.wait(None) == {wake.CALLS}


def test_nothing_to_send(database_url: str) -> None:
    sender = wake.WakeSender(database_url)
    sender.send([])
    sender.close()
    sender.close()


def test_without_listeners_or_their_folder_nothing_happens(sqlite_url: str) -> None:
    sender = wake.WakeSender(sqlite_url)
    sender.send([wake.CALLS])
    wake.run_folder(sqlite_url).mkdir()
    sender.send([wake.CALLS])
    sender.close()


async def test_a_listener_cleans_up_after_itself_and_the_sender_after_the_dead(sqlite_url: str) -> None:
    folder = wake.run_folder(sqlite_url)
    async with listening(sqlite_url, wake.CALLS) as listener:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
            dead.bind(str(folder / "dead.wake"))
        sender = wake.WakeSender(sqlite_url)
        sender.send([wake.CALLS])
        assert await listener.wait(5) == {wake.CALLS}
        assert not (folder / "dead.wake").exists()
        assert len(list(folder.iterdir())) == 1
    assert list(folder.iterdir()) == []
    sender.close()


async def test_a_listener_that_is_too_busy_does_not_stop_the_sender(sqlite_url: str) -> None:
    folder = wake.run_folder(sqlite_url)
    folder.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as full:
        full.bind(str(folder / "full.wake"))
        sender = wake.WakeSender(sqlite_url)
        for _ in range(2000):
            sender.send([wake.CALLS])
        sender.close()


async def test_a_folder_with_a_long_path(tmp_path: Path) -> None:
    """A socket's address has 108 bytes, a data folder may be anywhere."""
    folder = tmp_path / ("d" * 120)
    folder.mkdir()
    url = f"sqlite:///{folder / 'outdial.db'}"
    async with listening(url, wake.CALLS) as listener:
        sender = wake.WakeSender(url)
        sender.send([wake.CALLS, wake.CANCELS])
        assert await listener.wait(5) == {wake.CALLS}
        sender.close()


async def test_a_leftover_socket_of_the_same_name_is_replaced(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    async with listening(sqlite_url, wake.CALLS):
        (name,) = wake.run_folder(sqlite_url).iterdir()
    name.touch()
    async with listening(sqlite_url, wake.CALLS) as listener:
        sender = wake.WakeSender(sqlite_url)
        sender.send([wake.CALLS])
        assert await listener.wait(5) == {wake.CALLS}
        sender.close()


@pytest.mark.postgres
async def test_after_a_lost_connection_everything_is_looked_at_again(
    postgres_url: str, postgres_cluster: Cluster
) -> None:
    async with Database(postgres_url) as database, listening(postgres_url, wake.CALLS) as listener:
        with psycopg.connect(
            f"host={postgres_cluster.folder} user=postgres dbname=postgres", autocommit=True
        ) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'outdial-wake'"
            )
        assert await listener.wait(10) == {wake.CALLS}
        await listener.listening.wait()

        def announce(conn: sa.Connection) -> None:
            wake.announce(conn, wake.CALLS)

        await listener.wait(0)
        await database.run(announce)
        assert await listener.wait(10) == {wake.CALLS}


@pytest.mark.postgres
async def test_a_server_that_is_not_there_yet_is_tried_again(tmp_path: Path) -> None:
    listener = wake.WakeListener(f"postgresql+psycopg://postgres@/nobody?host={tmp_path}", [wake.CALLS])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(listener.run())
        await asyncio.sleep(0.35)
        assert not task.done()
        assert not listener.listening.is_set()
        task.cancel()
