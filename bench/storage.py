"""Durable writes a second, and what a claim costs with few and with many calls in the queue.

``python -m bench.storage [--full] [--write]``

Group commit: many coroutines each store one call and wait until it is on disk. The peers, in the same run:
the same rows one by one with a commit each, and all in one transaction, both with Python's sqlite3 on a table
of the same shape. Claim: one due call taken, with its attempt, and committed, from a queue of 1,000 and from
one of 1,000,000 (100,000 without ``--full``), on SQLite and on PostgreSQL; the two queues take turns.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from bench.report import percentile, publish, table
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from tests.postgres import empty_database, running_cluster

from outdial.domain.call import NewCall
from outdial.storage import accounts, bridges, calls, claims, leases, schema, tables, trunks
from outdial.storage.database import Database

_BRIDGE = "12025550199"
_DIALER = "bench"
_SMALL = 1_000
_FILL_BATCH = 5_000
_LEASE_MS = 3_600_000


@dataclass(frozen=True)
class Throughput:
    """Rows a second."""

    one_by_one: float
    grouped: float
    rows_a_commit: float
    at_once: float


@dataclass(frozen=True)
class Claim:
    """Milliseconds of each claim."""

    queued: int
    times: list[float]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_call(account: int, trunk: int) -> NewCall:
    now = now_ms()
    return NewCall(
        id=f"{uuid.uuid4()}:1",
        account_id=account,
        bridge=_BRIDGE,
        trunk_id=trunk,
        to="12025550100",
        submitted_at=now,
        due_at=now,
        sound_id="sound",
        name="bench",
    )


def prepare(conn: sa.Connection) -> tuple[int, int]:
    """An account, a trunk and a dialer; the ids of the first two."""
    now = now_ms()
    account = accounts.insert(conn, name="bench", now=now)
    trunk = trunks.insert(
        conn,
        trunks.NewTrunk(name="bench", host="192.0.2.1", calls_per_second=100_000.0, max_concurrent=1_000_000),
        now=now,
    )
    bridges.insert(conn, number=_BRIDGE, account_id=account.id, trunk_id=trunk.id, now=now)
    leases.register(conn, _DIALER, host="bench", pid=1, now=now, lease_until=now + _LEASE_MS)
    return account.id, trunk.id


async def throughput(database: Database, folder: Path, writes: int, writers: int) -> Throughput:
    """Store `writes` calls from `writers` coroutines, against sqlite3 without any of it."""
    account, trunk = await database.run(prepare)
    left = writes

    async def writer() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await database.run(calls.insert_calls, [new_call(account, trunk)])

    commits, started = database.commits, time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(writers):
            group.create_task(writer())
    seconds = time.perf_counter() - started
    commits = database.commits - commits
    rows = [_row(new_call(account, trunk)) for _ in range(writes)]
    few = rows[: max(1, writes // 10)]
    return Throughput(
        one_by_one=len(few) / _plain(folder / "one.db", [[row] for row in few]),
        grouped=writes / seconds,
        rows_a_commit=writes / commits,
        at_once=writes / _plain(folder / "all.db", [rows]),
    )


def _row(call: NewCall) -> dict[str, object]:
    return calls._row(call)  # noqa: SLF001 - the same row as the product's, without its way there


def _plain(path: Path, transactions: list[list[dict[str, object]]]) -> float:
    """Seconds that sqlite3 takes for the same rows, on a bare copy of the table with its indexes."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = FULL")
    for statement in _tables():
        conn.execute(statement)
    names = list(transactions[0][0])
    insert = f"INSERT INTO calls ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})"
    started = time.perf_counter()
    for rows in transactions:
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany(insert, rows)
        conn.execute("COMMIT")
    seconds = time.perf_counter() - started
    conn.close()
    return seconds


def _tables() -> Iterator[str]:
    table = tables.calls
    yield str(CreateTable(table).compile(dialect=sqlite.dialect()))
    for index in table.indexes:
        yield str(CreateIndex(index).compile(dialect=sqlite.dialect()))


async def claim_times(urls: dict[int, str], rounds: int) -> list[Claim]:
    """Claim one call at a time, in turns from each queue."""
    async with AsyncExitStack() as stack:
        queues = []
        for queued, url in urls.items():
            database = await stack.enter_async_context(Database(url))
            account, trunk = await database.run(prepare)
            for start in range(0, queued, _FILL_BATCH):
                batch = [new_call(account, trunk) for _ in range(min(_FILL_BATCH, queued - start))]
                await database.run(calls.insert_calls, batch)
            queues.append((database, trunk, Claim(queued, [])))
        for _ in range(rounds):
            for database, trunk, claim in queues:
                started = time.perf_counter()
                found = await database.run(
                    claims.claim_due, dialer_id=_DIALER, now=now_ms(), limit=1, free_by_trunk={trunk: 1}
                )
                claim.times.append((time.perf_counter() - started) * 1000)
                if len(found.calls) != 1:
                    raise RuntimeError(f"claimed {len(found.calls)} calls of {claim.queued}")
        return [claim for *_, claim in queues]


def show(rate: Throughput, found: dict[str, list[Claim]], writers: int) -> str:
    """The tables."""
    rows = [
        ["sqlite3, a commit for each", f"{rate.one_by_one:,.0f}", "1.0", "1.0 ×"],
        [
            f"group commit, {writers} writers",
            f"{rate.grouped:,.0f}",
            f"{rate.rows_a_commit:.1f}",
            f"{rate.grouped / rate.one_by_one:.1f} ×",
        ],
        [
            "sqlite3, one commit for all",
            f"{rate.at_once:,.0f}",
            "all",
            f"{rate.at_once / rate.one_by_one:.1f} ×",
        ],
    ]
    writes = table(["durable writes of a call", "a second", "rows a commit", "to the first"], rows)
    claim_rows = []
    for name, queues in found.items():
        small = percentile(queues[0].times, 99)
        for claim in queues:
            p99 = percentile(claim.times, 99)
            claim_rows.append(
                [
                    f"{name}, {claim.queued:,} queued",
                    f"{percentile(claim.times, 50):.2f} ms",
                    f"{p99:.2f} ms",
                    f"{p99 / small:.2f} ×",
                ]
            )
    claiming = table(["claim of one call", "p50", "p99", "p99 to the short queue (aim ≤ 1.5 ×)"], claim_rows)
    return f"{writes}\n\n{claiming}"


async def measure(writes: int, writers: int, many: int, rounds: int) -> str:
    """Run both; the tables."""
    with tempfile.TemporaryDirectory(prefix="outdial-bench-") as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/writes.db"
        schema.upgrade(url)
        async with Database(url) as database:
            rate = await throughput(database, folder, writes, writers)
        files = {queued: f"sqlite:///{folder}/{queued}.db" for queued in (_SMALL, many)}
        for url in files.values():
            schema.upgrade(url)
        found = {"SQLite": await claim_times(files, rounds)}
        with ExitStack() as stack:
            cluster = stack.enter_context(running_cluster(durable=True))
            databases = {queued: stack.enter_context(empty_database(cluster)) for queued in (_SMALL, many)}
            found["PostgreSQL"] = await claim_times(databases, rounds)
        return show(rate, found, writers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int)
    parser.add_argument("--writers", type=int, default=100)
    parser.add_argument("--queued", type=int)
    parser.add_argument("--claims", type=int, default=500)
    parser.add_argument("--full", action="store_true", help="20,000 writes, and a queue of 1,000,000")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    writes = options.writes or (20_000 if options.full else 5_000)
    many = options.queued or (1_000_000 if options.full else 100_000)
    text = asyncio.run(measure(writes, options.writers, many, options.claims))
    publish(
        "storage",
        text,
        command="python -m bench.storage" + (" --full" if options.full else ""),
        write=options.write,
    )


if __name__ == "__main__":
    main()
