"""The ways of a call: the trunks of its bridge, in order, and the queue of which of them it waits in.

A call waits in the queue of one trunk, and counts against the limits of that trunk. To go by another one it
is moved into the queue of the other: everything else about it, and about claiming, stays as it is. It is
moved on when an attempt shows that a trunk takes no call, over when a trunk takes none just now, and back to
the first whenever it waits for a retry.
"""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage.statement import Statement
from outdial.storage.tables import bridges, calls, paces, trunks

_OF_CALL = Statement(
    sa.select(calls.c.trunk_id, bridges.c.trunk_id, bridges.c.further_trunk_ids)
    .join_from(calls, bridges, bridges.c.number == calls.c.bridge)
    .where(calls.c.id == bindparam("p_call"))
)

_UP = (
    sa.select(trunks.c.id)
    .where(
        trunks.c.id.in_(bindparam("p_trunks", expanding=True)),
        trunks.c.enabled,
        ~sa.exists().where(
            paces.c.kind == sa.literal_column("'trunk'"),
            paces.c.thing_id == trunks.c.id,
            paces.c.held_until > bindparam("p_now"),
        ),
    )
    .order_by(trunks.c.id)
)

_PUT = Statement(
    sa.update(calls).where(calls.c.id == bindparam("p_call")).values(trunk_id=bindparam("p_trunk"))
)

_WAITING = (
    calls.c.state == sa.literal_column("'queued'"),
    calls.c.paused_by.is_(None),
    calls.c.account_id == bindparam("p_account"),
    calls.c.bridge == bindparam("p_bridge"),
    calls.c.due_at <= bindparam("p_now"),
)

_ANY = Statement(
    sa.select(calls.c.seq)
    .where(*_WAITING, calls.c.trunk_id == bindparam("p_trunk"))
    .limit(sa.literal_column("1"))
)

_DUE = (
    sa.select(calls.c.seq)
    .where(*_WAITING, calls.c.trunk_id == bindparam("p_from"))
    .order_by(calls.c.due_at, calls.c.seq)
    .limit(bindparam("p_limit", type_=sa.Integer, literal_execute=True))
    .with_for_update(skip_locked=True, of=calls)
    .cte("due")
)

MOVE = (
    sa.update(calls)
    .where(calls.c.seq.in_(sa.select(_DUE.c.seq)), calls.c.state == sa.literal_column("'queued'"))
    .values(trunk_id=bindparam("p_trunk"))
)


@dataclass(frozen=True, slots=True)
class Detour:
    """Of what waits for one trunk, which bridges' calls go by another one now."""

    closed: int
    """The trunk that takes no calls."""
    bridges: frozenset[str]


Detours = Mapping[int, Sequence[Detour]]
"""By the trunk that takes the calls instead."""
NO_DETOURS: Detours = {}


def after(conn: sa.Connection, call_id: str, *, now: int) -> int | None:
    """Return the trunk that a call goes by next, of those behind the one that it just went by; None if none.

    One that is switched off, or given no calls by any dialer, is passed over.
    """
    row = _OF_CALL.execute(conn, {"p_call": call_id}).one_or_none()
    if row is None:
        return None
    ways = [row[1], *json.loads(row[2])]
    behind = ways[ways.index(row[0]) + 1 :] if row[0] in ways else []
    if not behind:
        return None
    up = up_of(conn, behind, now=now)
    return next((each for each in behind if each in up), None)


def up_of(conn: sa.Connection, trunk_ids: Sequence[int], *, now: int) -> Set[int]:
    """Return those of these trunks that are switched on and that no dialer holds."""
    return set(conn.scalars(_UP, {"p_trunks": list(trunk_ids), "p_now": now}))


def put(conn: sa.Connection, call_id: str, trunk_id: int) -> None:
    """Let a call wait for that trunk."""
    _PUT.execute(conn, {"p_call": call_id, "p_trunk": trunk_id})


def put_back(conn: sa.Connection, call_id: str) -> None:
    """Let a call that went by a further trunk of its bridge wait for the first again."""
    row = _OF_CALL.execute(conn, {"p_call": call_id}).one_or_none()
    if row is not None and row[0] != row[1] and row[0] in json.loads(row[2]):
        put(conn, call_id, row[1])


def move_due(
    conn: sa.Connection, account_id: int, bridge: str, *, closed: int, to: int, limit: int, now: int
) -> int:
    """Move up to `limit` due calls of a queue, the longest due first; return how many.

    None while calls that were moved before still wait: where more is due than the other trunk takes, the
    rest stays where it belongs.
    """
    this = {"p_account": account_id, "p_bridge": bridge, "p_now": now}
    if _ANY.execute(conn, {**this, "p_trunk": to}).first() is not None:
        return 0
    return conn.execute(MOVE, {**this, "p_from": closed, "p_trunk": to, "p_limit": limit}).rowcount
