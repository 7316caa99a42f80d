"""Stop the world at an instant: nobody can commit anything about an attempt while the test looks and acts."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from outdial.storage.engine import writer_engine
from outdial.storage.writer import begin_when_free
from tests.helpers.system import System


@contextmanager
def frozen_attempts(system: System) -> Iterator[sa.Connection]:
    """Hold the lock that every write about an attempt needs; yields a connection to look with."""
    engine = writer_engine(system.database_url)
    try:
        with engine.connect() as conn, begin_when_free(conn):
            if engine.dialect.name == "postgresql":
                conn.execute(sa.text("LOCK TABLE attempts IN SHARE ROW EXCLUSIVE MODE"))
            yield conn
    finally:
        engine.dispose()
