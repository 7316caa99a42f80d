"""Further trunks of bridges, which calls go by when the first takes none; which trunk an attempt went by."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bridges", sa.Column("further_trunk_ids", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("cdrs", sa.Column("trunk", sa.Text(), nullable=True))
    op.add_column("cdrs", sa.Column("detour", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("cdrs", "detour")
    op.drop_column("cdrs", "trunk")
    op.drop_column("bridges", "further_trunk_ids")
