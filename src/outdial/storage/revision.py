"""The schema's revision as the database says it, without the migrations' library: for probes."""

import sqlalchemy as sa

_STORED = sa.text("SELECT version_num FROM alembic_version")


def stored(conn: sa.Connection) -> str | None:
    """Return the revision of the database, None if it has none."""
    return conn.execute(_STORED).scalar_one_or_none()
