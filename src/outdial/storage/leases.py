"""Dialers and their leases.

The lease is one row for each dialer process, not one for each call: renewing is one small update however
many calls run, and a dialer that died loses all of them at the same moment. Its `lost_at`, once set, is never
taken back; a dialer that was only slow starts again under a new id. Dialers' clocks have to agree to within
a fraction of the lease (NTP does).
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
        dialers.c.lease_until > bindparam("p_now"),
    )
    .values(renewed_at=bindparam("p_now"), lease_until=bindparam("p_until"))
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
    """Return the ids of all dialers with a lease, sorted: a dialer's rank is its place in it."""
    return list(conn.scalars(_ALIVE, {"p_now": now}))


def active(conn: sa.Connection, dialer_id: str) -> list[Lease]:
    """Return what a dialer holds: the leases of its attempts that have not ended."""
    return [Lease(*row) for row in conn.execute(_ACTIVE, {"p_id": dialer_id})]


def prune(conn: sa.Connection, *, lost_before: int) -> int:
    """Delete lost dialers that no attempt names any more; return how many."""
    return conn.execute(_PRUNE, {"p_before": lost_before}).rowcount
