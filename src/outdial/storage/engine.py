"""Engines for both databases, and what their errors mean.

SQLite: WAL, `synchronous=FULL` (a commit is on disk before it returns), foreign keys on, transactions begun
explicitly (`BEGIN IMMEDIATE` for the writer, so that it never upgrades a read lock and deadlocks).
PostgreSQL: psycopg 3, keep-alives and time-outs, so that a vanished server is noticed in seconds.
"""

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.pool import PoolProxiedConnection

from outdial.errors import ConfigurationError

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
"""A process that freezes in the middle of a transaction loses its locks after this; between two statements of
ours there are milliseconds."""
READER_BUSY_TIMEOUT_MS = 5_000

_RETRYABLE_SQLSTATES = frozenset({"40001", "40P01"})  # serialisation failure, deadlock detected
# connection exceptions; shutdown, crash, cannot connect now; disk full, out of memory, too many connections;
# a statement that took longer than STATEMENT_TIMEOUT_MS, a lock that could not be had
_AWAY_SQLSTATE_CLASSES = ("08", "57P", "53", "57014", "55P03")

_DISK_FULL = "53100"


def is_sqlite(url: str) -> bool:
    """Tell whether `url` names the embedded database."""
    return make_url(url).get_backend_name() == "sqlite"


def sqlite_path(url: str) -> Path:
    """Return the database file of a SQLite URL; raises ConfigurationError for an in-memory one."""
    name = make_url(url).database
    if not name or name == ":memory:":
        raise ConfigurationError(
            f"{url!r} names no file; several connections need a file: sqlite:////path.db"
        )
    return Path(name)


def writer_engine(url: str) -> Engine:
    """Make the engine of the writer thread (and of migrations).

    Errors of both engines name the statement and not its values: those are numbers that people call, and the
    passwords of trunks, and errors go into the log.
    """
    return _sqlite(url, readonly=False) if is_sqlite(url) else _postgresql(make_url(url), readonly=False)


def reader_engine(url: str, connections: int) -> Engine:
    """Make the engine for reads; a write through it fails."""
    if is_sqlite(url):
        return _sqlite(url, readonly=True, connections=connections)
    return _postgresql(make_url(url), readonly=True, connections=connections)


def _sqlite(url: str, *, readonly: bool, connections: int = 1) -> Engine:
    sqlite_path(url)
    # The writer waits by itself (writer.py): SQLite's own busy handler sleeps up to 100 ms at a time.
    timeout_ms = READER_BUSY_TIMEOUT_MS if readonly else 0
    engine = sa.create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        connection.execute(f"PRAGMA busy_timeout = {READER_BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -32768")
        if readonly:
            connection.execute("PRAGMA query_only = ON")
        connection.execute(f"PRAGMA busy_timeout = {timeout_ms}")

    begin = "BEGIN" if readonly else "BEGIN IMMEDIATE"

    def do_begin(connection: PoolProxiedConnection) -> None:
        connection.driver_connection.execute(begin)  # type: ignore[union-attr]  # None only when closed

    # Not by the event "begin": an engine with events asks for listeners at every statement.
    engine.dialect.do_begin = do_begin  # type: ignore[assignment]  # a dialect's hook, without its self
    return engine


def _postgresql(url: URL, *, readonly: bool, connections: int = 1) -> Engine:
    options = (
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
        f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
    )
    arguments: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        "application_name": "outdial",
        "prepare_threshold": 3,
    }
    if readonly:
        options += " -c default_transaction_read_only=on"
        return sa.create_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            hide_parameters=True,
            pool_pre_ping=True,
            isolation_level="AUTOCOMMIT",
            connect_args=arguments | {"options": options},
        )
    return sa.create_engine(
        url,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
        connect_args=arguments | {"options": options},
    )


def is_busy(error: BaseException) -> bool:
    """Tell whether SQLite refused because another process writes."""
    origin = error.orig if isinstance(error, exc.DBAPIError) else error
    return isinstance(origin, sqlite3.OperationalError) and origin.sqlite_errorcode & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


def is_conflict(error: BaseException) -> bool:
    """Tell whether PostgreSQL ended the transaction in favour of another one, so that a rerun may succeed."""
    return isinstance(error, exc.DBAPIError) and _sqlstate(error) in _RETRYABLE_SQLSTATES


def is_away(error: BaseException) -> bool:
    """Tell whether the database could not be reached, or has no room: what may be over in a while."""
    if not isinstance(error, exc.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = _sqlstate(error)
    if state is not None:
        return state.startswith(_AWAY_SQLSTATE_CLASSES)
    if isinstance(error.orig, psycopg.OperationalError):
        return True  # without a state it never reached the server
    return isinstance(error.orig, sqlite3.OperationalError) and error.orig.sqlite_errorcode & 0xFF in (
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
    )


def words_of(error: BaseException) -> str:
    """What the driver said, on one line and without what SQLAlchemy adds for programmers."""
    said = error.orig if isinstance(error, exc.DBAPIError) and error.orig is not None else error
    return " ".join(str(said).split())


def is_certainly_void(error: exc.DBAPIError) -> bool:
    """Tell whether a commit that failed so has certainly committed nothing.

    SQLite could not write all of the transaction's frames to its log, so that the last of them, which makes
    it valid, is missing or has no right checksum. A failed fsync leaves that open.
    """
    origin = error.orig
    return isinstance(origin, sqlite3.OperationalError) and origin.sqlite_errorcode in (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
    )


def is_full(error: BaseException) -> bool:
    """Tell whether the database's disk has no room."""
    if not isinstance(error, exc.DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.OperationalError):
        return error.orig.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL
    return _sqlstate(error) == _DISK_FULL


def _sqlstate(error: exc.DBAPIError) -> str | None:
    return error.orig.sqlstate if isinstance(error.orig, psycopg.Error) else None
