"""What is played: uploaded sounds, and those that came by URL."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text

from outdial.storage.tables.metadata import metadata

sounds = sa.Table(
    "sounds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("source_format", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    sa.Index("ix_sounds_account_id_created_at", "account_id", "created_at"),
)

audio_urls = sa.Table(
    "audio_urls",
    metadata,
    Column("url_sha256", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("sound_id", Text),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("problem", Text),
    Column("failures", Integer, nullable=False),
    Column("checked_at", BigInteger),
    Column("fresh_until", BigInteger, nullable=False),
    Column("fetcher", Text),
    Column("busy_until", BigInteger, nullable=False),
    sa.Index("ix_audio_urls_checked_at", "checked_at"),
)

_REPLACED = sa.text("replaced_at IS NOT NULL")

fetched_sounds = sa.Table(
    "fetched_sounds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("url_sha256", ForeignKey("audio_urls.url_sha256"), nullable=False, index=True),
    Column("duration_ms", Integer, nullable=False),
    Column("source_format", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("replaced_at", BigInteger),
    sa.Index(
        "ix_fetched_sounds_replaced_at", "replaced_at", sqlite_where=_REPLACED, postgresql_where=_REPLACED
    ),
)
