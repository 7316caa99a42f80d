"""Figures about what waits, for the metrics: bounded reads of partial indexes, whatever the tables hold."""

from collections import Counter
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage import due_queues, leases, outbox_claims
from outdial.storage.due_queues import DUE_IN_QUEUE, Queue
from outdial.storage.outbox import PENDING
from outdial.storage.tables import accounts, attempts, calls, outbox, trunks, webhooks

MOST_COUNTED = 100_000
"""Counting goes no further: a few milliseconds of an index."""
MOST_QUEUES = 2_000
"""Of each trunk: a step or two of an index for each."""

# Literals, because PostgreSQL's generic plans use a partial index only for a literal condition.
_ACTIVE = sa.text("attempts.state <> 'ended'")

_TRUNKS = sa.select(trunks.c.id, trunks.c.name).order_by(trunks.c.id)

_COUNT_DUE = sa.select(sa.func.count()).select_from(
    sa.select(calls.c.due_at)
    .where(
        DUE_IN_QUEUE,
    )
    .limit(bindparam("p_limit", type_=sa.Integer))
    .subquery()
)

_NAMES = sa.select(accounts.c.id, accounts.c.name).where(
    accounts.c.id.in_(bindparam("p_ids", expanding=True))
)

_BY_STATE = sa.select(attempts.c.state, sa.func.count()).where(_ACTIVE).group_by(attempts.c.state)

_COUNT_PENDING = sa.select(sa.func.count()).select_from(
    sa.select(outbox.c.id).where(PENDING).limit(MOST_COUNTED).subquery()
)

_COUNT_OFF = (
    sa.select(sa.func.count())
    .select_from(webhooks)
    .where(webhooks.c.off_at.is_not(None), webhooks.c.deleted_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many calls are due, and since when the oldest of them; what is paused is not."""

    calls: int
    oldest_due_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """The figures of one moment."""

    dialers: int
    by_trunk: dict[str, Waiting] = field(default_factory=dict)
    """All trunks by name, also those for which nothing waits."""
    by_account: dict[str, Waiting] = field(default_factory=dict)
    """Accounts by name, with an id where a name is not the only one; the most calls first."""
    active_attempts: dict[str, int] = field(default_factory=dict)
    """By state."""
    pending_events: int = 0
    oldest_event_due_at: int | None = None
    """Of events that should have been sent by now."""
    webhooks_off: int = 0


def look(conn: sa.Connection, *, now: int) -> Gauges:
    """Read all figures."""
    by_trunk: dict[str, Waiting] = {}
    account_calls: Counter[int] = Counter()
    account_oldest: dict[int, int] = {}
    for trunk_id, name in conn.execute(_TRUNKS).all():
        waiting: Counter[int] = Counter()
        oldest: list[int] = []
        for queue in due_queues.walk(conn, trunk_id, most=MOST_QUEUES):
            if queue.due_at <= now:
                waiting[queue.account_id] += _count(
                    conn, trunk_id, queue, MOST_COUNTED - waiting.total(), now
                )
                oldest.append(queue.due_at)
                account_oldest[queue.account_id] = min(
                    queue.due_at, account_oldest.get(queue.account_id, queue.due_at)
                )
        by_trunk[name] = Waiting(waiting.total(), min(oldest, default=None))
        account_calls += waiting
    due = [head.due_at for head in outbox_claims.heads(conn) if head.due_at <= now]
    names = _account_names(conn, list(account_calls))
    return Gauges(
        dialers=len(leases.alive(conn, now=now)),
        by_trunk=by_trunk,
        by_account={
            names[account_id]: Waiting(count, account_oldest[account_id])
            for account_id, count in account_calls.most_common()
            if account_id in names
        },
        active_attempts={row[0]: row[1] for row in conn.execute(_BY_STATE)},
        pending_events=conn.execute(_COUNT_PENDING).scalar_one(),
        oldest_event_due_at=min(due, default=None),
        webhooks_off=conn.execute(_COUNT_OFF).scalar_one(),
    )


def _count(conn: sa.Connection, trunk_id: int, queue: Queue, most: int, now: int) -> int:
    """Return how many calls of a queue are due, up to `most`."""
    parameters = {
        "p_trunk": trunk_id,
        "p_account": queue.account_id,
        "p_bridge": queue.bridge,
        "p_now": now,
        "p_limit": most,
    }
    return int(conn.execute(_COUNT_DUE, parameters).scalar_one())


def _account_names(conn: sa.Connection, ids: list[int]) -> dict[int, str]:
    rows = conn.execute(_NAMES, {"p_ids": ids}).all()
    often = Counter(name for _, name in rows)
    return {id_: name if often[name] == 1 else f"{name} ({id_})" for id_, name in rows}
