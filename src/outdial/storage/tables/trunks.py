"""The ways out: trunks and bridges."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Text

from outdial.storage.tables.metadata import BigKey, metadata

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
    Column("register_expires_s", Integer, nullable=False, server_default="0"),
    Column("calls_per_second", sa.Float, nullable=False),
    Column("max_concurrent", Integer, nullable=False),
    Column("keep_to_peer", Boolean, nullable=False),
    Column("addresses", Text, nullable=False),
    Column("headers", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,  # a number is not given again
)

bridges = sa.Table(
    "bridges",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("trunk_id", ForeignKey("trunks.id"), nullable=False, index=True),
    # JSON: ids of the trunks that calls go by when the first takes none, in order
    Column("further_trunk_ids", Text, nullable=False, server_default="[]"),
    Column("display_name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("calls_per_second", sa.Float),
    Column("max_concurrent", Integer),
    Column("paused_at", BigInteger),
    sqlite_autoincrement=True,  # a number is not given again
)

registrations = sa.Table(
    "registrations",
    metadata,
    # of a trunk that was removed meanwhile nobody asks, and its rows lapse
    Column("trunk_id", BigInteger, primary_key=True, autoincrement=False),
    # our address as the trunk has it, or is asked to take it: each dialer has its own
    Column("contact", Text, primary_key=True),
    # null while it is not registered
    Column("registered_until", BigInteger),
    # why not, as a part of a sentence, and the SIP code of the answer if there was one
    Column("problem", Text),
    Column("sip_code", Integer),
    # until when this row says anything
    Column("holds_until", BigInteger, nullable=False),
)
