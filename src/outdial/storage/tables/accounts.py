"""Who uses this server: accounts and their tokens."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Text

from outdial.storage.tables.metadata import BigKey, metadata

accounts = sa.Table(
    "accounts",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    Column("created_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("currency", Text, nullable=False, server_default="USD"),
    Column("prepaid", Boolean, nullable=False, server_default=sa.false()),
    # In ten-thousandths of the currency; `reserved` is the part of it that calls may still use up.
    Column("balance", BigInteger, nullable=False, server_default="0"),
    Column("reserved", BigInteger, nullable=False, server_default="0"),
    Column("calls_per_second", sa.Float),
    Column("max_concurrent", Integer),
    Column("paused_at", BigInteger),
    Column("calling_window", Text),
)

tokens = sa.Table(
    "tokens",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("addresses", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
)
