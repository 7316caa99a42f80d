"""Events that flows send in the middle of a call: what they say, and how many a call has had."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("flow_events", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("outbox", sa.Column("content", sa.Text()))


def downgrade() -> None:
    op.drop_column("outbox", "content")
    op.drop_column("calls", "flow_events")
