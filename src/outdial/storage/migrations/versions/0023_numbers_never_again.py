"""SQLite gives no number again that a row had which is gone: people and programs remember them.

PostgreSQL never did. These are the tables whose rows are deleted and whose numbers are shown.
"""

import re
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = ("audit", "bridges", "rates", "subscriptions", "suppressions", "trunks")
_SQL = sa.text(
    "SELECT sql FROM sqlite_schema WHERE tbl_name = :name AND sql IS NOT NULL ORDER BY type = 'index'"
)


def upgrade() -> None:
    _rebuild(_counted)


def downgrade() -> None:
    _rebuild(_plain)


def _counted(table: str, sql: str) -> str:
    key = f"CONSTRAINT pk_{table} PRIMARY KEY"
    changed, found = re.subn(rf",\s*{key} \(id\)", "", sql)
    changed, also = re.subn(r"\bid INTEGER NOT NULL", f"id INTEGER NOT NULL {key} AUTOINCREMENT", changed)
    assert (found, also) == (1, 1), sql
    return changed


def _plain(table: str, sql: str) -> str:
    key = f"CONSTRAINT pk_{table} PRIMARY KEY"
    changed, found = re.subn(rf" {key} AUTOINCREMENT", "", sql)
    assert found == 1, sql
    return f"{changed.rstrip().removesuffix(')').rstrip()}, \n\t{key} (id)\n)"


def _rebuild(change: Callable[[str, str], str]) -> None:
    """Make each table anew, as https://sqlite.org/lang_altertable.html#otheralter says."""
    conn = op.get_bind()
    if conn.dialect.name != "sqlite":
        return
    for table in TABLES:
        create, *indexes = conn.scalars(_SQL, {"name": table})
        made, found = re.subn(rf"^CREATE TABLE \"?{table}\"?", f"CREATE TABLE new_{table}", create)
        assert found == 1, create
        conn.exec_driver_sql(change(table, made))
        conn.exec_driver_sql(f"INSERT INTO new_{table} SELECT * FROM {table}")  # noqa: S608 - the names above
        conn.exec_driver_sql(f"DROP TABLE {table}")
        conn.exec_driver_sql(f"ALTER TABLE new_{table} RENAME TO {table}")
        for index in indexes:
            conn.exec_driver_sql(index)
