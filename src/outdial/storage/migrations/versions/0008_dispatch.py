"""Dispatch: limits of accounts and bridges, the pacing ledger, pauses, calling windows, expiry."""

import sqlalchemy as sa
from alembic import op

from outdial.storage.tables.metadata import BigKey

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_QUEUED = sa.text("state = 'queued' AND paused_by IS NULL")
_OLD_QUEUED = sa.text("state = 'queued'")
_LEASED = sa.text("state = 'leased'")
_PAUSED = sa.text("paused_by IS NOT NULL")


def upgrade() -> None:
    for table in ("accounts", "bridges"):
        op.add_column(table, sa.Column("calls_per_second", sa.Float(), nullable=True))
        op.add_column(table, sa.Column("max_concurrent", sa.Integer(), nullable=True))
        op.add_column(table, sa.Column("paused_at", sa.BigInteger(), nullable=True))
    op.add_column("accounts", sa.Column("calling_window", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("paused_by", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("calling_window", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "paces",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("thing_id", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.Float(), nullable=False),
        sa.Column("starts", sa.Text(), nullable=False),
        sa.Column("served", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "thing_id", name=op.f("pk_paces")),
    )
    op.execute("INSERT INTO paces SELECT 'trunk', id, 0, '[]', 0 FROM trunks")
    op.create_table(
        "paused_campaigns",
        sa.Column("account_id", BigKey, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_paused_campaigns_account_id")),
        sa.PrimaryKeyConstraint("account_id", "name", name=op.f("pk_paused_campaigns")),
    )
    op.drop_index("ix_calls_due", "calls")
    op.create_index(
        "ix_calls_due",
        "calls",
        ["trunk_id", "account_id", "bridge", "due_at", "seq"],
        sqlite_where=_QUEUED,
        postgresql_where=_QUEUED,
    )
    op.create_index(
        "ix_calls_leased",
        "calls",
        ["trunk_id", "account_id", "bridge"],
        sqlite_where=_LEASED,
        postgresql_where=_LEASED,
    )
    op.create_index(
        "ix_calls_paused", "calls", ["account_id"], sqlite_where=_PAUSED, postgresql_where=_PAUSED
    )


def downgrade() -> None:
    for index in ("ix_calls_paused", "ix_calls_leased", "ix_calls_due"):
        op.drop_index(index, "calls")
    op.create_index(
        "ix_calls_due",
        "calls",
        ["trunk_id", "due_at", "seq"],
        sqlite_where=_OLD_QUEUED,
        postgresql_where=_OLD_QUEUED,
    )
    op.drop_table("paused_campaigns")
    op.drop_table("paces")
    for column in ("expires_at", "calling_window", "paused_by"):
        op.drop_column("calls", column)
    op.drop_column("accounts", "calling_window")
    for table in ("bridges", "accounts"):
        for column in ("paused_at", "max_concurrent", "calls_per_second"):
            op.drop_column(table, column)
