"""Pauses of a campaign or a request: its calls stay in the queue, those in progress go on.

The row here is what holds; every dial looks it up in its transaction. `calls.paused_by` is a mark on the
queued calls that keeps them out of the index of what is due, so that ten thousand paused calls are not
claimed one by one to learn it. Who sets a mark locks the row meanwhile, so that no call keeps its mark when
the pause is taken back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage import wake
from outdial.storage.database import Database
from outdial.storage.requests import OF_REQUEST, Request
from outdial.storage.statement import Statement
from outdial.storage.tables import calls, pauses

BATCH = 500
"""Calls that are marked in one transaction."""


@unique
class PauseKind(StrEnum):
    """What is paused."""

    CAMPAIGN = "campaign"
    """All calls of an account with a name."""
    REQUEST = "request"
    """All calls of one `outgoing/send`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """One pause."""

    account_id: int
    kind: PauseKind
    name: str
    """Of the campaign, or the request's UUID."""
    paused_at: int


_THIS = (
    pauses.c.account_id == bindparam("p_account"),
    pauses.c.kind == bindparam("p_kind"),
    pauses.c.name == bindparam("p_name"),
)
_ADD = sa.text(
    "INSERT INTO pauses (account_id, kind, name, paused_at) VALUES (:p_account, :p_kind, :p_name, :p_now)"
    " ON CONFLICT DO NOTHING"
)
_REMOVE = sa.delete(pauses).where(*_THIS)
_HELD = sa.select(pauses.c.kind).where(*_THIS).with_for_update(read=True)
_ALL = (
    sa.select(pauses)
    .where(pauses.c.account_id == bindparam("p_account"))
    .order_by(pauses.c.paused_at, pauses.c.kind, pauses.c.name)
)

_HOLDING = (
    sa.select(pauses.c.account_id, pauses.c.kind, pauses.c.name, pauses.c.paused_at)
    .where(
        pauses.c.account_id == bindparam("p_account"),
        sa.or_(
            sa.and_(
                pauses.c.kind == sa.literal_column("'campaign'"), pauses.c.name == bindparam("p_campaign")
            ),
            sa.and_(pauses.c.kind == sa.literal_column("'request'"), pauses.c.name == bindparam("p_request")),
        ),
    )
    .order_by(pauses.c.kind)
    .limit(sa.literal_column("1"))
)
_LOOK = Statement(_HOLDING)
_LOOK_AND_LOCK = Statement(_HOLDING.with_for_update(read=True))

_IS_QUEUED = calls.c.state == sa.literal_column("'queued'")
_OF_CAMPAIGN = (calls.c.account_id == bindparam("p_account"), calls.c.name == bindparam("p_name"))
_TO_MARK = (_IS_QUEUED, calls.c.paused_by.is_(None))
# The second condition names the index.
_MARKED = (calls.c.paused_by == bindparam("p_kind"), calls.c.paused_by.is_not(None))
_THESE = calls.c.seq.in_(bindparam("p_seqs", expanding=True))

_MARK_ONE = Statement(
    sa.update(calls)
    .where(calls.c.id == bindparam("p_call"), _IS_QUEUED)
    .values(paused_by=bindparam("p_kind"))
)
_MARK = sa.update(calls).where(_THESE, *_TO_MARK).values(paused_by=bindparam("p_kind"))
_UNMARK = sa.update(calls).where(_THESE, *_MARKED).values(paused_by=None)


def find_all(conn: sa.Connection, account_id: int) -> list[Pause]:
    """Return an account's pauses, oldest first."""
    return [_pause(row) for row in conn.execute(_ALL, {"p_account": account_id})]


def holding(conn: sa.Connection, account_id: int, *, campaign: str, call_id: str) -> Pause | None:
    """Return what holds a call of that campaign back."""
    row = _LOOK.execute(conn, _call(account_id, campaign, call_id)).first()
    return None if row is None else _pause(row)


def holding_locked(conn: sa.Connection, account_id: int, *, campaign: str, call_id: str) -> Pause | None:
    """The same for who is about to set a mark: the pause is not taken back before this transaction ends."""
    row = _LOOK_AND_LOCK.execute(conn, _call(account_id, campaign, call_id)).first()
    return None if row is None else _pause(row)


def mark(conn: sa.Connection, call_id: str, pause: Pause) -> None:
    """Keep a queued call out of what is due, under a pause that is locked."""
    _MARK_ONE.execute(conn, {"p_call": call_id, "p_kind": pause.kind.value})


async def pause(
    database: Database, account_id: int, kind: PauseKind, name: str, *, request: Request | None, now: int
) -> int:
    """Pause a campaign, or a request; returns how many waiting calls it holds now.

    Pausing what is paused is harmless.
    """
    this = {"p_account": account_id, "p_kind": kind.value, "p_name": name}
    await database.run(_add, this | {"p_now": now})
    await _each_batch(database, _mark_batch, this, request, _TO_MARK)
    return len(await database.read(_seqs, this, request, _MARKED))


async def resume(
    database: Database, account_id: int, kind: PauseKind, name: str, *, request: Request | None
) -> bool:
    """Let the calls of a campaign or request go on; False if it was not paused."""
    this = {"p_account": account_id, "p_kind": kind.value, "p_name": name}
    was_paused = await database.run(_remove, this)
    await _each_batch(database, _unmark_batch, this, request, _MARKED)
    return was_paused


async def _each_batch(
    database: Database,
    work: Callable[[sa.Connection, dict[str, Any], list[int]], None],
    this: dict[str, Any],
    request: Request | None,
    conditions: Sequence[sa.ColumnElement[bool]],
) -> None:
    """Do `work` with the calls meant, found without the writer, which others use between two batches."""
    seqs = await database.read(_seqs, this, request, conditions)
    for first in range(0, len(seqs), BATCH):
        await database.run(work, this, seqs[first : first + BATCH])


def _seqs(
    conn: sa.Connection,
    this: dict[str, Any],
    request: Request | None,
    conditions: Sequence[sa.ColumnElement[bool]],
) -> list[int]:
    meant = _OF_CAMPAIGN if request is None else OF_REQUEST
    query = sa.select(calls.c.seq).where(*meant, *conditions).order_by(calls.c.seq)
    return list(conn.scalars(query, this if request is None else this | request.parameters))


def _add(conn: sa.Connection, this: dict[str, Any]) -> None:
    conn.execute(_ADD, this)


def _remove(conn: sa.Connection, this: dict[str, Any]) -> bool:
    return conn.execute(_REMOVE, this).rowcount == 1


def _mark_batch(conn: sa.Connection, this: dict[str, Any], seqs: list[int]) -> None:
    if conn.execute(_HELD, this).first() is not None:  # not taken back meanwhile
        conn.execute(_MARK, this | {"p_seqs": seqs})


def _unmark_batch(conn: sa.Connection, this: dict[str, Any], seqs: list[int]) -> None:
    conn.execute(_UNMARK, this | {"p_seqs": seqs})
    wake.announce(conn, wake.CALLS)


def _call(account_id: int, campaign: str, call_id: str) -> dict[str, Any]:
    return {
        "p_account": account_id,
        "p_campaign": campaign,
        "p_request": call_id.partition(":")[0],
    }


def _pause(row: tuple[Any, ...]) -> Pause:
    return Pause(account_id=row[0], kind=PauseKind(row[1]), name=row[2], paused_at=row[3])
