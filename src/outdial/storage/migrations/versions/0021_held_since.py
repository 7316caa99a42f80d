"""Since when a trunk has been given no calls, or only some to try it: for the health of trunks."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("paces", sa.Column("held_since", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("paces", "held_since")
