"""Recordings have rows of their own, so that they can be listed, found and deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BigKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LISTED = sa.text("deleted_at IS NULL")
_TO_ERASE = sa.text("deleted_at IS NOT NULL AND erased_at IS NULL")

# The name of the blob without folder and codec, as storage/recordings.py makes it.
_TAKE_OVER = """
INSERT INTO recordings
    (id, account_id, call_id, number, kind, key, codec, recorded_at, duration_ms)
SELECT replace(cdrs.call_id, ':', '-') || '-' || cdrs.number, calls.account_id, cdrs.call_id, cdrs.number,
    'call', cdrs.recording_key, cdrs.codec, cdrs.ended_at, cdrs.talk_ms
FROM cdrs JOIN calls ON calls.id = cdrs.call_id
WHERE cdrs.recording_key IS NOT NULL AND cdrs.codec IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", BigKey, nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_recordings_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_recordings_call_id_calls")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
        sa.UniqueConstraint("key", name=op.f("uq_recordings_key")),
    )
    op.create_index(op.f("ix_recordings_call_id"), "recordings", ["call_id"])
    op.create_index(
        "ix_recordings_listed",
        "recordings",
        ["account_id", "recorded_at", "id"],
        sqlite_where=_LISTED,
        postgresql_where=_LISTED,
    )
    op.create_index(
        "ix_recordings_to_erase", "recordings", ["key"], sqlite_where=_TO_ERASE, postgresql_where=_TO_ERASE
    )
    op.execute(_TAKE_OVER)


def downgrade() -> None:
    op.drop_table("recordings")
