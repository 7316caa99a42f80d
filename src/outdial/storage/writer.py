"""The one writer of a process: a thread that commits whatever is queued, together.

Each turn it takes every function that was queued meanwhile, runs them in order in one transaction, commits
once (one fsync for all), and only then tells their waiters. Nothing that a waiter sees can be lost by a
crash. What is queued while it waits for another process that writes shares the commit that comes next.

An error of one function must not cost the others their work. Errors are rare, so functions run without
savepoints; only when one raises is the transaction rolled back and the batch run again, each function in its
own savepoint. Therefore a function may run more than once and must have no effect except on its connection.
"""

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy import exc
from sqlalchemy.engine import Engine

from outdial.errors import DatabaseFull, DatabaseUnavailable
from outdial.storage import wake
from outdial.storage.engine import is_away, is_busy, is_certainly_void, is_conflict, is_full, words_of
from outdial.telemetry import metrics

MAX_BATCH = 512
"""Bounds how long the first function of a batch waits for the last."""
_RECENT_COMMITS = 16
_RECENT_S = 0.16
_SMALL_BATCH = 8
_MOST_SKIPS = 63
_COMPANY_S = 0.004
"""At 100 commits a second and more, a small batch waits this long: a commit costs more than its functions
(the fsync, two thread switches), while a step of a call can bear 4 ms. An idle system waits for nothing."""
_BUSY_POLL_FIRST_S = 0.0005
_BUSY_POLL_LONGEST_S = 0.003
_BUSY_FOR_S = 10.0
_RECONNECT_FIRST_S = 0.05
_RECONNECT_LONGEST_S = 1.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Job:
    """One queued function and, once it ran, how it ended."""

    call: Callable[[sa.Connection], Any]
    deadline: float
    """Monotonic seconds: until then a database that is away is tried again."""
    future: "asyncio.Future[Any] | None"
    """None when nobody waits."""
    result: Any = None
    error: BaseException | None = None


class Writer:
    """The writer thread. `put` from any thread; `start` and `stop` are idempotent."""

    def __init__(self, engine: Engine, sender: wake.WakeSender) -> None:
        self._engine = engine
        self._sender = sender
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._connection: sa.Connection | None = None
        self._recent: deque[float] = deque(maxlen=_RECENT_COMMITS)
        self._skips = 0
        self._skip = 0
        self._stopping = False
        self.commits = 0
        """Transactions committed, for the figures."""

    def start(self) -> None:
        """Start the thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="outdial-writer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Commit what is queued, then end the thread. Blocks."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def put(self, job: Job) -> None:
        """Queue `job`."""
        self._queue.put(job)

    def _run(self) -> None:
        self._stopping = False
        while not self._stopping:
            batch: list[Job] = []
            self._add(batch, self._queue.get())
            self._gather(batch)
            if len(batch) < _SMALL_BATCH and self._is_busy():
                alone = len(batch)
                time.sleep(_COMPANY_S)
                self._gather(batch)
                self._learn(found_company=len(batch) > alone)
            if batch:
                self._work(batch)
                _resolve(batch)
        self._disconnect()

    def _gather(self, batch: list[Job]) -> None:
        """Add all that waits, as far as there is room."""
        while len(batch) < MAX_BATCH and not self._stopping:
            try:
                self._add(batch, self._queue.get_nowait())
            except queue.Empty:
                return

    def _add(self, batch: list[Job], item: Job | None) -> None:
        if item is None:  # the order to stop, which comes behind everything
            self._stopping = True
        else:
            batch.append(item)

    def _is_busy(self) -> bool:
        """Tell whether commits follow each other so closely that waiting for company pays."""
        if self._skip > 0:
            self._skip -= 1
            return False
        recent = self._recent
        return len(recent) == _RECENT_COMMITS and time.monotonic() - recent[0] < _RECENT_S

    def _learn(self, *, found_company: bool) -> None:
        """One waiter after the other never meets company: wait for it ever more seldom."""
        self._skips = 0 if found_company else min(2 * self._skips + 1, _MOST_SKIPS)
        self._skip = self._skips

    def _work(self, batch: list[Job]) -> None:
        """Run `batch` to a commit, or give its jobs an error."""
        try:
            self._commit_batch(batch)
        except Exception as error:  # noqa: BLE001 - the thread must live on, and the waiters must learn of it
            metrics.DATABASE_ERRORS.add(1, "failed")
            self._disconnect()
            for job in batch:
                job.error = error

    def _commit_batch(self, batch: list[Job]) -> None:
        delay = _RECONNECT_FIRST_S
        run = _run_together
        while True:
            try:
                transaction = self._begin(batch)
                self._gather(batch)
                began = time.monotonic()
                try:
                    run(transaction.connection, batch)
                except BaseException:
                    transaction.rollback()
                    _forget_announced(transaction.connection)
                    raise
                self._commit(transaction)
            except _OneFailed:
                run = _run_apart
            except exc.DBAPIError as error:
                self._disconnect()
                if not _concerns_all(error):
                    raise
                delay = self._wait_or_give_up(batch, error, delay)
            else:
                metrics.COMMITS.observe(time.monotonic() - began)
                return

    def _begin(self, batch: list[Job]) -> sa.RootTransaction:
        if self._connection is None:
            self._connection = self._engine.connect()
        return begin_when_free(self._connection, batch[0].deadline)

    def _commit(self, transaction: sa.RootTransaction) -> None:
        conn = transaction.connection
        try:
            transaction.commit()
        except exc.DBAPIError as error:
            _forget_announced(conn)
            if is_away(error) and not is_certainly_void(error):
                # It may have been committed: running the batch again could do things twice.
                raise DatabaseUnavailable(
                    f"the database went away during a commit: outcome unknown ({words_of(error)})"
                ) from error
            raise
        self.commits += 1
        self._recent.append(time.monotonic())
        self._sender.send(wake.take_pending(conn))

    def _wait_or_give_up(self, batch: list[Job], error: Exception, delay: float) -> float:
        if time.monotonic() + delay > batch[0].deadline:
            if is_full(error):
                raise DatabaseFull(f"the database has no room: {words_of(error)}") from error
            raise DatabaseUnavailable(f"the database cannot be reached: {words_of(error)}") from error
        metrics.DATABASE_ERRORS.add(1, "away")
        _log.warning("database_away", error=words_of(error), retry_in_s=delay)
        time.sleep(delay)
        return min(delay * 2, _RECONNECT_LONGEST_S)

    def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                connection.invalidate()
                connection.close()
            except exc.DBAPIError as error:
                _log.warning("database_close_failed", error=str(error))


def begin_when_free(conn: sa.Connection, deadline: float | None = None) -> sa.RootTransaction:
    """Begin a write transaction; on SQLite wait, with short sleeps, until no other process writes.

    `deadline` is in monotonic seconds, by default 10 s from now; then DatabaseUnavailable is raised.
    """
    deadline = time.monotonic() + _BUSY_FOR_S if deadline is None else deadline
    delay = _BUSY_POLL_FIRST_S
    while True:
        try:
            return conn.begin()
        except exc.OperationalError as error:
            if not is_busy(error):
                raise
            if time.monotonic() > deadline:
                raise DatabaseUnavailable("another process kept the database locked for too long") from error
        time.sleep(delay)
        delay = min(delay * 1.5, _BUSY_POLL_LONGEST_S)


class _OneFailed(Exception):  # noqa: N818 - a signal within this module, not an error for anybody
    """A job of the batch raised, so nothing of this transaction may be kept."""


def _run_together(conn: sa.Connection, batch: list[Job]) -> None:
    """Run all jobs without savepoints; raises _OneFailed at the first error of a job."""
    for job in batch:
        try:
            job.result = job.call(conn)
        except Exception as error:
            if _concerns_all(error):
                raise
            raise _OneFailed from error


def _run_apart(conn: sa.Connection, batch: list[Job]) -> None:
    """Run each job in a savepoint of its own and keep its error with it."""
    for job in batch:
        announced = wake.pending(conn)
        savepoint = conn.begin_nested()
        try:
            job.result = job.call(conn)
        except Exception as error:
            savepoint.rollback()
            wake.restore_pending(conn, announced)
            if _concerns_all(error):
                raise
            job.error = error
        else:
            savepoint.commit()
            job.error = None


def _forget_announced(conn: sa.Connection) -> None:
    """Drop the wake-ups of a transaction that is void; a broken connection took them with it."""
    if not conn.invalidated:
        wake.take_pending(conn)


def _concerns_all(error: Exception) -> bool:
    return is_away(error) or is_conflict(error)


def _resolve(batch: list[Job]) -> None:
    """Tell the waiters, with one hop for each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in batch:
        if job.future is not None:
            by_loop.setdefault(job.future.get_loop(), []).append(job)
        elif isinstance(job.error, DatabaseUnavailable):
            _log.warning("queued_write_dropped", error=str(job.error))
        elif job.error is not None:
            _log.error("queued_write_failed", error=str(job.error), exc_info=job.error)
    for loop, jobs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_set_results, jobs)
        except RuntimeError:  # the loop was closed: nobody waits any more
            continue


def _set_results(jobs: list[Job]) -> None:
    for job in jobs:
        future = job.future
        if future is None or future.done():
            continue
        if job.error is not None:
            future.set_exception(job.error)
        else:
            future.set_result(job.result)
