"""Recordings: what callees said, of whole attempts and as messages in flows. The audio is a blob, `key`.

The row of an attempt's recording is written with its CDR, before the audio is in the blob store: that comes
later, in the background. A deleted one keeps its row, without which what comes later would stay for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite

from outdial.domain.call import Lease
from outdial.storage import audit
from outdial.storage.audit import Actor
from outdial.storage.calls import CallFilter, matching
from outdial.storage.tables import calls, recordings

_COLUMNS = (
    "id",
    "account_id",
    "call_id",
    "number",
    "kind",
    "key",
    "codec",
    "recorded_at",
    "duration_ms",
)
_SOURCE = sa.select(
    bindparam("p_id"),
    calls.c.account_id,
    calls.c.id,
    bindparam("p_number", type_=sa.Integer),
    bindparam("p_kind"),
    bindparam("p_key"),
    bindparam("p_codec"),
    bindparam("p_recorded_at", type_=sa.BigInteger),
    bindparam("p_duration_ms", type_=sa.BigInteger),
).where(calls.c.id == bindparam("p_call"))
_ADD = {
    "postgresql": postgresql.insert(recordings).from_select(_COLUMNS, _SOURCE).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(recordings).from_select(_COLUMNS, _SOURCE).on_conflict_do_nothing(),
}
_THERE = recordings.c.deleted_at.is_(None)
_JOINED = sa.join(recordings, calls, calls.c.id == recordings.c.call_id)
_NEWEST_FIRST = (recordings.c.recorded_at.desc(), recordings.c.id.desc())
_THIS = (recordings.c.account_id == bindparam("p_account"), recordings.c.id == bindparam("p_id"))
_SHOWN = (*recordings.c, calls.c.bridge, calls.c.to_number, calls.c.name)
_GET = sa.select(*_SHOWN).select_from(_JOINED).where(*_THIS)
_DELETE = sa.update(recordings).where(*_THIS, _THERE).values(deleted_at=bindparam("p_now"))
_DELETED = sa.select(recordings.c.id).where(recordings.c.key == bindparam("p_key"), ~_THERE)
_TO_ERASE = (
    sa.select(recordings.c.key)
    .where(sa.text("deleted_at IS NOT NULL AND erased_at IS NULL"))
    .limit(bindparam("p_limit"))
)
_ERASED = (
    sa.update(recordings)
    .where(recordings.c.key.in_(bindparam("p_keys", expanding=True)))
    .values(erased_at=bindparam("p_now"))
)


WAV = "WAV"
"""In place of a codec: the blob is a WAV file."""


class RecordingKind(StrEnum):
    """Who is heard."""

    CALL = "call"
    """The callee, in a whole attempt."""
    MESSAGE = "message"
    """The callee, in a step of a flow that asked for it."""
    TALK = "talk"
    """The callee and an agent, left and right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recording, with whose call it is of."""

    id: str
    """The name of the blob, without folder and codec: call, attempt, and of a message which one."""
    account_id: int
    call_id: str
    number: int
    """Of the attempt."""
    kind: RecordingKind
    key: str
    """Of the blob: wire bytes of `codec`."""
    codec: str
    """Or WAV."""
    recorded_at: int
    """When it ended, Unix milliseconds."""
    duration_ms: int
    deleted_at: int | None
    bridge: str
    to: str
    name: str
    """Of the campaign."""


def is_gone(key: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """The condition that the recording with this key was deleted by its account."""
    return sa.exists().where(recordings.c.key == key, recordings.c.deleted_at.is_not(None))


def id_of(key: str) -> str:
    """Return the id of the recording whose audio is the blob `key`."""
    return PurePosixPath(key).stem


def add(
    conn: sa.Connection,
    lease: Lease,
    key: str,
    codec: str,
    *,
    recorded_at: int,
    duration_ms: int,
    kind: RecordingKind = RecordingKind.CALL,
) -> None:
    """Add a recording of an attempt; one that is known already stays as it is."""
    parameters = {
        "p_id": id_of(key),
        "p_call": lease.call_id,
        "p_number": lease.number,
        "p_kind": kind.value,
        "p_key": key,
        "p_codec": codec,
        "p_recorded_at": recorded_at,
        "p_duration_ms": duration_ms,
    }
    conn.execute(_ADD[conn.dialect.name], parameters)


def find(
    conn: sa.Connection, account_id: int, wanted: CallFilter, *, limit: int = 50, offset: int = 0
) -> tuple[list[Recording], int]:
    """Return an account's recordings of such calls, newest first, and how many there are in all."""
    found = _wanted(sa.select(*_SHOWN), wanted).order_by(*_NEWEST_FIRST).limit(limit).offset(offset)
    this = {"p_account": account_id}
    rows = [_recording(row) for row in conn.execute(found, this).mappings()]
    return rows, conn.execute(_wanted(sa.select(sa.func.count()), wanted), this).scalar_one()


def _wanted(query: sa.Select[Any], wanted: CallFilter) -> sa.Select[Any]:
    of_account = recordings.c.account_id == bindparam("p_account")
    return matching(query.select_from(_JOINED).where(of_account, _THERE), wanted)


def get(conn: sa.Connection, account_id: int, recording_id: str) -> Recording | None:
    """Return one recording of an account, also one that was deleted."""
    row = conn.execute(_GET, {"p_account": account_id, "p_id": recording_id}).mappings().one_or_none()
    return None if row is None else _recording(row)


def delete(conn: sa.Connection, actor: Actor, recording: Recording, *, now: int) -> None:
    """Mark a recording as deleted, with a line of the audit log, unless it was already."""
    this = {"p_account": recording.account_id, "p_id": recording.id, "p_now": now}
    if conn.execute(_DELETE, this).rowcount:
        audit.write(conn, actor, at=now, action="remove", thing="recording", thing_id=recording.id)


def is_deleted(conn: sa.Connection, key: str) -> bool:
    """Tell whether a recording was deleted, so that its audio is not wanted any more."""
    return conn.execute(_DELETED, {"p_key": key}).first() is not None


def to_erase(conn: sa.Connection, *, limit: int = 500) -> list[str]:
    """Return the keys of deleted recordings whose audio may still be there."""
    return list(conn.scalars(_TO_ERASE, {"p_limit": limit}))


def note_erased(conn: sa.Connection, keys: Sequence[str], *, now: int) -> None:
    """Note that the audio of deleted recordings is gone."""
    conn.execute(_ERASED, {"p_keys": list(keys), "p_now": now})


def _recording(row: sa.RowMapping) -> Recording:
    values = {name: row[name] for name in (*_COLUMNS, "deleted_at", "bridge", "name")}
    return Recording(**(values | {"kind": RecordingKind(row["kind"])}), to=row["to_number"])
