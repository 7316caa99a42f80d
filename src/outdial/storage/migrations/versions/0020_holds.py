"""Trunks that are given no calls for a while, so that a call can say that it waits for its trunk."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("paces", sa.Column("held_until", sa.BigInteger(), nullable=True))
    op.add_column("paces", sa.Column("held_why", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("paces", "held_why")
    op.drop_column("paces", "held_until")
