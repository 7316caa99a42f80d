"""What is removed of calls after some time: queries, each over a bounded number of rows.

Calls are gone through in the order in which they ended. A call that is not done, or of which a webhook is
still to be told, is left alone. Removing is idempotent, so that two runs at once do no harm.

Personal data is taken out of the rows; the rows, with their outcomes, durations and charges, and the ledger
stay. The empty number says that this was done.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage import idempotency
from outdial.storage.tables import (
    agent_legs,
    audit,
    calls,
    cdrs,
    deliveries,
    flow_runs,
    idempotency_keys,
    outbox,
    recordings,
    retention_marks,
    traces,
)

BATCH = 500
"""Calls, or rows of a log, in one transaction."""


class Kind(StrEnum):
    """What has a time of its own."""

    TRACES = "traces"
    RECORDINGS = "recordings"
    PERSONAL = "personal"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the order of ended calls."""

    at: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True)
class EndedCall:
    """A call that is old enough."""

    id: str
    mark: Mark
    waits: bool
    """A webhook is still to be told of it."""
    has_any: bool
    """There is something of the kind that was asked for."""


# Literals, because PostgreSQL's generic plans use a partial index only for a literal condition.
_DONE = calls.c.state == sa.literal_column("'done'")
_WAITS = sa.exists().where(outbox.c.call_id == calls.c.id, outbox.c.state == sa.literal_column("'pending'"))
_HAS_ANY: dict[Kind, sa.ColumnElement[bool]] = {
    Kind.TRACES: sa.exists().where(traces.c.call_id == calls.c.id),
    Kind.RECORDINGS: sa.exists().where(recordings.c.call_id == calls.c.id),
    Kind.PERSONAL: calls.c.to_number != "",
}
_TURN = "turn"


def mark(conn: sa.Connection, kind: Kind) -> Mark:
    """How far the last run came."""
    row = conn.execute(
        sa.select(retention_marks.c.at, retention_marks.c.seq).where(retention_marks.c.kind == kind.value)
    ).one()
    return Mark(row.at, row.seq)


def set_mark(conn: sa.Connection, kind: Kind, place: Mark) -> None:
    """Note how far a run came."""
    conn.execute(
        sa.update(retention_marks)
        .where(retention_marks.c.kind == kind.value)
        .values(at=place.at, seq=place.seq)
    )


def take_turn(conn: sa.Connection, *, now: int, next_at: int) -> bool:
    """Tell whether the periodic run is the caller's: one of all processes gets it, until `next_at`."""
    taken = conn.execute(
        sa.update(retention_marks)
        .where(retention_marks.c.kind == _TURN, retention_marks.c.at <= now)
        .values(at=next_at)
    )
    return taken.rowcount == 1


def ended_calls(
    conn: sa.Connection, kind: Kind, *, after: Mark, before: int, limit: int = BATCH
) -> list[EndedCall]:
    """Return calls behind `after` that were done before `before`, the oldest first."""
    place = sa.tuple_(calls.c.done_at, calls.c.seq)
    rows = conn.execute(
        sa.select(calls.c.id, calls.c.done_at, calls.c.seq, _WAITS, _HAS_ANY[kind])
        .where(_DONE, calls.c.done_at < before, place > sa.tuple_(after.at, after.seq))
        .order_by(calls.c.done_at, calls.c.seq)
        .limit(limit)
    )
    return [EndedCall(id_, Mark(at, seq), bool(waits), bool(any_)) for id_, at, seq, waits, any_ in rows]


def recording_keys(conn: sa.Connection, ids: Iterable[str]) -> list[str]:
    """Return the keys of the calls' recordings, and of messages of their flows, in the blob store."""
    return list(conn.scalars(sa.select(recordings.c.key).where(recordings.c.call_id.in_(list(ids)))))


def remove(conn: sa.Connection, kind: Kind, ids: Iterable[str]) -> int:
    """Remove a kind of data of calls, and return of how many: those that may not be touched are left out.

    Recordings have to be gone from the blob store before.
    """
    free = list(conn.scalars(sa.select(calls.c.id).where(calls.c.id.in_(list(ids)), _DONE, ~_WAITS)))
    if free:
        for statement in _REMOVE[kind]:
            conn.execute(statement, {"p_ids": free})
    return len(free)


def calls_to(conn: sa.Connection, number: str, *, limit: int = BATCH) -> list[str]:
    """Return calls to a number whose personal data may be removed."""
    found = sa.select(calls.c.id).where(calls.c.to_number == number, _DONE, ~_WAITS).limit(limit)
    return list(conn.scalars(found))


def count_calls_to(conn: sa.Connection, number: str) -> int:
    """Count the calls that name a number."""
    query = sa.select(sa.func.count()).select_from(calls).where(calls.c.to_number == number)
    return int(conn.execute(query).scalar_one())


def count_audit(conn: sa.Connection, *, before: int) -> int:
    """Count the entries of the audit log from before a time."""
    query = sa.select(sa.func.count()).select_from(audit).where(audit.c.at < before)
    return int(conn.execute(query).scalar_one())


def prune_audit(conn: sa.Connection, *, before: int, limit: int = BATCH) -> int:
    """Delete the oldest entries of the audit log from before a time; return how many."""
    oldest = sa.select(audit.c.id).where(audit.c.at < before).order_by(audit.c.at).limit(limit)
    return conn.execute(sa.delete(audit).where(audit.c.id.in_(oldest))).rowcount


def count_keys(conn: sa.Connection, *, now: int) -> int:
    """Count the idempotency keys that nobody is promised any more."""
    query = (
        sa.select(sa.func.count())
        .select_from(idempotency_keys)
        .where(idempotency_keys.c.created_at < now - idempotency.KEPT_MS)
    )
    return int(conn.execute(query).scalar_one())


def prune_keys(conn: sa.Connection, *, now: int, limit: int = BATCH) -> int:
    """Delete idempotency keys, with the answers under them, that nobody is promised any more."""
    key = (idempotency_keys.c.account_id, idempotency_keys.c.key)
    oldest = (
        sa.select(*key)
        .where(idempotency_keys.c.created_at < now - idempotency.KEPT_MS)
        .order_by(idempotency_keys.c.created_at)
        .limit(limit)
    )
    return conn.execute(sa.delete(idempotency_keys).where(sa.tuple_(*key).in_(oldest))).rowcount


def _of(column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    return column.in_(bindparam("p_ids", expanding=True))


_REMOVE_TRACES = sa.delete(traces).where(_of(traces.c.call_id))
_REMOVE_RECORDINGS = sa.delete(recordings).where(_of(recordings.c.call_id))
_REMOVE: dict[Kind, tuple[sa.Update | sa.Delete, ...]] = {
    Kind.TRACES: (_REMOVE_TRACES,),
    Kind.RECORDINGS: (
        _REMOVE_RECORDINGS,
        sa.update(cdrs).where(_of(cdrs.c.call_id)).values(recording_key=None),
        sa.update(agent_legs).where(_of(agent_legs.c.call_id)).values(recording_key=None),
    ),
    Kind.PERSONAL: (
        _REMOVE_TRACES,
        _REMOVE_RECORDINGS,
        sa.update(cdrs).where(_of(cdrs.c.call_id)).values(dtmf="", detail=None, recording_key=None),
        # A caller id may be the callee's own number.
        sa.update(agent_legs)
        .where(_of(agent_legs.c.call_id))
        .values(to_number="", caller_id="", recording_key=None),
        sa.update(flow_runs)
        .where(_of(flow_runs.c.call_id))
        .values(path="[]", variables="{}", tags="[]", problems="[]"),
        sa.update(outbox)
        .where(_of(outbox.c.call_id), outbox.c.content.is_not(None))
        .values(content='{"name": "", "data": {}}'),
        # What an endpoint answered may repeat what it was told.
        sa.update(deliveries)
        .where(
            deliveries.c.outbox_id.in_(
                sa.select(outbox.c.id).where(outbox.c.call_id.in_(bindparam("p_ids", expanding=True)))
            )
        )
        .values(answer=""),
        sa.update(calls)
        .where(_of(calls.c.id))
        .values(to_number="", customid="", customid1="", variables="{}", audio_url=None),
    ),
}
