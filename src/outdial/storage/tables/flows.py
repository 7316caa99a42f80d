"""What callees meet: flows, their published versions, and what each call did in one."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Text

from outdial.storage.tables.metadata import BigKey, metadata

flows = sa.Table(
    "flows",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("draft", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("published", Integer),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    sa.Index("ix_flows_account_id", "account_id", "id"),
)

flow_versions = sa.Table(
    "flow_versions",
    metadata,
    Column("flow_id", ForeignKey("flows.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("published_by", Text),
)

flow_runs = sa.Table(
    "flow_runs",
    metadata,
    Column("call_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("flow_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("result", Text, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("path", Text, nullable=False),
    Column("variables", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("problems", Text, nullable=False),
    sa.ForeignKeyConstraint(["call_id", "number"], ["attempts.call_id", "attempts.number"]),
    sa.Index("ix_flow_runs_flow_id", "flow_id", "ended_at"),
)
