"""Pauses of requests and campaigns, and the index by which calls are found whose time is over."""

import sqlalchemy as sa
from alembic import op

from outdial.storage.tables.metadata import BigKey

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_EXPIRING = sa.text("state = 'queued' AND expires_at IS NOT NULL")


def upgrade() -> None:
    op.drop_table("paused_campaigns")  # nothing ever wrote into it
    op.create_table(
        "pauses",
        sa.Column("account_id", BigKey, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_pauses_account_id")),
        sa.PrimaryKeyConstraint("account_id", "kind", "name", name=op.f("pk_pauses")),
    )
    op.create_index(
        "ix_calls_expiring", "calls", ["expires_at"], sqlite_where=_EXPIRING, postgresql_where=_EXPIRING
    )


def downgrade() -> None:
    op.drop_index("ix_calls_expiring", "calls")
    op.drop_table("pauses")
    op.create_table(
        "paused_campaigns",
        sa.Column("account_id", BigKey, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_paused_campaigns_account_id")),
        sa.PrimaryKeyConstraint("account_id", "name", name=op.f("pk_paused_campaigns")),
    )
