"""Giving claimed calls back that were certainly not dialled: from `leased` to `queued`, as they were."""

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import CallState, Lease
from outdial.storage import credit, endings, outbox, wake
from outdial.storage.fencing import MINE, mine
from outdial.storage.tables import attempts, calls

_DELETE_CLAIMED = sa.delete(attempts).where(*MINE, attempts.c.state == sa.literal_column("'claimed'"))

_CANCELLED = calls.c.cancel_requested_at.is_not(None)

_BACK_TO_QUEUE = (
    sa.update(calls)
    .where(
        calls.c.id == bindparam("p_call"),
        calls.c.fence == bindparam("p_fence"),
        calls.c.state == sa.literal_column("'leased'"),
    )
    .values(
        state=sa.case((_CANCELLED, sa.literal_column("'done'")), else_=sa.literal_column("'queued'")),
        done_at=sa.case((_CANCELLED, bindparam("p_now")), else_=None),
        **endings.unless_picked_up_late(
            disposition=sa.case((_CANCELLED, sa.literal_column("'CANCEL'")), else_=calls.c.disposition),
            reason=sa.case((_CANCELLED, sa.literal_column("'cancelled'")), else_=calls.c.reason),
        ),
        attempts_started=calls.c.attempts_started - 1,
        dialer_id=None,
    )
    .returning(calls.c.state, calls.c.account_id, calls.c.reserved)
)
"""A call that was certainly not dialled: queued as it was, or done if it was cancelled meanwhile."""

_QUEUED = calls.c.state == sa.literal_column("'queued'")

_PUT_OFF = (
    sa.update(calls)
    .where(calls.c.id == bindparam("p_call"), _QUEUED)
    .values(due_at=bindparam("p_due_at"), held_why=bindparam("p_why"))
)


def release(
    conn: sa.Connection, lease: Lease, *, now: int, due_at: int | None = None, why: str | None = None
) -> bool:
    """Give a claimed call back that was certainly not dialled, due as it was or at `due_at`, for `why`.

    False if it was dialled, or the lease is lost.
    """
    if conn.execute(_DELETE_CLAIMED, mine(lease)).rowcount != 1:
        return False
    requeue(conn, lease, now=now)
    if due_at is not None:
        conn.execute(_PUT_OFF, {"p_call": lease.call_id, "p_due_at": due_at, "p_why": why})
    wake.announce(conn, wake.CALLS)
    return True


def requeue(conn: sa.Connection, lease: Lease, *, now: int) -> None:
    """Queue a call again whose claimed attempt was deleted; one that was cancelled meanwhile is done."""
    row = conn.execute(
        _BACK_TO_QUEUE, {"p_call": lease.call_id, "p_fence": lease.fence, "p_now": now}
    ).one_or_none()
    if row is not None and row.state == CallState.DONE:
        credit.settle(conn, row.account_id, lease.call_id, charge=0, reserved=row.reserved, now=now)
    outbox.add_end(conn, lease.call_id, now=now)
