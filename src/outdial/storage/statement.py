"""Statements that run for every step of every call, without SQLAlchemy's cost for each execution.

SQLAlchemy Core writes the SQL, once for each database; the driver runs it, on the connection and in the
transaction of SQLAlchemy, and what it raises is raised as SQLAlchemy's error. A call has more than ten: with
`exec_driver_sql` each took 12 to 18 µs, and far more with cold caches, as in a dialer that is not busy; the
driver's own `execute` takes 2. Values have to be what the drivers take as they are: int, float, str, bool and
None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Dialect

Row = tuple[Any, ...]


@dataclass(slots=True)
class Found:
    """What one execution found or changed. Methods are named as those of SQLAlchemy's results."""

    rows: list[Row]
    """As the driver gives them; none where the statement returns none."""
    rowcount: int
    """How many rows were changed, of a statement that changes some."""
    columns: Any
    """The driver's description of the columns: a name comes first in each."""

    def first(self) -> Row | None:
        """Return the first row; None if there is none."""
        return self.rows[0] if self.rows else None

    def one(self) -> Row:
        """Return the one row. Raises NoResultFound or MultipleResultsFound."""
        found = self.one_or_none()
        if found is None:
            raise exc.NoResultFound("no row was found where one was required")
        return found

    def one_or_none(self) -> Row | None:
        """Return the one row, if there is any. Raises MultipleResultsFound."""
        if len(self.rows) > 1:
            raise exc.MultipleResultsFound("several rows were found where one was required")
        return self.first()

    def scalar_one(self) -> Any:
        """Return the first value of the one row. Raises NoResultFound or MultipleResultsFound."""
        return self.one()[0]

    def mappings(self) -> list[dict[str, Any]]:
        """Return the rows by the names of their columns."""
        names = [column[0] for column in self.columns or ()]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


class Statement:
    """One statement with named parameters."""

    def __init__(self, core: sa.Select[Any] | sa.Insert | sa.Update | sa.Delete) -> None:
        self._core = core
        self._compiled: dict[str, _Compiled] = {}

    def execute(self, conn: sa.Connection, parameters: Mapping[str, Any]) -> Found:
        """Run it once. Raises sqlalchemy.exc.DBAPIError."""
        compiled = self._for(conn.dialect)
        sql = compiled.text(parameters)
        cursor = _cursor(conn)
        try:
            cursor.execute(sql, compiled.bind(parameters))
            columns = cursor.description
            rows = [] if columns is None else cursor.fetchall()
        except Exception as error:  # noqa: BLE001 - raised again, whatever it is
            _raise(conn, cursor, sql, error)
        return Found(rows, cursor.rowcount, columns)

    def execute_many(self, conn: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of `rows`: one call of the driver, on PostgreSQL one pipeline."""
        compiled = self._for(conn.dialect)
        cursor = _cursor(conn)
        try:
            cursor.executemany(compiled.sql, [compiled.bind(row) for row in rows])
        except Exception as error:  # noqa: BLE001 - raised again, whatever it is
            _raise(conn, cursor, compiled.sql, error)

    def _for(self, dialect: Dialect) -> "_Compiled":
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _compile(self._core, dialect)
        return found


def _cursor(conn: sa.Connection) -> Any:
    """A cursor of the driver, in a transaction as every statement of SQLAlchemy is in one."""
    if not conn.in_transaction():
        conn.begin()
    return conn.connection.cursor()


def _raise(conn: sa.Connection, cursor: Any, sql: str, error: Exception) -> NoReturn:
    """Raise what SQLAlchemy would raise, and give a connection up that is broken, as SQLAlchemy does."""
    dialect = conn.dialect
    driver_error = dialect.loaded_dbapi.Error
    if not isinstance(error, driver_error):
        raise error
    is_broken = dialect.is_disconnect(error, conn.connection.dbapi_connection, cursor)
    if is_broken:
        conn.invalidate(error)
    raise exc.DBAPIError.instance(
        sql,
        None,
        error,
        driver_error,
        hide_parameters=True,
        connection_invalidated=is_broken,
        dialect=dialect,
    ) from error


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    constants: dict[str, Any]
    """Values that Core made parameters of."""
    positions: tuple[str, ...] | None
    """Names in the order of the question marks; None where the driver takes names."""
    written: tuple[str, ...]
    """Names of whole numbers that the text is to have in place of a parameter (Core's `literal_execute`)."""

    def text(self, parameters: Mapping[str, Any]) -> str:
        sql = self.sql
        for name in self.written:
            sql = sql.replace(_written(name), f"{parameters[name]:d}")
        return sql

    def bind(self, parameters: Mapping[str, Any]) -> Any:
        values = {**self.constants, **parameters}
        return values if self.positions is None else tuple([values[name] for name in self.positions])


def _compile(core: Any, dialect: Dialect) -> _Compiled:
    compiled = core.compile(dialect=dialect)
    written = tuple(name for name in compiled.binds if _written(name) in str(compiled))
    return _Compiled(
        sql=str(compiled),
        constants={
            name: value for name, value in compiled.params.items() if not compiled.binds[name].required
        },
        positions=tuple(name for name in compiled.positiontup if name not in written)
        if compiled.positional
        else None,
        written=written,
    )


def _written(name: str) -> str:
    """What stands in Core's text for a number that is to be written there."""
    return f"__[POSTCOMPILE_{name}]"
