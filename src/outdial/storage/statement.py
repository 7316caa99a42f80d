"""Statements that run for every step of every call, without Core's cost for each execution.

SQLAlchemy Core writes the SQL, once for each database; `exec_driver_sql` passes it to the driver and
translates errors. Core needs 17 µs for an execution, and far more with cold caches, as in a dialer that is
not busy; a call has more than ten. Values have to be what the drivers take as they are: int, float, str,
bool and None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect


class Statement:
    """One statement with named parameters. Its rows come as the driver gives them."""

    def __init__(self, core: sa.Select[Any] | sa.Insert | sa.Update | sa.Delete) -> None:
        self._core = core
        self._compiled: dict[str, _Compiled] = {}

    def execute(
        self, conn: sa.Connection, parameters: Mapping[str, Any]
    ) -> sa.CursorResult[*tuple[Any, ...]]:
        """Run it once."""
        compiled = self._for(conn.dialect)
        return conn.exec_driver_sql(compiled.sql, compiled.bind(parameters))

    def execute_many(self, conn: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of `rows`: one call of the driver, on PostgreSQL one pipeline."""
        compiled = self._for(conn.dialect)
        conn.exec_driver_sql(compiled.sql, [compiled.bind(row) for row in rows])

    def _for(self, dialect: Dialect) -> "_Compiled":
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _compile(self._core, dialect)
        return found


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    constants: dict[str, Any]
    """Values that Core made parameters of."""
    positions: tuple[str, ...] | None
    """Names in the order of the question marks; None where the driver takes names."""

    def bind(self, parameters: Mapping[str, Any]) -> Any:
        values = {**self.constants, **parameters}
        return values if self.positions is None else tuple([values[name] for name in self.positions])


def _compile(core: Any, dialect: Dialect) -> _Compiled:
    compiled = core.compile(dialect=dialect)
    return _Compiled(
        sql=str(compiled),
        constants={
            name: value for name, value in compiled.params.items() if not compiled.binds[name].required
        },
        positions=tuple(compiled.positiontup) if compiled.positional else None,
    )
