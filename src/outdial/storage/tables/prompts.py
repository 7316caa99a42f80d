"""Prompts: what is to be said where a call has a `speech:` address in place of an audio URL."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Text

from outdial.storage.tables.metadata import metadata

prompts = sa.Table(
    "prompts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("prompt", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    sa.Index("ix_prompts_asked_at", "asked_at"),
)
