"""Dialers count the renewals of their leases, so that no clock of the day decides about them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dialers", sa.Column("beats", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("dialers", "beats")
