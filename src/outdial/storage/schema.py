"""The schema's version: bringing a database up to date, and asking whether it is."""

import sqlite3
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from outdial.errors import StorageError
from outdial.storage.engine import is_sqlite, sqlite_path, writer_engine
from outdial.storage.writer import begin_when_free

_LOCK = sa.text("SELECT pg_advisory_xact_lock(1870034020)")  # "outd" as a number: one migration at a time
MIGRATIONS = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def newest_revision() -> str:
    """Return the revision that this version of Outdial needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise StorageError("the package has no migrations: it is not installed completely")
    return head


def is_known(revision: str) -> bool:
    """Tell whether this version of Outdial can upgrade from `revision`; a newer version's it cannot."""
    return any(each.revision == revision for each in ScriptDirectory.from_config(_config()).walk_revisions())


def current_revision(url: str) -> str | None:
    """Return the revision of the database, None if it is empty or not there."""
    if is_sqlite(url) and not sqlite_path(url).exists():
        return None
    engine = writer_engine(url)
    try:
        with engine.connect() as conn, begin_when_free(conn):
            return MigrationContext.configure(conn).get_current_revision()
    finally:
        engine.dispose()


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision` in one transaction; several processes may try at once."""
    if is_sqlite(url):
        sqlite_path(url).parent.mkdir(parents=True, exist_ok=True)
    _migrate(url, revision, up=True)


def downgrade(url: str, revision: str) -> None:
    """Take the database back to `revision` (`base` for empty): tables and their rows are dropped."""
    _migrate(url, revision, up=False)


def _migrate(url: str, revision: str, *, up: bool) -> None:
    config = _config()
    engine = writer_engine(url)
    try:
        with engine.connect() as conn:
            if conn.dialect.name == "sqlite":
                # To change a table is to make it anew: while it is away, what refers to it stays.
                _driver(conn).execute("PRAGMA foreign_keys = OFF")
            with begin_when_free(conn):
                if conn.dialect.name == "postgresql":
                    conn.execute(_LOCK)
                config.attributes["connection"] = conn
                before = MigrationContext.configure(conn).get_current_revision()
                (command.upgrade if up else command.downgrade)(config, revision)
                if MigrationContext.configure(conn).get_current_revision() != before:
                    _check_references(conn)
    finally:
        engine.dispose()


def _driver(conn: sa.Connection) -> sqlite3.Connection:
    """The connection itself: a statement over the engine would begin a transaction."""
    driver = conn.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _check_references(conn: sa.Connection) -> None:
    """Look at every foreign key of a database whose tables were made anew. Raises StorageError."""
    if conn.dialect.name == "sqlite" and (wrong := conn.exec_driver_sql("PRAGMA foreign_key_check").all()):
        tables = ", ".join(sorted({row[0] for row in wrong}))
        raise StorageError(f"rows of {tables} refer to rows that are not there; nothing was changed")
