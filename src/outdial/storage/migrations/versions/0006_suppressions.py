"""Suppressions: numbers that are not called."""

import sqlalchemy as sa
from alembic import op

from outdial.storage.tables.metadata import BigKey

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "suppressions",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("owner", sa.BigInteger(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("iso", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("type IN ('all', 'tag', 'sender', 'service')", name=op.f("ck_suppressions_type")),
        sa.CheckConstraint("(type = 'all') = (value = '')", name=op.f("ck_suppressions_value")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
        sa.UniqueConstraint(
            "receiver", "owner", "type", "value", name=op.f("uq_suppressions_receiver_owner_type_value")
        ),
    )
    op.create_index("ix_suppressions_owner_id", "suppressions", ["owner", "id"])


def downgrade() -> None:
    op.drop_table("suppressions")
