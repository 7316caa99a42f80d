"""What the API keeps about requests: who changed what, and answers that may be asked for again."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, LargeBinary, Text

from outdial.storage.tables.metadata import BigKey, metadata

audit = sa.Table(
    "audit",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    # No foreign keys: the log outlives what it tells about.
    Column("account_id", BigInteger),
    Column("token_id", BigInteger),
    Column("address", Text),
    Column("action", Text, nullable=False),
    Column("thing", Text, nullable=False),
    Column("thing_id", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    sa.Index("ix_audit_at", "at"),
    sa.Index("ix_audit_thing_thing_id", "thing", "thing_id"),
    sqlite_autoincrement=True,  # a number is not given again
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("request_sha256", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sa.Index("ix_idempotency_keys_created_at", "created_at"),
)
