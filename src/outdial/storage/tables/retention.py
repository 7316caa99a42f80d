"""How far retention went through the calls that are done."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Text

from outdial.storage.tables.metadata import metadata

retention_marks = sa.Table(
    "retention_marks",
    metadata,
    Column("kind", Text, primary_key=True),
    # Of the last call (`done_at`, `seq`) before which nothing is left to remove; of the kind `turn`, when
    # the next run may begin.
    Column("at", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
)
