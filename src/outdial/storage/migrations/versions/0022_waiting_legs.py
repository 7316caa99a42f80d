"""Legs to agents count for bridges, too, and those that wait for a place are seen by whoever claims calls."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BigKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("agent_legs", sa.Column("bridge", sa.Text(), nullable=True))
    op.create_table(
        "waiting_legs",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id", "number"],
            ["attempts.call_id", "attempts.number"],
            name=op.f("fk_waiting_legs_call_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_legs")),
    )


def downgrade() -> None:
    op.drop_table("waiting_legs")
    op.drop_column("agent_legs", "bridge")
