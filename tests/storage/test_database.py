"""Group commit: durable, shared, and one failing function does not cost the others their work."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from outdial.errors import ConfigurationError, DatabaseFull, DatabaseUnavailable, StorageError
from outdial.storage import engine, wake
from outdial.storage.database import Database
from outdial.storage.writer import MAX_BATCH
from tests.postgres import Cluster
from tests.storage.world import World


def add(conn: sa.Connection, name: str) -> str:
    conn.execute(
        sa.text("INSERT INTO accounts (name, created_at, time_zone) VALUES (:name, 1, 'UTC')"), {"name": name}
    )
    return name


def names(conn: sa.Connection) -> list[str]:
    return list(conn.scalars(sa.text("SELECT name FROM accounts ORDER BY id")))


class Gate:
    """A write that holds the writer until it is let go, so that what follows becomes one batch."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, conn: sa.Connection) -> None:
        self.reached.set()
        assert self.open.wait(10)


async def as_one_batch(
    database: Database, *queue: Callable[[], "asyncio.Task[str]"]
) -> list["asyncio.Task[str]"]:
    gate = Gate()
    async with asyncio.TaskGroup() as group:
        held = group.create_task(database.run(gate))
        await asyncio.to_thread(gate.reached.wait, 10)
        tasks = [start() for start in queue]
        await asyncio.sleep(0)
        gate.open.set()
        await held
    await asyncio.wait(tasks)
    return tasks


def start(database: Database, fn: Callable[..., str], *args: str) -> Callable[[], "asyncio.Task[str]"]:
    return lambda: asyncio.create_task(database.run(fn, *args))


async def test_what_waits_is_committed_together_and_in_order(database: Database) -> None:
    before = database.commits
    tasks = await as_one_batch(database, *[start(database, add, str(index)) for index in range(50)])
    assert [task.result() for task in tasks] == [str(index) for index in range(50)]
    assert await database.read(names) == [str(index) for index in range(50)]
    assert database.commits - before == 2


async def test_an_error_is_its_own_functions_only(database: Database) -> None:
    def fails(conn: sa.Connection, name: str) -> str:
        add(conn, name)
        raise LookupError(name)

    def breaks(conn: sa.Connection, name: str) -> str:
        add(conn, name)
        conn.execute(sa.text("SELECT nonsense"))
        return name

    tasks = await as_one_batch(
        database,
        start(database, add, "a"),
        start(database, fails, "x"),
        start(database, add, "b"),
        start(database, breaks, "y"),
        start(database, add, "c"),
    )
    assert await database.read(names) == ["a", "b", "c"]
    assert isinstance(tasks[1].exception(), LookupError)
    assert isinstance(tasks[3].exception(), exc.DBAPIError)
    assert [tasks[index].result() for index in (0, 2, 4)] == ["a", "b", "c"]


async def test_a_long_queue_is_committed_in_parts(database: Database) -> None:
    before = database.commits
    tasks = await as_one_batch(
        database, *[start(database, add, str(index)) for index in range(MAX_BATCH + 1)]
    )
    assert all(task.exception() is None for task in tasks)
    assert database.commits - before == 3


async def test_a_lone_error_leaves_nothing_behind(database: Database) -> None:
    def fails(conn: sa.Connection) -> None:
        add(conn, "x")
        raise LookupError

    with pytest.raises(LookupError):
        await database.run(fails)
    assert await database.run(add, "a") == "a"
    assert await database.read(names) == ["a"]


async def test_an_error_at_the_commit_is_raised(database_url: str, database: Database) -> None:
    """A constraint may be checked at the end only."""

    def violates_later(conn: sa.Connection) -> None:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        else:
            conn.execute(sa.text("ALTER TABLE tokens ALTER CONSTRAINT fk_tokens_account_id DEFERRABLE"))
            conn.execute(sa.text("SET CONSTRAINTS ALL DEFERRED"))
        conn.execute(
            sa.text(
                "INSERT INTO tokens (account_id, name, prefix, sha256, scopes, addresses, created_at)"
                " VALUES (99, '', '', '', '', '', 1)"
            )
        )

    with pytest.raises(exc.IntegrityError):
        await database.run(violates_later)
    assert await database.run(add, "a") == "a"


async def test_post_keeps_the_order_and_logs_what_fails(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(conn: sa.Connection) -> None:
        raise LookupError("posted")

    database.post(add, "a")
    database.post(fails)
    assert await database.run(names) == ["a"]
    assert "queued_write_failed" in capsys.readouterr().out


async def test_a_patient_write_shares_a_commit_or_goes_alone(database: Database) -> None:
    await database.run(names)
    before = database.commits
    patient = asyncio.create_task(database.run_patiently(add, "a"))
    await asyncio.sleep(0)
    assert await database.run(add, "b") == "b"
    assert await patient == "a"
    assert database.commits == before + 1 or database.commits == before + 2
    assert await database.read(names) == ["a", "b"]
    assert await database.run_patiently(add, "c") == "c"


async def test_commits_in_quick_succession_wait_for_company(database: Database) -> None:
    async def several(count: int) -> None:
        for _ in range(count):
            await database.run(names)

    await several(100)
    before = database.commits
    await asyncio.gather(*(several(25) for _ in range(6)))
    # one at a time each; a batch that waits finds the others
    assert database.commits - before < 75


async def test_cancelling_the_waiter_does_not_cancel_the_write(database: Database) -> None:
    gate = Gate()
    held = asyncio.create_task(database.run(gate))
    await asyncio.to_thread(gate.reached.wait, 10)
    waiter = asyncio.create_task(database.run(add, "a"))
    await asyncio.sleep(0)
    waiter.cancel()
    gate.open.set()
    await held
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert await database.run(names) == ["a"]


async def test_stop_commits_what_is_queued(database_url: str) -> None:
    database = Database(database_url)
    await database.start()
    await database.start()
    for index in range(20):
        database.post(add, str(index))
    await database.stop()
    await database.stop()
    async with Database(database_url) as again:
        assert len(await again.read(names)) == 20


async def test_a_database_that_is_not_started_says_so(database_url: str) -> None:
    database = Database(database_url)
    assert database.commits == 0
    with pytest.raises(StorageError, match="not started"):
        await database.run(names)
    with pytest.raises(StorageError, match="not started"):
        await database.read(names)


async def test_a_waiter_whose_loop_is_gone_harms_nobody(database_url: str) -> None:
    async with Database(database_url) as database:
        gate = Gate()

        def in_another_loop() -> None:
            async def leave() -> None:
                task = asyncio.create_task(database.run(gate))
                await asyncio.to_thread(gate.reached.wait, 10)
                task.cancel()

            asyncio.run(leave())

        await asyncio.to_thread(in_another_loop)
        gate.open.set()
        assert await database.run(add, "a") == "a"


async def test_reads_cannot_write(database: Database) -> None:
    with pytest.raises(exc.DBAPIError):
        await database.read(add, "x")
    assert await database.read(names) == []


async def test_errors_of_reads_are_raised(database: Database) -> None:
    def fails(conn: sa.Connection) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await database.read(fails)


async def test_a_read_goes_on_beside_a_write(database: Database) -> None:
    gate = Gate()
    held = asyncio.create_task(database.run(gate))
    await asyncio.to_thread(gate.reached.wait, 10)
    assert await database.read(names) == []
    gate.open.set()
    await held


async def test_sqlite_is_durable_and_strict(sqlite_url: str) -> None:
    def pragma(conn: sa.Connection, name: str) -> object:
        return conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    async with Database(sqlite_url) as database:
        assert await database.run(pragma, "journal_mode") == "wal"
        assert await database.run(pragma, "synchronous") == 2
        assert await database.run(pragma, "foreign_keys") == 1
        assert await database.read(pragma, "query_only") == 1
        assert await database.read(pragma, "busy_timeout") == engine.READER_BUSY_TIMEOUT_MS


async def test_sqlite_writers_of_several_processes_take_turns(sqlite_url: str) -> None:
    databases = [Database(sqlite_url) for _ in range(3)]
    for database in databases:
        await database.start()
    await asyncio.gather(*(database.run(add, str(index)) for index in range(60) for database in databases))
    assert len(await databases[0].read(names)) == 180
    for database in databases:
        await database.stop()


async def test_a_sqlite_lock_that_is_never_released_is_an_error(sqlite_url: str) -> None:
    path = engine.sqlite_path(sqlite_url)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with Database(sqlite_url, retry_for_s=0.05) as database:
        with pytest.raises(DatabaseUnavailable, match="locked"):
            await database.run(add, "x")
        other.execute("ROLLBACK")
        assert await database.run(add, "a") == "a"
    other.close()


async def test_a_sqlite_file_that_cannot_be_opened(tmp_path: Path) -> None:
    folder = tmp_path / "folder.db"
    folder.mkdir()
    async with Database(f"sqlite:///{folder}", retry_for_s=0.01) as database:
        with pytest.raises(DatabaseUnavailable):
            await database.run(add, "x")
        with pytest.raises(DatabaseUnavailable):
            await database.read(names)


async def test_a_full_disk_is_waited_for(sqlite_url: str) -> None:
    """The limit belongs to the connection, so a new one finds room again."""

    def fill(conn: sa.Connection) -> None:
        conn.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite takes the current size for it

    async with Database(sqlite_url) as database:
        await database.run(fill)
        assert await database.run(add, "x" * 100_000) == "x" * 100_000
        assert len(await database.read(names)) == 1


async def test_a_disk_that_stays_full_is_an_error_of_its_own_and_the_next_write_goes_on(
    database_url: str,
) -> None:
    def fill(conn: sa.Connection) -> None:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("PRAGMA max_page_count = 1")
            add(conn, "x" * 100_000)
        else:  # as the server says it when it cannot extend a file
            conn.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = 'disk_full'; END $$")

    async with Database(database_url, retry_for_s=0.1) as database:
        with pytest.raises(DatabaseFull, match="no room"):
            await database.run(fill)
        assert await database.run(add, "a") == "a"
        assert await database.read(names) == ["a"]


async def test_a_schema_that_is_missing_is_the_callers_error(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path / 'new'}") as database:
        with pytest.raises(exc.OperationalError, match="no such table"):
            await database.run(add, "x")
        with pytest.raises(exc.OperationalError, match="no such table"):
            await database.read(names)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_an_embedded_database_needs_a_file(url: str) -> None:
    with pytest.raises(ConfigurationError, match="file"):
        engine.writer_engine(url)


@pytest.mark.postgres
async def test_a_postgresql_that_restarts_is_waited_for(postgres_url: str, postgres_cluster: Cluster) -> None:
    async with Database(postgres_url) as database:
        assert await database.run(add, "a") == "a"
        assert await database.read(names) == ["a"]
        postgres_cluster.stop("immediate")
        waiting = [asyncio.create_task(database.run(add, name)) for name in "bc"]
        reading = asyncio.create_task(database.read(names))
        try:
            await asyncio.sleep(0.1)
            assert not any(task.done() for task in (*waiting, reading))
        finally:
            postgres_cluster.start()
        assert [await task for task in waiting] == ["b", "c"]
        assert (await reading)[0] == "a"
        assert await database.read(names) == ["a", "b", "c"]


@pytest.mark.postgres
async def test_a_postgresql_that_stays_away_is_an_error(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://postgres@/nobody?host={tmp_path}"
    async with Database(url, retry_for_s=0.1) as database:
        for failing in (lambda: database.run(add, "x"), lambda: database.read(names)):
            with pytest.raises(DatabaseUnavailable, match="cannot be reached: connection is bad: ") as told:
                await failing()
            assert "\n" not in str(told.value)
            assert "sqlalche.me" not in str(told.value)


@pytest.mark.postgres
async def test_a_connection_that_broke_between_two_writes_is_replaced(postgres_url: str) -> None:
    def pid(conn: sa.Connection) -> int:
        return int(conn.execute(sa.text("SELECT pg_backend_pid()")).scalar_one())

    def kill(conn: sa.Connection, victim: int) -> None:
        conn.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": victim})

    async with Database(postgres_url) as database, Database(postgres_url) as other:
        await other.run(kill, await database.run(pid))
        assert await database.run(add, "a") == "a"
        await other.run(kill, await database.read(pid))
        assert await database.read(names) == ["a"]


@pytest.mark.postgres
async def test_a_connection_that_breaks_in_a_commit_leaves_the_outcome_unknown(
    postgres_url: str, postgres_cluster: Cluster
) -> None:
    """Running it again could do it twice, so the caller is told."""

    def die_at_commit(conn: sa.Connection) -> None:
        add(conn, "maybe")
        victim = conn.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        with psycopg.connect(f"host={postgres_cluster.folder} user=postgres dbname=postgres") as killer:
            killer.execute("SELECT pg_terminate_backend(%s, 5000)", [victim])

    async with Database(postgres_url) as database:
        with pytest.raises(DatabaseUnavailable, match="unknown"):
            await database.run(die_at_commit)
        assert await database.run(add, "a") == "a"


@pytest.mark.postgres
async def test_a_deadlock_is_resolved_by_running_again(postgres_url: str) -> None:
    rendezvous = threading.Barrier(2, timeout=10)
    met: set[str] = set()

    def both(conn: sa.Connection, first: str, second: str) -> str:
        update = sa.text("UPDATE accounts SET created_at = created_at + 1 WHERE name = :name")
        conn.execute(update, {"name": first})
        if first not in met:
            met.add(first)
            rendezvous.wait()
        conn.execute(update, {"name": second})
        return first

    def times(conn: sa.Connection) -> list[int]:
        return list(conn.scalars(sa.text("SELECT created_at FROM accounts")))

    async with Database(postgres_url) as one, Database(postgres_url) as two:
        await one.run(add, "a")
        await one.run(add, "b")
        done = [*await asyncio.gather(one.run(both, "a", "b"), two.run(both, "b", "a"))]
        assert done == ["a", "b"]
        assert await one.read(times) == [3, 3]


async def test_a_wake_up_that_was_rolled_back_is_not_sent(world: World) -> None:
    def announces_and_fails(conn: sa.Connection, channel: str) -> str:
        wake.announce(conn, channel)
        raise LookupError

    def announces(conn: sa.Connection, channel: str) -> str:
        wake.announce(conn, channel)
        return channel

    database = world.database
    listener = wake.WakeListener(database.url, ["one", "two"])
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listener.run())
        await listener.listening.wait()
        await listener.wait(0)
        # Nothing may be sent for `two`; `one` is announced again after the failing function was undone.
        await as_one_batch(
            database,
            start(database, announces_and_fails, "one"),
            start(database, announces, "one"),
            start(database, announces_and_fails, "two"),
        )
        assert await listener.wait(5) == {"one"}
        assert await listener.wait(0.05) == frozenset()
        listening.cancel()


async def test_an_error_does_not_name_the_values_of_its_statement(database: Database) -> None:
    def fail(conn: sa.Connection) -> None:
        conn.execute(sa.text("INSERT INTO nowhere (password) VALUES (:password)"), {"password": "s3cret"})

    for run in (database.run, database.read):
        with pytest.raises(exc.DBAPIError) as caught:
            await run(fail)
        assert "nowhere" in str(caught.value)
        assert "s3cret" not in str(caught.value)


@pytest.mark.postgres
async def test_a_statement_that_took_too_long_may_go_through_another_time(postgres_url: str) -> None:
    def crawl(conn: sa.Connection) -> None:
        conn.execute(sa.text("SET LOCAL statement_timeout = 20"))
        conn.execute(sa.text("SELECT pg_sleep(10)"))

    async with Database(postgres_url, retry_for_s=0.2) as database:
        with pytest.raises(DatabaseUnavailable):
            await database.run(crawl)
