"""Prices, and what became of each account's credit. Money is in ten-thousandths of the currency."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, Text

from outdial.storage.tables.metadata import BigKey, metadata

_DEFAULT_CARD = sa.text("account_id IS NULL")
_OWN_CARD = sa.text("account_id IS NOT NULL")

rates = sa.Table(
    "rates",
    metadata,
    Column("id", BigKey, primary_key=True),
    # Without an account: a rate of the default card.
    Column("account_id", ForeignKey("accounts.id")),
    Column("currency", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("first_pulse_s", Integer, nullable=False),
    Column("next_pulse_s", Integer, nullable=False),
    Column("first_price", BigInteger, nullable=False),
    Column("next_price", BigInteger, nullable=False),
    Column("connection_fee", BigInteger, nullable=False),
    Column("iso", Text),
    Column("country_name", Text, nullable=False),
    Column("calling_code", Text, nullable=False),
    Column("active", sa.Boolean, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # NULLs are never equal, so one index could not keep the default card free of duplicates.
    sa.Index(
        "uq_rates_default",
        "currency",
        "prefix",
        unique=True,
        sqlite_where=_DEFAULT_CARD,
        postgresql_where=_DEFAULT_CARD,
    ),
    sa.Index(
        "uq_rates_own",
        "account_id",
        "currency",
        "prefix",
        unique=True,
        sqlite_where=_OWN_CARD,
        postgresql_where=_OWN_CARD,
    ),
    sqlite_autoincrement=True,  # a number is not given again
)

ledger = sa.Table(
    "ledger",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),
    # What the entry adds to the balance, and to what is reserved of it.
    Column("amount", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("balance_after", BigInteger, nullable=False),
    # Of one call, or the id of a request whose calls were reserved for together. No foreign key: the ledger
    # outlives the calls.
    Column("call_id", Text),
    Column("attempt", Integer),
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("kind IN ('top_up', 'charge', 'reserve', 'release', 'adjustment')", name="kind"),
    sa.Index("ix_ledger_account_id", "account_id", "id"),
    sa.Index("ix_ledger_call_id", "call_id"),
)
