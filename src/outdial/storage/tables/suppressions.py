"""Who is not called."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, CheckConstraint, Column, Text

from outdial.storage.tables.metadata import BigKey, metadata

suppressions = sa.Table(
    "suppressions",
    metadata,
    Column("id", BigKey, primary_key=True),
    # An account's id, or 0 for the list of the server: NULL would not be equal to itself in the unique index.
    Column("owner", BigInteger, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("iso", Text),
    Column("type", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    CheckConstraint("type IN ('all', 'tag', 'sender', 'service')", name="type"),
    CheckConstraint("(type = 'all') = (value = '')", name="value"),
    # The receiver first: the look before each dial reads the few rows of one number.
    sa.UniqueConstraint("receiver", "owner", "type", "value"),
    sa.Index("ix_suppressions_owner_id", "owner", "id"),
    sqlite_autoincrement=True,  # a number is not given again
)
