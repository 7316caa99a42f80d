"""Conference rooms that are open."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Text

from outdial.storage.tables.metadata import metadata

conferences = sa.Table(
    "conferences",
    metadata,
    Column("account_id", BigInteger, primary_key=True),
    Column("room", Text, primary_key=True),
    # No foreign key: a room may outlive the row of a dialer that is gone.
    Column("dialer_id", Text, nullable=False),
)
