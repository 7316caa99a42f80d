"""Who is told: webhooks, subscriptions, the outbox and its deliveries."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Integer, Text

from outdial.storage.tables.metadata import BigKey, metadata

webhooks = sa.Table(
    "webhooks",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body_format", Text, nullable=False),
    Column("body", Text),
    Column("secret", Text, nullable=False),
    Column("secret_as_bearer", Boolean, nullable=False),
    Column("former_secret", Text),
    Column("former_secret_until", BigInteger),
    Column("verification_code", Text, nullable=False),
    Column("verified_at", BigInteger),
    Column("off_at", BigInteger),
    Column("off_reason", Text),
    Column("failing_since", BigInteger),
    Column("not_before", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    CheckConstraint("(off_at IS NULL) = (off_reason IS NULL)", name="off"),
)

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("event", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("webhook_id", ForeignKey("webhooks.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    sa.UniqueConstraint("account_id", "event", "identity", "webhook_id"),
    sqlite_autoincrement=True,  # a number is not given again
)

_PENDING = sa.text("state = 'pending'")

outbox = sa.Table(
    "outbox",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("webhook_id", ForeignKey("webhooks.id"), nullable=False),
    Column("event", Text, nullable=False),
    Column("call_id", ForeignKey("calls.id"), nullable=False),
    Column("attempt", Integer),
    Column("sequence", Integer, nullable=False),
    Column("attempts_left", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("claim", Integer, nullable=False),
    Column("claimed_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    # Of a flow's event: its name and data, as JSON.
    Column("content", Text),
    CheckConstraint("state IN ('pending', 'delivered', 'given_up')", name="state"),
    CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name="ended"),
    # What waits, in the order in which one endpoint gets it: its cost does not grow with what was delivered.
    sa.Index("ix_outbox_due", "webhook_id", "due_at", "id", sqlite_where=_PENDING, postgresql_where=_PENDING),
    sa.Index("uq_outbox_call_id", "call_id", "webhook_id", "sequence", unique=True),
    sa.Index("ix_outbox_ended_at", "ended_at"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("outbox_id", ForeignKey("outbox.id"), nullable=False, index=True),
    Column("webhook_id", ForeignKey("webhooks.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ms", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("answer", Text, nullable=False),
    sa.Index("ix_deliveries_webhook_id", "webhook_id", "id"),
)
