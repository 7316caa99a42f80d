"""A published version of a flow says who published it; of those from before nobody knows."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("flow_versions", sa.Column("published_by", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("flow_versions", "published_by")
