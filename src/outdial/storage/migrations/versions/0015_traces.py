"""The trace context of the request that a call came of, so that its processes write one trace."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("traceparent", sa.Text()))


def downgrade() -> None:
    op.drop_column("calls", "traceparent")
