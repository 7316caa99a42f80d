"""Retention: how far old calls were gone through, and the index that is gone through."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_DONE = sa.text("state = 'done'")


def upgrade() -> None:
    marks = op.create_table(
        "retention_marks",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_retention_marks")),
    )
    op.bulk_insert(
        marks,
        [{"kind": kind, "at": 0, "seq": 0} for kind in ("traces", "recordings", "personal", "turn")],
    )
    op.create_index("ix_calls_done", "calls", ["done_at", "seq"], sqlite_where=_DONE, postgresql_where=_DONE)


def downgrade() -> None:
    op.drop_index("ix_calls_done", "calls")
    op.drop_table("retention_marks")
