"""Legs to agents: whom a flow called to bring them together with the callee, and what it cost."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_OPEN = sa.text("state <> 'ended'")


def upgrade() -> None:
    op.create_table(
        "agent_legs",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("trunk_id", sa.BigInteger(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("to_number", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("dialing_at", sa.BigInteger(), nullable=False),
        sa.Column("ringing_at", sa.BigInteger()),
        sa.Column("answered_at", sa.BigInteger()),
        sa.Column("joined_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("disposition", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("hangup_by", sa.Text()),
        sa.Column("sip_call_id", sa.Text(), nullable=False),
        sa.Column("sip_code", sa.Integer()),
        sa.Column("sip_reason", sa.Text()),
        sa.Column("q850", sa.Integer()),
        sa.Column("codec", sa.Text()),
        sa.Column("recording_key", sa.Text()),
        sa.Column("rate", sa.Text()),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("charge", sa.BigInteger(), nullable=False),
        sa.Column("pulse_s", sa.Integer(), nullable=False),
        sa.Column("billed_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('dialing', 'answered', 'ended')", name=op.f("ck_agent_legs_state")),
        sa.CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name=op.f("ck_agent_legs_ended")),
        sa.ForeignKeyConstraint(
            ["call_id", "number"],
            ["attempts.call_id", "attempts.number"],
            name=op.f("fk_agent_legs_call_id"),
        ),
        sa.PrimaryKeyConstraint("call_id", "number", "leg", name=op.f("pk_agent_legs")),
    )
    op.create_index(
        "ix_agent_legs_open",
        "agent_legs",
        ["trunk_id", "account_id"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    op.drop_table("agent_legs")
