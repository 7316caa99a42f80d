"""All tables as SQLAlchemy Core metadata; `migrations/` builds them, and a test holds the two together.

Times are Unix milliseconds (UTC), durations milliseconds, JSON is text. Numbers are digits without a plus.
"""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Integer, Text

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column of exactly this type.
BigKey = BigInteger().with_variant(Integer, "sqlite")


accounts = sa.Table(
    "accounts",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    Column("created_at", BigInteger, nullable=False),
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

trunks = sa.Table(
    "trunks",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("transport", Text, nullable=False),
    Column("username", Text),
    Column("password", Text),
    Column("auth_username", Text),
    Column("from_user", Text),
    Column("dial_prefix", Text, nullable=False),
    Column("from_domain", Text),
    Column("caller_id_mode", Text, nullable=False),
    Column("privacy", Boolean, nullable=False),
    Column("codecs", Text, nullable=False),
    Column("ptime_ms", Integer, nullable=False),
    Column("ring_timeout_s", Integer, nullable=False),
    Column("max_call_s", Integer, nullable=False),
    Column("session_expires_s", Integer, nullable=False),
    Column("options_interval_s", Integer, nullable=False),
    Column("calls_per_second", sa.Float, nullable=False),
    Column("max_concurrent", Integer, nullable=False),
    Column("keep_to_peer", Boolean, nullable=False),
    Column("addresses", Text, nullable=False),
    Column("headers", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

bridges = sa.Table(
    "bridges",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("trunk_id", ForeignKey("trunks.id"), nullable=False, index=True),
    Column("display_name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

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

dialers = sa.Table(
    "dialers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("renewed_at", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("lost_at", BigInteger),
)

_QUEUED = sa.text("state = 'queued'")
_QUEUED_WITH_URL = sa.text("state = 'queued' AND audio_url IS NOT NULL")
_CANCELLING = sa.text("state = 'leased' AND cancel_requested_at IS NOT NULL")

calls = sa.Table(
    "calls",
    metadata,
    Column("seq", BigKey, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("bridge", Text, nullable=False),
    Column("trunk_id", ForeignKey("trunks.id"), nullable=False),
    Column("to_number", Text, nullable=False),
    Column("iso", Text),
    Column("sound_id", Text),
    Column("audio_url", Text),
    Column("ivr_id", Text),
    Column("name", Text, nullable=False),
    Column("webhook_id", Text),
    Column("customid", Text, nullable=False),
    Column("customid1", Text, nullable=False),
    Column("variables", Text, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("interval_minutes", Integer, nullable=False),
    Column("submitted_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("dialer_id", Text),
    Column("attempts_started", Integer, nullable=False),
    Column("attempts_spent", Integer, nullable=False),
    Column("trunk_faults", Integer, nullable=False),
    Column("cancel_requested_at", BigInteger),
    Column("disposition", Text),
    Column("reason", Text),
    Column("done_at", BigInteger),
    CheckConstraint("state IN ('queued', 'leased', 'done')", name="state"),
    CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done"),
    # The claim reads this index from its start, so its cost does not grow with the queue or the history.
    sa.Index("ix_calls_due", "trunk_id", "due_at", "seq", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
    sa.Index("ix_calls_cancelling", "dialer_id", sqlite_where=_CANCELLING, postgresql_where=_CANCELLING),
    sa.Index("ix_calls_account_id_submitted_at", "account_id", "submitted_at"),
    sa.Index("ix_calls_to_number", "to_number"),
    sa.Index(
        "ix_calls_audio_url",
        "audio_url",
        "due_at",
        sqlite_where=_QUEUED_WITH_URL,
        postgresql_where=_QUEUED_WITH_URL,
    ),
    sa.Index(
        "ix_calls_customid",
        "customid",
        sqlite_where=sa.text("customid <> ''"),
        postgresql_where=sa.text("customid <> ''"),
    ),
)

_ACTIVE = sa.text("state <> 'ended'")

attempts = sa.Table(
    "attempts",
    metadata,
    Column("call_id", ForeignKey("calls.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("dialer_id", ForeignKey("dialers.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
    Column("dialing_at", BigInteger),
    Column("ringing_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("ended_at", BigInteger),
    CheckConstraint("state IN ('claimed', 'dialing', 'ringing', 'answered', 'ended')", name="state"),
    CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name="ended"),
    sa.Index("ix_attempts_active", "dialer_id", sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
)

cdrs = sa.Table(
    "cdrs",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("dialer_id", Text, nullable=False),
    Column("disposition", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("hangup_by", Text, nullable=False),
    Column("dialing_at", BigInteger),
    Column("ringing_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("ended_at", BigInteger, nullable=False),
    Column("ring_ms", Integer, nullable=False),
    Column("talk_ms", Integer, nullable=False),
    Column("sip_call_id", Text),
    Column("sip_code", Integer),
    Column("sip_reason", Text),
    Column("q850", Integer),
    Column("dtmf", Text, nullable=False),
    Column("codec", Text),
    Column("ptime_ms", Integer),
    Column("played_ms", Integer, nullable=False),
    Column("recording_key", Text),
    Column("packets_sent", Integer),
    Column("packets_received", Integer),
    Column("packets_lost", Integer),
    Column("jitter_ms", sa.Float),
    Column("remote_loss", sa.Float),
    Column("remote_jitter_ms", sa.Float),
    Column("round_trip_ms", sa.Float),
    Column("mos", sa.Float),
    Column("detail", Text),
    sa.ForeignKeyConstraint(["call_id", "number"], ["attempts.call_id", "attempts.number"]),
)

traces = sa.Table(
    "traces",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("entries", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("cut", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    sa.ForeignKeyConstraint(["call_id", "number"], ["attempts.call_id", "attempts.number"]),
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body_format", Text, nullable=False),
    Column("body", Text),
    Column("secret", Text, nullable=False),
    Column("secret_as_bearer", Boolean, nullable=False),
    Column("former_secret", Text),
    Column("former_secret_until", BigInteger),
    Column("verification_code", Text, nullable=False),
    Column("verified_at", BigInteger),
    Column("off_at", BigInteger),
    Column("off_reason", Text),
    Column("failing_since", BigInteger),
    Column("not_before", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    CheckConstraint("(off_at IS NULL) = (off_reason IS NULL)", name="off"),
)

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("event", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("webhook_id", ForeignKey("webhooks.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    sa.UniqueConstraint("account_id", "event", "identity", "webhook_id"),
)

_PENDING = sa.text("state = 'pending'")

outbox = sa.Table(
    "outbox",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("webhook_id", ForeignKey("webhooks.id"), nullable=False),
    Column("event", Text, nullable=False),
    Column("call_id", ForeignKey("calls.id"), nullable=False),
    Column("attempt", Integer),
    Column("sequence", Integer, nullable=False),
    Column("attempts_left", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("claim", Integer, nullable=False),
    Column("claimed_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    CheckConstraint("state IN ('pending', 'delivered', 'given_up')", name="state"),
    CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name="ended"),
    # What waits, in the order in which one endpoint gets it: its cost does not grow with what was delivered.
    sa.Index("ix_outbox_due", "webhook_id", "due_at", "id", sqlite_where=_PENDING, postgresql_where=_PENDING),
    sa.Index("uq_outbox_call_id", "call_id", "webhook_id", "sequence", unique=True),
    sa.Index("ix_outbox_ended_at", "ended_at"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("outbox_id", ForeignKey("outbox.id"), nullable=False, index=True),
    Column("webhook_id", ForeignKey("webhooks.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ms", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("answer", Text, nullable=False),
    sa.Index("ix_deliveries_webhook_id", "webhook_id", "id"),
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
