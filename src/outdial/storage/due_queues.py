"""The queues of calls that wait for a trunk: one for each account and bridge, a stretch of `ix_calls_due`.

The front of each is found by one step in the index, whatever waits behind it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.pace_ledger import Limits
from outdial.storage.paces import Ledger
from outdial.storage.statement import Statement
from outdial.storage.tables import accounts, bridges, calls

# A literal, because PostgreSQL's generic plans use a partial index only for a literal condition.
QUEUED = calls.c.state == sa.literal_column("'queued'")
NOT_PAUSED = calls.c.paused_by.is_(None)
DUE_IN_QUEUE = sa.and_(
    QUEUED,
    NOT_PAUSED,
    calls.c.trunk_id == bindparam("p_trunk"),
    calls.c.account_id == bindparam("p_account"),
    calls.c.bridge == bindparam("p_bridge"),
    calls.c.due_at <= bindparam("p_now"),
)
"""A call of one queue that may be dialled now."""
MOST = 200
"""Queues looked at in one claim: with more, the claim begins behind the account that was served last."""

_NO_LIMIT = 1_000_000
_BY_QUEUE = (calls.c.account_id, calls.c.bridge, calls.c.due_at, calls.c.seq)


def _first_of(*beyond: sa.ColumnElement[bool]) -> sa.Select[tuple[int, str, int]]:
    """The first queued call of a trunk in the order of the index, from its queues `beyond` something on."""
    first = (
        sa.select(calls.c.account_id, calls.c.bridge, calls.c.due_at)
        .where(QUEUED, NOT_PAUSED, calls.c.trunk_id == bindparam("p_trunk"), *beyond)
        .order_by(*_BY_QUEUE)
        .limit(sa.literal_column("1"))
        .subquery()
    )
    return sa.select(first.c.account_id, first.c.bridge, first.c.due_at)


# The next bridge of the account, then the next account: one step in the index for each. As one comparison of
# rows of values, SQLite would begin at the queue that it is to leave and read all of it.
_NEXT = sa.union_all(
    _first_of(calls.c.account_id == bindparam("p_account"), calls.c.bridge > bindparam("p_bridge")),
    _first_of(calls.c.account_id > bindparam("p_account")),
).subquery("next")
_FRONT = (
    sa.select(_NEXT.c.account_id, _NEXT.c.bridge, _NEXT.c.due_at)
    .order_by(_NEXT.c.account_id)
    .limit(sa.literal_column("1"))
    .subquery("front")
)

_NEXT_QUEUE = Statement(
    sa.select(
        _FRONT.c.account_id,
        _FRONT.c.bridge,
        _FRONT.c.due_at,
        sa.func.coalesce(accounts.c.paused_at, accounts.c.closed_at, bridges.c.paused_at),
        accounts.c.calls_per_second,
        accounts.c.max_concurrent,
        bridges.c.id,
        bridges.c.calls_per_second,
        bridges.c.max_concurrent,
    ).select_from(
        _FRONT.join(accounts, accounts.c.id == _FRONT.c.account_id).outerjoin(
            bridges, bridges.c.number == _FRONT.c.bridge
        )
    )
)


@dataclass(slots=True)
class Queue:
    """The calls of one account from one bridge that wait for a trunk."""

    account_id: int
    bridge: str
    due_at: int
    """When its first call is due, Unix milliseconds."""
    account_limits: Limits
    bridge_id: int | None
    bridge_limits: Limits
    ledgers: list[Ledger] = field(default_factory=list)

    def left(self) -> int:
        """How many of its calls its account's and its bridge's limits allow now."""
        return min((each.left for each in self.ledgers), default=_NO_LIMIT)


def walk(conn: sa.Connection, trunk: int, *, after: int = 0, most: int | None = None) -> Iterator[Queue]:
    """The queues of a trunk that are not paused, by account and bridge, from the account `after` on.

    Of those that have calls, the first `most` are looked at, by default as many as in a claim.
    """
    account, bridge = after, ""
    for _ in range(MOST if most is None else most):
        row = _NEXT_QUEUE.execute(conn, {"p_trunk": trunk, "p_account": account, "p_bridge": bridge}).first()
        if row is None:
            return
        account, bridge = row[0], row[1]
        if row[3] is None:
            yield Queue(account, bridge, row[2], Limits(row[4], row[5]), row[6], Limits(row[7], row[8]))
