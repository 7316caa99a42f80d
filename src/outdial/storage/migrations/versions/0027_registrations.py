"""Registration at trunks: whether a trunk wants it, and which addresses of ours each trunk knows."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trunks", sa.Column("register_expires_s", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "registrations",
        sa.Column("trunk_id", sa.BigInteger(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("registered_until", sa.BigInteger()),
        sa.Column("problem", sa.Text()),
        sa.Column("sip_code", sa.Integer()),
        sa.Column("holds_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("trunk_id", "contact", name="pk_registrations"),
    )


def downgrade() -> None:
    op.drop_table("registrations")
    op.drop_column("trunks", "register_expires_s")
