"""Leasing the front of one queue to a dialer.

The update is conditional on the state and names the rows by a subquery that locks them (`FOR UPDATE SKIP
LOCKED`, so that dialers do not wait for each other; SQLite has one writer anyway).
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import Call, ClaimedCall, Lease
from outdial.storage import credit
from outdial.storage.calls import COLUMNS, to_call
from outdial.storage.due_queues import DUE_IN_QUEUE, QUEUED, Queue
from outdial.storage.fencing import DIALER_ALIVE
from outdial.storage.statement import Statement
from outdial.storage.tables import calls

_DUE = (
    sa.select(calls.c.seq)
    .where(
        DUE_IN_QUEUE,
        DIALER_ALIVE,
    )
    .order_by(calls.c.due_at, calls.c.seq)
    # Rendered as a number: PostgreSQL's generic plans guess a tenth of the table for an unknown limit, and
    # then read all of it.
    .limit(bindparam("p_limit", type_=sa.Integer, literal_execute=True))
    .with_for_update(skip_locked=True, of=calls)
    # PostgreSQL never inlines a CTE with row locks, so it runs once; as a plain subquery the planner may run
    # it again and again and claim more than the limit.
    .cte("due")
)

CLAIM = (
    sa.update(calls)
    .where(calls.c.seq.in_(sa.select(_DUE.c.seq)), QUEUED)
    .values(
        state=sa.literal_column("'leased'"),
        dialer_id=bindparam("p_dialer"),
        fence=calls.c.fence + 1,
        attempts_started=calls.c.attempts_started + 1,
        held_why=sa.null(),
    )
    .returning(calls.c.seq, calls.c.fence, *COLUMNS)
)
_CLAIM = Statement(CLAIM)


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims, and when."""

    dialer_id: str
    now: int
    """Unix milliseconds."""


@dataclass(frozen=True, slots=True)
class Leased:
    """A call that was claimed, and its place in the queue."""

    claimed: ClaimedCall
    seq: int

    @property
    def place(self) -> tuple[int, int]:
        """What the queues are ordered by."""
        return self.claimed.call.due_at, self.seq


def lease_due(conn: sa.Connection, claimant: Claimant, trunk: int, queue: Queue, count: int) -> list[Leased]:
    """Lease up to `count` due calls of a queue of a trunk, whatever the limits."""
    found = _CLAIM.execute(
        conn,
        {
            "p_dialer": claimant.dialer_id,
            "p_now": claimant.now,
            "p_trunk": trunk,
            "p_account": queue.account_id,
            "p_bridge": queue.bridge,
            "p_limit": count,
        },
    )
    leased = []
    prepaid: dict[int, bool] = {}
    for row in found.mappings():
        call = to_call(row)
        lease = Lease(call.id, call.attempts_started, row["fence"], claimant.dialer_id)
        leased.append(
            Leased(ClaimedCall(call=call, lease=lease, covered=_covered(conn, call, prepaid)), row["seq"])
        )
    return leased


def _covered(conn: sa.Connection, call: Call, prepaid: dict[int, bool]) -> bool:
    """Look again whether the call is paid for; `prepaid` remembers each account for this claim."""
    if call.reserved or (call.rate is not None and call.rate.is_free):
        return True
    if call.account_id not in prepaid:
        account = credit.get(conn, call.account_id)
        prepaid[call.account_id] = account is not None and account.prepaid
    return not prepaid[call.account_id]
