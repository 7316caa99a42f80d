"""The first schema: accounts, tokens, trunks, bridges, sounds, calls, attempts, CDRs, traces, dialers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BigKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )

    op.create_table(
        "dialers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("lost_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialers")),
    )

    op.create_table(
        "trunks",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("auth_username", sa.Text(), nullable=True),
        sa.Column("from_user", sa.Text(), nullable=True),
        sa.Column("dial_prefix", sa.Text(), nullable=False),
        sa.Column("from_domain", sa.Text(), nullable=True),
        sa.Column("caller_id_mode", sa.Text(), nullable=False),
        sa.Column("privacy", sa.Boolean(), nullable=False),
        sa.Column("codecs", sa.Text(), nullable=False),
        sa.Column("ptime_ms", sa.Integer(), nullable=False),
        sa.Column("ring_timeout_s", sa.Integer(), nullable=False),
        sa.Column("max_call_s", sa.Integer(), nullable=False),
        sa.Column("session_expires_s", sa.Integer(), nullable=False),
        sa.Column("options_interval_s", sa.Integer(), nullable=False),
        sa.Column("calls_per_second", sa.Float(), nullable=False),
        sa.Column("max_concurrent", sa.Integer(), nullable=False),
        sa.Column("keep_to_peer", sa.Boolean(), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trunks")),
        sa.UniqueConstraint("name", name=op.f("uq_trunks_name")),
    )

    op.create_table(
        "bridges",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("account_id", BigKey, nullable=False),
        sa.Column("trunk_id", BigKey, nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_bridges_account_id")),
        sa.ForeignKeyConstraint(["trunk_id"], ["trunks.id"], name=op.f("fk_bridges_trunk_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bridges")),
        sa.UniqueConstraint("number", name=op.f("uq_bridges_number")),
    )

    op.create_index(op.f("ix_bridges_account_id"), "bridges", ["account_id"], unique=False)

    op.create_index(op.f("ix_bridges_trunk_id"), "bridges", ["trunk_id"], unique=False)

    op.create_table(
        "calls",
        sa.Column("seq", BigKey, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", BigKey, nullable=False),
        sa.Column("bridge", sa.Text(), nullable=False),
        sa.Column("trunk_id", BigKey, nullable=False),
        sa.Column("to_number", sa.Text(), nullable=False),
        sa.Column("iso", sa.Text(), nullable=True),
        sa.Column("sound_id", sa.Text(), nullable=True),
        sa.Column("audio_url", sa.Text(), nullable=True),
        sa.Column("ivr_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=True),
        sa.Column("customid", sa.Text(), nullable=False),
        sa.Column("customid1", sa.Text(), nullable=False),
        sa.Column("variables", sa.Text(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("interval_minutes", sa.Integer(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("dialer_id", sa.Text(), nullable=True),
        sa.Column("attempts_started", sa.Integer(), nullable=False),
        sa.Column("attempts_spent", sa.Integer(), nullable=False),
        sa.Column("trunk_faults", sa.Integer(), nullable=False),
        sa.Column("cancel_requested_at", sa.BigInteger(), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name=op.f("ck_calls_done")),
        sa.CheckConstraint("state IN ('queued', 'leased', 'done')", name=op.f("ck_calls_state")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_calls_account_id")),
        sa.ForeignKeyConstraint(["trunk_id"], ["trunks.id"], name=op.f("fk_calls_trunk_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_calls")),
        sa.UniqueConstraint("id", name=op.f("uq_calls_id")),
    )

    op.create_index("ix_calls_account_id_submitted_at", "calls", ["account_id", "submitted_at"], unique=False)

    op.create_index(
        "ix_calls_cancelling",
        "calls",
        ["dialer_id"],
        unique=False,
        sqlite_where=sa.text("state = 'leased' AND cancel_requested_at IS NOT NULL"),
        postgresql_where=sa.text("state = 'leased' AND cancel_requested_at IS NOT NULL"),
    )

    op.create_index(
        "ix_calls_customid",
        "calls",
        ["customid"],
        unique=False,
        sqlite_where=sa.text("customid <> ''"),
        postgresql_where=sa.text("customid <> ''"),
    )

    op.create_index(
        "ix_calls_due",
        "calls",
        ["trunk_id", "due_at", "seq"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )

    op.create_index("ix_calls_to_number", "calls", ["to_number"], unique=False)

    op.create_table(
        "sounds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", BigKey, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("source_format", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sounds_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sounds")),
    )

    op.create_index("ix_sounds_account_id_created_at", "sounds", ["account_id", "created_at"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("account_id", BigKey, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_tokens_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_tokens_sha256")),
    )

    op.create_index(op.f("ix_tokens_account_id"), "tokens", ["account_id"], unique=False)

    op.create_table(
        "attempts",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("dialer_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("dialing_at", sa.BigInteger(), nullable=True),
        sa.Column("ringing_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name=op.f("ck_attempts_ended")),
        sa.CheckConstraint(
            "state IN ('claimed', 'dialing', 'ringing', 'answered', 'ended')", name=op.f("ck_attempts_state")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_attempts_call_id")),
        sa.ForeignKeyConstraint(["dialer_id"], ["dialers.id"], name=op.f("fk_attempts_dialer_id")),
        sa.PrimaryKeyConstraint("call_id", "number", name=op.f("pk_attempts")),
    )

    op.create_index(
        "ix_attempts_active",
        "attempts",
        ["dialer_id"],
        unique=False,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )

    op.create_table(
        "cdrs",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("dialer_id", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hangup_by", sa.Text(), nullable=False),
        sa.Column("dialing_at", sa.BigInteger(), nullable=True),
        sa.Column("ringing_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("ring_ms", sa.Integer(), nullable=False),
        sa.Column("talk_ms", sa.Integer(), nullable=False),
        sa.Column("sip_call_id", sa.Text(), nullable=True),
        sa.Column("sip_code", sa.Integer(), nullable=True),
        sa.Column("sip_reason", sa.Text(), nullable=True),
        sa.Column("q850", sa.Integer(), nullable=True),
        sa.Column("dtmf", sa.Text(), nullable=False),
        sa.Column("codec", sa.Text(), nullable=True),
        sa.Column("ptime_ms", sa.Integer(), nullable=True),
        sa.Column("played_ms", sa.Integer(), nullable=False),
        sa.Column("recording_key", sa.Text(), nullable=True),
        sa.Column("packets_sent", sa.Integer(), nullable=True),
        sa.Column("packets_received", sa.Integer(), nullable=True),
        sa.Column("packets_lost", sa.Integer(), nullable=True),
        sa.Column("jitter_ms", sa.Float(), nullable=True),
        sa.Column("remote_loss", sa.Float(), nullable=True),
        sa.Column("remote_jitter_ms", sa.Float(), nullable=True),
        sa.Column("round_trip_ms", sa.Float(), nullable=True),
        sa.Column("mos", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["call_id", "number"],
            ["attempts.call_id", "attempts.number"],
            name=op.f("fk_cdrs_call_id_number"),
        ),
        sa.PrimaryKeyConstraint("call_id", "number", name=op.f("pk_cdrs")),
    )

    op.create_table(
        "traces",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id", "number"],
            ["attempts.call_id", "attempts.number"],
            name=op.f("fk_traces_call_id_number"),
        ),
        sa.PrimaryKeyConstraint("call_id", "number", "chunk", name=op.f("pk_traces")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Rows change state twice a call: room for HOT updates, and vacuum long before the default fifth of a
        # large table is dead, because the claim reads the front of ix_calls_due.
        for table in ("calls", "attempts", "dialers"):
            op.execute(
                f"ALTER TABLE {table} SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01,"
                " autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0)"
            )


def downgrade() -> None:
    for table in (
        "traces",
        "cdrs",
        "attempts",
        "calls",
        "dialers",
        "sounds",
        "bridges",
        "trunks",
        "tokens",
        "accounts",
    ):
        op.drop_table(table)
