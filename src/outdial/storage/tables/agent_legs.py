"""Legs to agents, beside the attempt in which they were made."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, Text

from outdial.storage.tables.metadata import BigKey, metadata

_OPEN = sa.text("state <> 'ended'")

agent_legs = sa.Table(
    "agent_legs",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("leg", Integer, primary_key=True),
    Column("account_id", BigInteger, nullable=False),
    Column("trunk_id", BigInteger, nullable=False),
    # Whose limits it counts for; null in rows that are older than this.
    Column("bridge", Text),
    Column("caller_id", Text, nullable=False),
    Column("to_number", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("dialing_at", BigInteger, nullable=False),
    Column("ringing_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("joined_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("disposition", Text),
    Column("reason", Text),
    Column("hangup_by", Text),
    Column("sip_call_id", Text, nullable=False),
    Column("sip_code", Integer),
    Column("sip_reason", Text),
    Column("q850", Integer),
    Column("codec", Text),
    Column("recording_key", Text),
    Column("rate", Text),
    Column("reserved", BigInteger, nullable=False),
    Column("charge", BigInteger, nullable=False),
    Column("pulse_s", Integer, nullable=False),
    Column("billed_ms", BigInteger, nullable=False),
    CheckConstraint("state IN ('dialing', 'answered', 'ended')", name="state"),
    CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name="ended"),
    sa.ForeignKeyConstraint(["call_id", "number"], ["attempts.call_id", "attempts.number"]),
    # Calls at a time are counted here, too.
    sa.Index("ix_agent_legs_open", "trunk_id", "account_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
)

# Legs that are wanted while there is no place for them, and what has none: a trunk, an account (by id) or a
# bridge (by number). The next place there is theirs, not a queued call's.
waiting_legs = sa.Table(
    "waiting_legs",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("call_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("thing", Text, nullable=False),
    sa.ForeignKeyConstraint(["call_id", "number"], ["attempts.call_id", "attempts.number"]),
)
