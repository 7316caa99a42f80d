"""After a clock was set back: what is due at once does not wait until the time comes again at which it came.

Such rows prove themselves what happened: they were written at a time that is not yet. So nobody has to have
seen the jump, a restart changes nothing, and any number of dialers may look, because a row that is due now is
found no more. Only what is due from the moment it was written on is touched. What waits for a time of the day
(a schedule, a window) waits for it by the clock as it is now, and so does what is to be tried again.
"""

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage import wake
from outdial.storage.tables import accounts, calls, outbox, webhooks

_TOLERANCE_MS = 60_000
"""By so much the clocks of several machines may differ, and more."""
_BATCH = 1_000

# By account and by endpoint, because the indexes begin with them. Literals, because PostgreSQL's generic
# plans use a partial index only for a literal condition.
_CALLS = (
    sa.select(calls.c.seq)
    .where(
        calls.c.account_id.in_(sa.select(accounts.c.id)),
        calls.c.submitted_at > bindparam("p_after"),
        calls.c.state == sa.literal_column("'queued'"),
        sa.or_(calls.c.due_at == calls.c.submitted_at, calls.c.held_why.is_not(None)),
        calls.c.due_at > bindparam("p_after"),
    )
    .limit(_BATCH)
)
_EVENTS = (
    sa.select(outbox.c.id)
    .where(
        outbox.c.webhook_id.in_(sa.select(webhooks.c.id)),
        outbox.c.due_at > bindparam("p_after"),
        outbox.c.state == sa.literal_column("'pending'"),
        outbox.c.due_at == outbox.c.created_at,
        outbox.c.tries == sa.literal_column("0"),
    )
    .limit(_BATCH)
)
_CALLS_NOW = sa.update(calls).where(calls.c.seq.in_(_CALLS)).values(due_at=bindparam("p_now"))
_EVENTS_NOW = sa.update(outbox).where(outbox.c.id.in_(_EVENTS)).values(due_at=bindparam("p_now"))


def any_waits(conn: sa.Connection, *, now: int) -> bool:
    """Tell whether something that is due at once waits for a time at which it was written."""
    after = {"p_after": now + _TOLERANCE_MS}
    return any(conn.execute(each.limit(1), after).first() is not None for each in (_CALLS, _EVENTS))


def make_due(conn: sa.Connection, *, now: int) -> int:
    """Make up to some thousand such calls and events due now; return how many."""
    values = {"p_after": now + _TOLERANCE_MS, "p_now": now}
    of_calls = conn.execute(_CALLS_NOW, values).rowcount
    of_events = conn.execute(_EVENTS_NOW, values).rowcount
    if of_calls:
        wake.announce(conn, wake.CALLS)
    if of_events:
        wake.announce(conn, wake.OUTBOX)
    return of_calls + of_events
