"""Conference rooms that are open, and the dialer that has each."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conferences",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("dialer_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "room", name=op.f("pk_conferences")),
    )


def downgrade() -> None:
    op.drop_table("conferences")
