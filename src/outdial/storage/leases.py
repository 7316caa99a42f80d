"""Dialers and their leases.

The lease is one row for each dialer process, not one for each call: renewing is one small update however
many calls run, and a dialer that died loses all of them at the same moment. Its `lost_at`, once set, is never
taken back; a dialer that was only slow starts again under a new id.

No clock of the day decides about a lease, so none has to agree with another and any may be set. A dialer
counts its renewals in `beats`; others declare it lost when they have seen the same count for as long as a
lease lasts, by their own monotonic clocks, and it gives its calls up when it could not renew for as long by
its own. `lease_until` is for people and figures.
"""

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import Lease
from outdial.storage.tables import attempts, dialers

_INSERT = sa.insert(dialers)

_RENEW = (
    sa.update(dialers)
    .where(
        dialers.c.id == bindparam("p_id"),
        dialers.c.lost_at.is_(None),
    )
    .values(beats=dialers.c.beats + 1, renewed_at=bindparam("p_now"), lease_until=bindparam("p_until"))
)

_GIVE_UP = (
    sa.update(dialers)
    .where(dialers.c.id == bindparam("p_id"), dialers.c.lost_at.is_(None))
    .values(lost_at=bindparam("p_now"), lease_until=bindparam("p_now"))
)

_ALIVE = (
    sa.select(dialers.c.id)
    .where(dialers.c.lost_at.is_(None), dialers.c.lease_until > bindparam("p_now"))
    .order_by(dialers.c.id)
)

_BEATS = sa.select(dialers.c.id, dialers.c.beats).where(dialers.c.lost_at.is_(None))

_ACTIVE = (
    sa.select(attempts.c.call_id, attempts.c.number, attempts.c.fence, attempts.c.dialer_id)
    .where(sa.text("attempts.state <> 'ended'"), attempts.c.dialer_id == bindparam("p_id"))
    .order_by(attempts.c.call_id)
)

_PRUNE = sa.delete(dialers).where(
    dialers.c.lost_at < bindparam("p_before"),
    ~sa.exists().where(attempts.c.dialer_id == dialers.c.id),
)


def register(conn: sa.Connection, dialer_id: str, *, host: str, pid: int, now: int, lease_until: int) -> None:
    """Add a dialer with its first lease; `dialer_id` is new with each start."""
    conn.execute(
        _INSERT,
        {
            "id": dialer_id,
            "host": host,
            "pid": pid,
            "started_at": now,
            "renewed_at": now,
            "lease_until": lease_until,
            "beats": 0,
            "lost_at": None,
        },
    )


def renew(conn: sa.Connection, dialer_id: str, *, now: int, lease_until: int) -> bool:
    """Extend the lease of all calls of a dialer; False if it was lost, and then for ever."""
    return conn.execute(_RENEW, {"p_id": dialer_id, "p_now": now, "p_until": lease_until}).rowcount == 1


def give_up(conn: sa.Connection, dialer_id: str, *, now: int) -> None:
    """End a dialer's lease at once, at a graceful stop; the rescuer looks after what it left."""
    conn.execute(_GIVE_UP, {"p_id": dialer_id, "p_now": now})


def alive(conn: sa.Connection, *, now: int) -> list[str]:
    """Return the ids of all dialers that seem to be alive by the clock of the day, sorted."""
    return list(conn.scalars(_ALIVE, {"p_now": now}))


def beats(conn: sa.Connection) -> dict[str, int]:
    """Return how often each dialer renewed its lease, of those that are not declared lost."""
    return {row.id: row.beats for row in conn.execute(_BEATS)}


def active(conn: sa.Connection, dialer_id: str) -> list[Lease]:
    """Return what a dialer holds: the leases of its attempts that have not ended."""
    return [Lease(*row) for row in conn.execute(_ACTIVE, {"p_id": dialer_id})]


def prune(conn: sa.Connection, *, lost_before: int) -> int:
    """Delete lost dialers that no attempt names any more; return how many."""
    return conn.execute(_PRUNE, {"p_before": lost_before}).rowcount
