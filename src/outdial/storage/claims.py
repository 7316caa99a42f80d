"""Claiming due calls: from `queued` to `leased`, by one dialer only.

The update is conditional on the state and names the rows by a subquery that locks them (`FOR UPDATE SKIP
LOCKED`, so that dialers do not wait for each other; SQLite has one writer anyway). It reads the front of
`ix_calls_due`, whose cost grows neither with the queue nor with the history.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import AttemptState, Call, CallState, ClaimedCall, Lease
from outdial.storage import credit, outbox, wake
from outdial.storage.calls import COLUMNS, to_call
from outdial.storage.fencing import DIALER_ALIVE, MINE, mine
from outdial.storage.statement import Statement
from outdial.storage.tables import attempts, calls

# A literal, because PostgreSQL's generic plans use a partial index only for a literal condition.
QUEUED = calls.c.state == sa.literal_column("'queued'")

_HEAD = Statement(
    sa.select(calls.c.due_at)
    .where(QUEUED, calls.c.trunk_id == bindparam("p_trunk"))
    .order_by(calls.c.due_at, calls.c.seq)
    .limit(1)
)

_DUE = (
    sa.select(calls.c.seq)
    .where(
        QUEUED,
        calls.c.trunk_id == bindparam("p_trunk"),
        calls.c.due_at <= bindparam("p_now"),
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
    )
    .returning(calls.c.seq, calls.c.fence, *COLUMNS)
)

_INSERT_ATTEMPTS = Statement(sa.insert(attempts))

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
        disposition=sa.case((_CANCELLED, sa.literal_column("'CANCEL'")), else_=calls.c.disposition),
        reason=sa.case((_CANCELLED, sa.literal_column("'cancelled'")), else_=calls.c.reason),
        attempts_started=calls.c.attempts_started - 1,
        dialer_id=None,
    )
    .returning(calls.c.state, calls.c.account_id, calls.c.reserved)
)
"""A call that was certainly not dialled: queued as it was, or done if it was cancelled meanwhile."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a claim brought."""

    calls: list[ClaimedCall]
    """In the order in which they were due."""
    next_due_at: dict[int, int]
    """When the next queued call of each trunk that was asked for is due, Unix milliseconds; without those
    that have none. In the past where due calls were left behind because there was no room for them."""


def claim_due(
    conn: sa.Connection, *, dialer_id: str, now: int, limit: int, free_by_trunk: Mapping[int, int]
) -> Claims:
    """Lease up to `limit` due calls to a dialer, at most `free_by_trunk[trunk_id]` of each trunk.

    Adds each call's attempt, in state `claimed`, in the same transaction. The longest due come first; trunks
    are served in the order of their longest due call. Claims nothing if the dialer's own lease is lost.
    """
    next_due = next_due_at(conn, free_by_trunk)
    claimed: list[tuple[int, int, ClaimedCall]] = []
    for due_at, trunk in sorted((due_at, trunk) for trunk, due_at in next_due.items()):
        count = min(free_by_trunk[trunk], limit - len(claimed))
        if count > 0 and due_at <= now:
            claimed += _claim(conn, dialer_id, now, trunk, count)
    if claimed:
        _INSERT_ATTEMPTS.execute_many(conn, [_attempt_row(call.lease, now) for _, _, call in claimed])
    taken = {call.call.trunk_id for _, _, call in claimed}
    untouched = {trunk: due_at for trunk, due_at in next_due.items() if trunk not in taken}
    claimed.sort(key=lambda item: item[:2])
    return Claims([call for _, _, call in claimed], untouched | next_due_at(conn, taken))


def next_due_at(conn: sa.Connection, trunk_ids: Iterable[int]) -> dict[int, int]:
    """Return when the next queued call of each of these trunks is due, Unix milliseconds."""
    heads = {trunk: _head(conn, trunk) for trunk in trunk_ids}
    return {trunk: due_at for trunk, due_at in heads.items() if due_at is not None}


def release(conn: sa.Connection, lease: Lease, *, now: int) -> bool:
    """Give a claimed call back that was certainly not dialled; False if it was, or the lease is lost."""
    if conn.execute(_DELETE_CLAIMED, mine(lease, now)).rowcount != 1:
        return False
    give_back(conn, lease, now=now)
    wake.announce(conn, wake.CALLS)
    return True


def give_back(conn: sa.Connection, lease: Lease, *, now: int) -> None:
    """Queue a call again whose claimed attempt was deleted; one that was cancelled meanwhile is done."""
    row = conn.execute(
        _BACK_TO_QUEUE, {"p_call": lease.call_id, "p_fence": lease.fence, "p_now": now}
    ).one_or_none()
    if row is not None and row.state == CallState.DONE:
        credit.settle(conn, row.account_id, lease.call_id, charge=0, reserved=row.reserved, now=now)
    outbox.add_end(conn, lease.call_id, now=now)


def _head(conn: sa.Connection, trunk: int) -> int | None:
    return _HEAD.execute(conn, {"p_trunk": trunk}).scalar_one_or_none()


def _claim(
    conn: sa.Connection, dialer_id: str, now: int, trunk: int, count: int
) -> list[tuple[int, int, ClaimedCall]]:
    rows = conn.execute(
        CLAIM, {"p_dialer": dialer_id, "p_now": now, "p_trunk": trunk, "p_limit": count}
    ).all()
    leased = []
    prepaid: dict[int, bool] = {}
    for row in rows:
        call = to_call(row)
        lease = Lease(call.id, call.attempts_started, row.fence, dialer_id)
        leased.append(
            (call.due_at, row.seq, ClaimedCall(call=call, lease=lease, covered=_covered(conn, call, prepaid)))
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


def _attempt_row(lease: Lease, now: int) -> dict[str, object]:
    return {
        "call_id": lease.call_id,
        "number": lease.number,
        "fence": lease.fence,
        "dialer_id": lease.dialer_id,
        "state": AttemptState.CLAIMED.value,
        "claimed_at": now,
        "dialing_at": None,
        "ringing_at": None,
        "answered_at": None,
        "ended_at": None,
    }
