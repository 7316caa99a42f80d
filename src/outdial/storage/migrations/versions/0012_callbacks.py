"""Calls that a callee asked for in another call."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("callback_of", sa.Text()))
    op.add_column("calls", sa.Column("callback_number", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("calls", "callback_number")
    op.drop_column("calls", "callback_of")
