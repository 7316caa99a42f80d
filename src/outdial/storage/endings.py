"""Calls that end without being dialled (again), many in one statement.

What an ending writes is the same for one call and for ten thousand: the call is done, what it had reserved is
free again, its webhooks are told. One entry of the ledger for the calls of a request, as when they were
accepted.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, case

from outdial.domain.call import CallState, Lease
from outdial.domain.disposition import Disposition, EndReason
from outdial.storage import credit, outbox, traces, wake
from outdial.storage.tables import attempts, calls

BATCH = 250
"""Calls that end in one transaction, so that others get their turn between two."""

_IS_QUEUED = calls.c.state == sa.literal_column("'queued'")
_OF_MONEY = (calls.c.id, calls.c.state, calls.c.account_id, calls.c.reserved)

_CANCEL = (
    sa.update(calls)
    .where(calls.c.id.in_(bindparam("p_ids", expanding=True)), calls.c.state != sa.literal_column("'done'"))
    .values(
        cancel_requested_at=sa.func.coalesce(calls.c.cancel_requested_at, bindparam("p_now")),
        state=case((_IS_QUEUED, sa.literal_column("'done'")), else_=calls.c.state),
        done_at=case((_IS_QUEUED, bindparam("p_now")), else_=calls.c.done_at),
        disposition=case((_IS_QUEUED, bindparam("p_disposition")), else_=calls.c.disposition),
        reason=case((_IS_QUEUED, bindparam("p_reason")), else_=calls.c.reason),
        paused_by=case((_IS_QUEUED, sa.null()), else_=calls.c.paused_by),
    )
    .returning(*_OF_MONEY)
)

_PICKED_UP_LATE = calls.c.reason == sa.literal_column(f"'{EndReason.ANSWERED_LATE.value}'")


def unless_picked_up_late(
    *, disposition: sa.ColumnElement[Any], reason: sa.ColumnElement[Any]
) -> dict[str, sa.ColumnElement[Any]]:
    """What to write of a call whose try is over or given back, in an update of `calls`.

    Where somebody picked up an earlier try too late, the call was answered, whatever this one came to.
    """
    return {
        "disposition": sa.case((_PICKED_UP_LATE, calls.c.disposition), else_=disposition),
        "reason": sa.case((_PICKED_UP_LATE, calls.c.reason), else_=reason),
    }


_ANSWERED_LATE = (
    sa.update(calls)
    .where(
        calls.c.id == bindparam("p_call"),
        calls.c.state != sa.literal_column("'done'"),
        sa.exists().where(
            attempts.c.call_id == bindparam("p_call"),
            attempts.c.number == bindparam("p_number"),
            attempts.c.fence == bindparam("p_fence"),
        ),
    )
    .values(
        cancel_requested_at=sa.func.coalesce(calls.c.cancel_requested_at, bindparam("p_now")),
        state=case((_IS_QUEUED, sa.literal_column("'done'")), else_=calls.c.state),
        done_at=case((_IS_QUEUED, bindparam("p_now")), else_=calls.c.done_at),
        disposition=Disposition.ANSWER.value,
        reason=EndReason.ANSWERED_LATE.value,
        paused_by=case((_IS_QUEUED, sa.null()), else_=calls.c.paused_by),
    )
    .returning(*_OF_MONEY, calls.c.attempts_started)
)

_IS_DIALLED = sa.select(attempts.c.number).where(
    attempts.c.call_id == bindparam("p_call"),
    attempts.c.number == bindparam("p_number"),
    # One that is only claimed goes without a trace.
    attempts.c.state != sa.literal_column("'claimed'"),
)

_EXPIRED = (_IS_QUEUED, calls.c.expires_at <= bindparam("p_now"))
_TOO_LATE = (
    sa.select(calls.c.seq)
    .where(*_EXPIRED)
    .order_by(calls.c.expires_at)
    .limit(sa.literal_column(str(BATCH)))
    .with_for_update(skip_locked=True)
)
# What an attempt of it came to stays its disposition.
_EXPIRE = (
    sa.update(calls)
    .values(
        state=CallState.DONE.value,
        done_at=bindparam("p_now"),
        disposition=sa.func.coalesce(calls.c.disposition, sa.literal_column("'CANCEL'")),
        reason=EndReason.EXPIRED.value,
        paused_by=None,
    )
    .returning(*_OF_MONEY)
)
_ANY_EXPIRED = sa.select(calls.c.seq).where(*_EXPIRED).limit(1)


def any_expired(conn: sa.Connection, *, now: int) -> bool:
    """Tell whether the time of a queued call is over."""
    return conn.execute(_ANY_EXPIRED, {"p_now": now}).first() is not None


def expire(conn: sa.Connection, *, now: int) -> int:
    """End up to BATCH queued calls whose time is over; returns how many."""
    ended = conn.execute(_EXPIRE.where(calls.c.seq.in_(_TOO_LATE), _IS_QUEUED), {"p_now": now}).all()
    _settle(conn, ended, now)
    return len(ended)


def expire_call(conn: sa.Connection, call_id: str, *, now: int) -> None:
    """End a call if it is queued and its time is over."""
    ended = conn.execute(_EXPIRE.where(calls.c.id == call_id, *_EXPIRED), {"p_now": now}).all()
    _settle(conn, ended, now)


def answered_late(conn: sa.Connection, lease: Lease, *, now: int) -> None:
    """Somebody picked up when an attempt was over: nobody is called again for its call.

    The CDR of the attempt stays what it was; the call ends as ANSWER, at once where it waits for a retry. A
    try that is under way is given up, and whatever becomes of it, the call was answered
    (`attempts.end_call`). Not fenced by the lease: what came over the wire is true whoever holds the call
    now, if it is an attempt of this call.
    """
    row = conn.execute(_ANSWERED_LATE, {**_attempt(lease), "p_now": now}).one_or_none()
    if row is None:
        return
    if row.state == CallState.DONE:
        _settle(conn, [row], now)
        return
    wake.announce(conn, wake.CANCELS)
    this = {"p_call": lease.call_id, "p_number": row.attempts_started}
    if row.attempts_started > lease.number and conn.execute(_IS_DIALLED, this).first() is not None:
        why = "the try before was picked up after all, too late: this one is given up"
        entry = {"at": now, "direction": "note", "summary": why}
        traces.append(conn, lease.call_id, row.attempts_started, [entry])


def _attempt(lease: Lease) -> dict[str, Any]:
    return {"p_call": lease.call_id, "p_number": lease.number, "p_fence": lease.fence}


def cancel(conn: sa.Connection, call_ids: Sequence[str], *, now: int) -> dict[str, CallState]:
    """Ask that calls be cancelled; returns the state of each that was not done before.

    A queued call is done at once (CANCEL). One that is being dialled is marked, its dialer is woken and acts
    on it.
    """
    if not call_ids:
        return {}
    rows = conn.execute(
        _CANCEL,
        {
            "p_ids": list(call_ids),
            "p_now": now,
            "p_disposition": Disposition.CANCEL.value,
            "p_reason": EndReason.CANCELLED.value,
        },
    ).all()
    states = {row.id: CallState(row.state) for row in rows}
    if CallState.LEASED in states.values():
        wake.announce(conn, wake.CANCELS)
    _settle(conn, [row for row in rows if row.state == CallState.DONE], now)
    return states


def _settle(conn: sa.Connection, ended: Sequence[sa.Row[Any]], now: int) -> None:
    """Let go of what these calls had reserved, and tell their webhooks."""
    requests: dict[tuple[int, str], list[sa.Row[Any]]] = defaultdict(list)
    for row in ended:
        if row.reserved:
            requests[row.account_id, row.id.partition(":")[0]].append(row)
    for (account_id, request_id), rows in sorted(requests.items(), key=lambda each: each[0]):
        (call_id, note) = (rows[0].id, "") if len(rows) == 1 else (request_id, f"{len(rows)} calls")
        reserved = sum(row.reserved for row in rows)
        credit.settle(conn, account_id, call_id, charge=0, reserved=reserved, now=now, note=note)
    outbox.add_ends(conn, [row.id for row in ended], now=now)
