"""Audio by URL: what was fetched from where, the calls that wait for it, and why a call was not dialled."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

QUEUED_WITH_URL = sa.text("state = 'queued' AND audio_url IS NOT NULL")
REPLACED = sa.text("replaced_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "audio_urls",
        sa.Column("url_sha256", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sound_id", sa.Text(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("fresh_until", sa.BigInteger(), nullable=False),
        sa.Column("fetcher", sa.Text(), nullable=True),
        sa.Column("busy_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("url_sha256", name=op.f("pk_audio_urls")),
    )
    op.create_index("ix_audio_urls_checked_at", "audio_urls", ["checked_at"])
    op.create_table(
        "fetched_sounds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("url_sha256", sa.Text(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("source_format", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("replaced_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["url_sha256"], ["audio_urls.url_sha256"], name=op.f("fk_fetched_sounds_url_sha256")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fetched_sounds")),
    )
    op.create_index("ix_fetched_sounds_url_sha256", "fetched_sounds", ["url_sha256"])
    op.create_index(
        "ix_fetched_sounds_replaced_at",
        "fetched_sounds",
        ["replaced_at"],
        sqlite_where=REPLACED,
        postgresql_where=REPLACED,
    )
    op.create_index(
        "ix_calls_audio_url",
        "calls",
        ["audio_url", "due_at"],
        sqlite_where=QUEUED_WITH_URL,
        postgresql_where=QUEUED_WITH_URL,
    )
    op.add_column("cdrs", sa.Column("detail", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("cdrs", "detail")
    op.drop_index("ix_calls_audio_url", "calls")
    op.drop_table("fetched_sounds")
    op.drop_table("audio_urls")
