"""The database as coroutines see it: `run` for writes, `read` for reads.

Both take a synchronous query function `fn(conn, …)`. The asyncio drivers were measured and left: a hop to one
writer thread costs less than their queue for every statement, and the thread shares one fsync among all that
waits (see writer.py).
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Engine

from outdial.errors import DatabaseUnavailable, StorageError
from outdial.storage.engine import is_away, is_sqlite, reader_engine, sqlite_path, words_of, writer_engine
from outdial.storage.wake import WakeSender
from outdial.storage.writer import Job, Writer

P = ParamSpec("P")
T = TypeVar("T")

Query = Callable[Concatenate[sa.Connection, P], T]

READERS = 2
RETRY_FOR_S = 10.0
PATIENCE_S = 0.02
"""How long a patient write waits for company."""
POST_WITHIN_S = 0.05
"""How late a posted write may be."""


class Database:
    """One process's access to the database at `url` (`sqlite:///path` or `postgresql+psycopg://…`).

    `retry_for_s` bounds how long an operation waits for a database that is away or locked before it raises
    DatabaseUnavailable. `start` and `stop` are idempotent; `stop` commits what is queued first.
    """

    def __init__(self, url: str, *, readers: int = READERS, retry_for_s: float = RETRY_FOR_S) -> None:
        self.url = url
        self.is_sqlite = is_sqlite(url)
        self._retry_for_s = retry_for_s
        self._readers = readers
        self._engines: tuple[Engine, Engine] | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._writer: Writer | None = None
        self._sender = WakeSender(url)
        self._posted: list[Job] = []

    async def start(self) -> None:
        """Start the threads. Connections are made by the first use; the schema must be there (schema.py)."""
        if self._writer is not None:
            return
        if self.is_sqlite:
            sqlite_path(self.url).parent.mkdir(parents=True, exist_ok=True)
        self._engines = (writer_engine(self.url), reader_engine(self.url, self._readers))
        self._executor = ThreadPoolExecutor(self._readers, thread_name_prefix="outdial-reader")
        self._writer = Writer(self._engines[0], self._sender)
        self._writer.start()

    async def stop(self) -> None:
        """Commit what is queued, then close every connection."""
        self._send_posted()
        writer, self._writer = self._writer, None
        if writer is None or self._executor is None or self._engines is None:
            return
        await asyncio.to_thread(writer.stop)
        await asyncio.to_thread(self._executor.shutdown)
        for engine in self._engines:
            engine.dispose()
        self._sender.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def commits(self) -> int:
        """Transactions committed since the start: with the number of writes, the gain of group commit."""
        return 0 if self._writer is None else self._writer.commits

    async def run(self, fn: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(conn, *args, **kwargs)` in a write transaction; return its result once it is on disk.

        Functions run in the order of the calls. `fn` may run more than once (only the last run counts), so it
        has no effect but on `conn`; what it raises is raised here, and nothing of it is kept. Cancelling the
        waiter does not cancel the write. Raises DatabaseUnavailable.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        writer = self._running_writer()
        self._send_posted()
        writer.put(self._job(partial(_call, fn, args, kwargs), future))
        return await future

    async def run_patiently(self, fn: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `run`, for what can wait PATIENCE_S for another write to share its commit."""
        self._running_writer()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._posted.append(self._job(partial(_call, fn, args, kwargs), future))
        loop.call_later(PATIENCE_S, self._send_posted)
        return await future

    def post(self, fn: Query[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Queue a write that nobody waits for; a failure is logged. Order is kept with `run`.

        It goes with the next `run`, or by itself within POST_WITHIN_S: it is not worth a commit of its own.
        """
        self._running_writer()
        if not self._posted:
            asyncio.get_running_loop().call_later(POST_WITHIN_S, self._send_posted)
        self._posted.append(self._job(partial(_call, fn, args, kwargs), None))

    def _running_writer(self) -> Writer:
        if self._writer is None:
            raise StorageError("the database is not started")
        return self._writer

    def _job(self, call: Callable[[sa.Connection], Any], future: "asyncio.Future[Any] | None") -> Job:
        return Job(call, time.monotonic() + self._retry_for_s, future)

    def _send_posted(self) -> None:
        if self._posted and self._writer is not None:
            posted, self._posted = self._posted, []
            for job in posted:
                self._writer.put(job)

    async def read(self, fn: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(conn, *args, **kwargs)` on a connection that cannot write; sees every finished `run`.

        Raises DatabaseUnavailable, and whatever `fn` raises.
        """
        if self._executor is None or self._engines is None or self._writer is None:
            raise StorageError("the database is not started")
        job = partial(_read, self._engines[1], self._retry_for_s, partial(_call, fn, args, kwargs))
        return await asyncio.get_running_loop().run_in_executor(self._executor, job)


def _call(fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], conn: sa.Connection) -> T:
    return fn(conn, *args, **kwargs)


def _read(engine: Engine, retry_for_s: float, call: Callable[[sa.Connection], T]) -> T:
    deadline = time.monotonic() + retry_for_s
    delay = 0.05
    while True:
        try:
            with engine.connect() as conn:
                return call(conn)
        except exc.DBAPIError as error:
            if not is_away(error):
                raise
            if time.monotonic() + delay > deadline:
                raise DatabaseUnavailable(f"the database cannot be reached: {words_of(error)}") from error
        time.sleep(delay)
        delay = min(delay * 2, 1.0)
