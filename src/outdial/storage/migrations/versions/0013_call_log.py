"""The call log: an index for each filter that would have to look at all calls of an account."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NAMED = sa.text("name <> ''")
_ENDED = sa.text("disposition IS NOT NULL")


def upgrade() -> None:
    order = ["submitted_at", "seq"]
    op.create_index(
        "ix_calls_log_name",
        "calls",
        ["account_id", "name", *order],
        sqlite_where=_NAMED,
        postgresql_where=_NAMED,
    )
    op.create_index("ix_calls_log_bridge", "calls", ["account_id", "bridge", *order])
    op.create_index(
        "ix_calls_log_disposition",
        "calls",
        ["account_id", "disposition", *order],
        sqlite_where=_ENDED,
        postgresql_where=_ENDED,
    )


def downgrade() -> None:
    for name in ("disposition", "bridge", "name"):
        op.drop_index(f"ix_calls_log_{name}", "calls")
