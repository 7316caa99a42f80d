"""A call that was given back before its dial says why it waits."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("held_why", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("calls", "held_why")
