"""What dispatching shares between dialers: the pacing ledger, and which campaigns and requests are paused."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, ForeignKey, Text

from outdial.storage.tables.metadata import metadata

paces = sa.Table(
    "paces",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("thing_id", BigInteger, primary_key=True, autoincrement=False),
    Column("next_at", sa.Float, nullable=False),
    Column("starts", Text, nullable=False),
    # of a trunk: the account that was served last
    Column("served", BigInteger, nullable=False),
    # of a trunk: until when a dialer gives it no calls, and why, as a part of a sentence
    Column("held_until", BigInteger),
    Column("held_why", Text),
    # when that began: no call got through since
    Column("held_since", BigInteger),
)

pauses = sa.Table(
    "pauses",
    metadata,
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
    # 'campaign' or 'request'
    Column("kind", Text, primary_key=True),
    # of the campaign, or the request's UUID
    Column("name", Text, primary_key=True),
    Column("paused_at", BigInteger, nullable=False),
)
