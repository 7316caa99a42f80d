"""Flows: a draft that may change, and published versions that never do.

A call is pinned to the version that was published when it was accepted. Rolling back points to an older
version again; nothing is copied and nothing is lost.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage import audit
from outdial.storage.audit import Actor
from outdial.storage.tables import flow_versions, flows

_THIS = (
    flows.c.id == bindparam("p_id"),
    flows.c.account_id == bindparam("p_account"),
    flows.c.deleted_at.is_(None),
)
_INSERT = sa.insert(flows).returning(flows.c.id)
_GET = sa.select(flows).where(*_THIS)
_LOCK = _GET.with_for_update()
_SAVE = (
    sa.update(flows)
    .where(*_THIS, flows.c.revision == bindparam("p_revision"))
    .values(
        name=bindparam("p_name"),
        draft=bindparam("p_draft"),
        revision=flows.c.revision + 1,
        updated_at=bindparam("p_now"),
    )
)
_DELETE = sa.update(flows).where(*_THIS).values(deleted_at=bindparam("p_now"))
_POINT = (
    sa.update(flows).where(*_THIS).values(published=bindparam("p_version"), updated_at=bindparam("p_now"))
)

_ADD_VERSION = sa.insert(flow_versions)
_OF_FLOW = flow_versions.c.flow_id == bindparam("p_flow")
_VERSION = sa.select(flow_versions).where(_OF_FLOW, flow_versions.c.version == bindparam("p_version"))
_VERSIONS = sa.select(flow_versions).where(_OF_FLOW).order_by(flow_versions.c.version.desc())
_NEWEST = sa.select(sa.func.max(flow_versions.c.version)).where(_OF_FLOW)
_PUBLISHED = (
    sa.select(flows.c.id, flow_versions)
    .join_from(
        flows,
        flow_versions,
        sa.and_(flow_versions.c.flow_id == flows.c.id, flow_versions.c.version == flows.c.published),
    )
    .where(flows.c.account_id == bindparam("p_account"), flows.c.deleted_at.is_(None))
    .where(flows.c.id.in_(bindparam("p_ids", expanding=True)))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFlow:
    """One flow of an account."""

    id: int
    account_id: int
    name: str
    draft: str
    """The document being worked on, as JSON."""
    revision: int
    """Of the draft: grows with each save, so that two editors do not overwrite each other unnoticed."""
    published: int | None
    """The version that new calls get; None until one was published."""
    created_at: int
    updated_at: int
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowVersion:
    """One published version; it never changes."""

    flow_id: int
    version: int
    """From 1."""
    document: str
    sha256: str
    note: str
    """What its author says of it."""
    published_at: int
    published_by: str | None
    """The actor, as the audit log names it; None of versions from before that was kept."""


def insert(conn: sa.Connection, account_id: int, *, name: str, draft: str, now: int) -> StoredFlow:
    """Add a flow with nothing published."""
    values: dict[str, Any] = {
        "account_id": account_id,
        "name": name,
        "draft": draft,
        "revision": 1,
        "published": None,
        "created_at": now,
        "updated_at": now,
    }
    return StoredFlow(id=conn.execute(_INSERT, values).scalar_one(), **values)


def get(conn: sa.Connection, account_id: int, flow_id: int) -> StoredFlow | None:
    """Return one flow of an account, unless it was deleted."""
    row = conn.execute(_GET, {"p_id": flow_id, "p_account": account_id}).mappings().one_or_none()
    return None if row is None else StoredFlow(**row)


def find(
    conn: sa.Connection, account_id: int, *, name: str | None = None, limit: int = 50, offset: int = 0
) -> tuple[list[StoredFlow], int]:
    """Return an account's flows, oldest first, and how many there are; `name` is a part of the name."""
    wanted = [flows.c.account_id == account_id, flows.c.deleted_at.is_(None)]
    if name is not None:
        wanted.append(sa.func.lower(flows.c.name).contains(name.lower(), autoescape=True))
    rows = conn.execute(sa.select(flows).where(*wanted).order_by(flows.c.id).limit(limit).offset(offset))
    total = conn.execute(sa.select(sa.func.count()).select_from(flows).where(*wanted)).scalar_one()
    return [StoredFlow(**row) for row in rows.mappings()], total


def save(
    conn: sa.Connection, account_id: int, flow_id: int, *, name: str, draft: str, revision: int, now: int
) -> bool:
    """Replace the draft that has this `revision`; False if it has another by now, or there is no flow."""
    parameters = {
        "p_id": flow_id,
        "p_account": account_id,
        "p_revision": revision,
        "p_name": name,
        "p_draft": draft,
        "p_now": now,
    }
    return conn.execute(_SAVE, parameters).rowcount == 1


def publish(
    conn: sa.Connection,
    actor: Actor,
    account_id: int,
    flow_id: int,
    document: str,
    *,
    note: str,
    now: int,
) -> FlowVersion | None:
    """Make a document the version that new calls get; None if there is no such flow.

    The same document as the newest version's is that version again.
    """
    flow = _locked(conn, account_id, flow_id)
    if flow is None:
        return None
    newest = conn.execute(_NEWEST, {"p_flow": flow_id}).scalar_one() or 0
    sha256 = hashlib.sha256(document.encode()).hexdigest()
    version = None if newest == 0 else get_version(conn, flow_id, newest)
    if version is None or version.sha256 != sha256:
        values: dict[str, Any] = {
            "flow_id": flow_id,
            "version": newest + 1,
            "document": document,
            "sha256": sha256,
            "note": note,
            "published_at": now,
            "published_by": actor.name,
        }
        conn.execute(_ADD_VERSION, values)
        version = FlowVersion(**values)
    _point(conn, actor, flow, version.version, action="publish", now=now)
    return version


def roll_back(
    conn: sa.Connection, actor: Actor, account_id: int, flow_id: int, version: int, *, now: int
) -> bool:
    """Let new calls get this version, which exists; False if there is no such flow."""
    flow = _locked(conn, account_id, flow_id)
    if flow is None:
        return False
    _point(conn, actor, flow, version, action="roll_back", now=now)
    return True


def _locked(conn: sa.Connection, account_id: int, flow_id: int) -> StoredFlow | None:
    """The flow, which nobody else publishes until this transaction ends."""
    row = conn.execute(_LOCK, {"p_id": flow_id, "p_account": account_id}).mappings().one_or_none()
    return None if row is None else StoredFlow(**row)


def _point(
    conn: sa.Connection, actor: Actor, flow: StoredFlow, version: int, *, action: str, now: int
) -> None:
    """Let new calls get a version, with a line of the audit log unless they do already."""
    if flow.published == version:
        return
    parameters = {"p_id": flow.id, "p_account": flow.account_id, "p_version": version, "p_now": now}
    conn.execute(_POINT, parameters)
    before, after = {"published": flow.published}, {"published": version}
    audit.write(
        conn, actor, at=now, action=action, thing="flow", thing_id=flow.id, before=before, after=after
    )


def delete(conn: sa.Connection, actor: Actor, account_id: int, flow_id: int, *, now: int) -> bool:
    """Mark a flow as deleted; calls that are pinned to a version still run it. False if there is none."""
    flow = _locked(conn, account_id, flow_id)
    if flow is None:
        return False
    conn.execute(_DELETE, {"p_id": flow_id, "p_account": account_id, "p_now": now})
    before = {"name": flow.name, "published": flow.published}
    audit.write(conn, actor, at=now, action="remove", thing="flow", thing_id=flow_id, before=before)
    return True


def get_version(conn: sa.Connection, flow_id: int, version: int) -> FlowVersion | None:
    """Return one published version."""
    row = conn.execute(_VERSION, {"p_flow": flow_id, "p_version": version}).mappings().one_or_none()
    return None if row is None else FlowVersion(**row)


def versions(conn: sa.Connection, flow_id: int, *, limit: int | None = None) -> list[FlowVersion]:
    """Return the published versions, newest first: all, or at most `limit`."""
    return [
        FlowVersion(**row) for row in conn.execute(_VERSIONS.limit(limit), {"p_flow": flow_id}).mappings()
    ]


def published(conn: sa.Connection, account_id: int, flow_ids: list[int]) -> dict[int, FlowVersion]:
    """Return what is published now of these flows of an account; those without are left out."""
    rows = conn.execute(_PUBLISHED, {"p_account": account_id, "p_ids": flow_ids}).mappings()
    return {
        row["flow_id"]: FlowVersion(**{name: row[name] for name in FlowVersion.__slots__}) for row in rows
    }
