"""Calls and what became of them: dialers, attempts, CDRs, traces."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Integer, Text

from outdial.storage.tables.metadata import BigKey, metadata

dialers = sa.Table(
    "dialers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("renewed_at", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("beats", BigInteger, nullable=False, server_default="0"),
    Column("lost_at", BigInteger),
)

_DUE = sa.text("state = 'queued' AND paused_by IS NULL")
_LEASED = sa.text("state = 'leased'")
_DONE = sa.text("state = 'done'")
_NAMED = sa.text("name <> ''")
_ENDED = sa.text("disposition IS NOT NULL")
_PAUSED = sa.text("paused_by IS NOT NULL")
_EXPIRING = sa.text("state = 'queued' AND expires_at IS NOT NULL")
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
    Column("flow_version", Integer),
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
    # The rate that it was accepted at, as JSON, and what is held back of the account's balance for it.
    Column("rate", Text),
    Column("reserved", BigInteger, nullable=False, server_default="0"),
    Column("paused_by", Text),
    Column("calling_window", Text),
    Column("expires_at", BigInteger),
    # Events that flows sent during its attempts: they count in the sequence of its webhooks.
    Column("flow_events", Integer, nullable=False, server_default="0"),
    # Of a call that a callee asked for: in which call, and how many such calls in a row this is.
    Column("callback_of", Text),
    Column("traceparent", Text),
    Column("callback_number", Integer, nullable=False, server_default="0"),
    # Why it was given back before its dial, as a sentence; nothing from its next claim on.
    Column("held_why", Text),
    CheckConstraint("state IN ('queued', 'leased', 'done')", name="state"),
    CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done"),
    # The claim reads this index from its start, so its cost does not grow with the queue or the history.
    # One queue for each account and bridge, so that none of them waits behind another's.
    sa.Index(
        "ix_calls_due",
        "trunk_id",
        "account_id",
        "bridge",
        "due_at",
        "seq",
        sqlite_where=_DUE,
        postgresql_where=_DUE,
    ),
    # Calls at a time are counted here.
    sa.Index(
        "ix_calls_leased",
        "trunk_id",
        "account_id",
        "bridge",
        sqlite_where=_LEASED,
        postgresql_where=_LEASED,
    ),
    sa.Index("ix_calls_paused", "account_id", sqlite_where=_PAUSED, postgresql_where=_PAUSED),
    sa.Index("ix_calls_expiring", "expires_at", sqlite_where=_EXPIRING, postgresql_where=_EXPIRING),
    sa.Index("ix_calls_cancelling", "dialer_id", sqlite_where=_CANCELLING, postgresql_where=_CANCELLING),
    # Retention reads the oldest first.
    sa.Index("ix_calls_done", "done_at", "seq", sqlite_where=_DONE, postgresql_where=_DONE),
    sa.Index("ix_calls_account_id_submitted_at", "account_id", "submitted_at"),
    # The call log by campaign, by our number and by outcome; seq, which ends them all, is the order of calls
    # that were accepted in the same millisecond.
    sa.Index(
        "ix_calls_log_name",
        "account_id",
        "name",
        "submitted_at",
        "seq",
        sqlite_where=_NAMED,
        postgresql_where=_NAMED,
    ),
    sa.Index("ix_calls_log_bridge", "account_id", "bridge", "submitted_at", "seq"),
    sa.Index(
        "ix_calls_log_disposition",
        "account_id",
        "disposition",
        "submitted_at",
        "seq",
        sqlite_where=_ENDED,
        postgresql_where=_ENDED,
    ),
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
    # Names that do not change with the trunk; why it did not go by the first trunk of its bridge.
    Column("trunk", Text),
    Column("detour", Text),
    Column("charge", BigInteger, nullable=False, server_default="0"),
    Column("pulse_s", Integer, nullable=False, server_default="0"),
    Column("billed_ms", BigInteger, nullable=False, server_default="0"),
    sa.ForeignKeyConstraint(["call_id", "number"], ["attempts.call_id", "attempts.number"]),
)

_LISTED = sa.text("deleted_at IS NULL")
_TO_ERASE = sa.text("deleted_at IS NOT NULL AND erased_at IS NULL")

recordings = sa.Table(
    "recordings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("call_id", ForeignKey("calls.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("codec", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    # By its account; the CDR does not change. The audio is gone from the blob store from `erased_at` on.
    Column("deleted_at", BigInteger),
    Column("erased_at", BigInteger),
    sa.Index(
        "ix_recordings_listed",
        "account_id",
        "recorded_at",
        "id",
        sqlite_where=_LISTED,
        postgresql_where=_LISTED,
    ),
    sa.Index("ix_recordings_to_erase", "key", sqlite_where=_TO_ERASE, postgresql_where=_TO_ERASE),
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
