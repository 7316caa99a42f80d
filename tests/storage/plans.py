"""How a database would do a statement with a queue so long that no shortcut of small tables pays."""

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa


def plan_of(conn: sa.Connection, statement: sa.sql.expression.UpdateBase, values: Mapping[str, Any]) -> str:
    """The plan of a statement whose parameter `p_limit` is written into it when it is executed."""
    compiled = statement.compile(dialect=conn.dialect)
    named = compiled.construct_params(dict(values))
    text = str(compiled).replace("__[POSTCOMPILE_p_limit]", str(values["p_limit"]))
    if conn.dialect.name == "sqlite":
        return explain(
            conn, text, tuple(named[name] for name in compiled.positiontup or () if name != "p_limit")
        )
    return explain(conn, text, named)


def explain(conn: sa.Connection, text: str, parameters: Any) -> str:
    """The plan of a statement as the driver gets it."""
    if conn.dialect.name == "sqlite":
        rows = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters).all()
        return "\n".join(str(row[-1]) for row in rows)
    for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
        # a planner would rightly scan a table of three rows
        conn.execute(sa.text(f"SET LOCAL {setting} = off"))
    return json.dumps(conn.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {text}", parameters).scalar_one())


def steps_of(conn: sa.Connection, work: Callable[[sa.Connection], None]) -> int:
    """How many steps SQLite's virtual machine takes for `work`."""
    counted = itertools.count()
    driver: Any = conn.connection.dbapi_connection
    driver.set_progress_handler(lambda: next(counted) and 0, 1)
    try:
        work(conn)
    finally:
        driver.set_progress_handler(None, 1)
    return next(counted)
