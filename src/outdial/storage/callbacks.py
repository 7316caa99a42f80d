"""Calls that a callee asked for in another call.

A callback is a call of its own, so that nobody who answered is called again for the same call. Its id is made
of the first one's: asking twice is one callback, at the time that was said last. It is written while the
first call goes on, so a crash of its dialer does not forget what the callee was promised; it is not dialled
before the first one is over.
"""

from uuid import NAMESPACE_OID, uuid5

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import Lease
from outdial.storage import credit, wake
from outdial.storage.credit import NotCovered
from outdial.storage.fencing import MINE, mine
from outdial.storage.statement import Statement
from outdial.storage.tables import attempts, calls

MOST_IN_A_ROW = 5
"""Callbacks of callbacks: an answering machine that "asks" each time must not be called for ever."""

_FIRST = Statement(
    sa.select(calls).where(
        calls.c.id == bindparam("p_call"),
        sa.exists().where(*MINE, attempts.c.state == sa.literal_column("'answered'")),
    )
)

_MOVE = Statement(
    sa.update(calls)
    .where(calls.c.id == bindparam("p_id"), calls.c.state == sa.literal_column("'queued'"))
    .values(due_at=bindparam("p_at"))
)

_EXISTS = Statement(sa.select(calls.c.due_at).where(calls.c.id == bindparam("p_id")))

_GOES_ON = Statement(
    sa.select(sa.literal_column("1")).where(
        calls.c.id == bindparam("p_call"), calls.c.state != sa.literal_column("'done'")
    )
)

_NEW = {
    "fence": 0,
    "dialer_id": None,
    "state": "queued",
    "attempts_started": 0,
    "attempts_spent": 0,
    "trunk_faults": 0,
    "flow_events": 0,
    "cancel_requested_at": None,
    "disposition": None,
    "reason": None,
    "done_at": None,
    "paused_by": None,
    "expires_at": None,
}
"""What a callback does not have of the first call; all the rest it has: bridge, flow and version, rate,
webhook, variables, retries, calling window."""


def id_of(call_id: str) -> str:
    """The id of the callback of a call."""
    return f"{uuid5(NAMESPACE_OID, call_id)}:1"


def request(conn: sa.Connection, lease: Lease, *, at: int, now: int) -> str | None:
    """Have the callee of an answered attempt called anew at `at`; what it may cost is reserved.

    None when that is on disk, otherwise why it cannot be, as a sentence for the flow's author.
    """
    found = _FIRST.execute(conn, mine(lease)).mappings()
    if not found:
        return "the call has been given up by this dialer"
    first = found[0]
    new_id = id_of(lease.call_id)
    if _MOVE.execute(conn, {"p_id": new_id, "p_at": at}).rowcount == 1:
        wake.announce(conn, wake.CALLS)
        return None
    if _EXISTS.execute(conn, {"p_id": new_id}).first() is not None:
        return "the callback that was asked for before is being made, or was cancelled"
    if first["callback_number"] >= MOST_IN_A_ROW:
        return f"the call is the callback number {MOST_IN_A_ROW} in a row already"
    if first["reserved"]:
        try:
            credit.reserve(
                conn, first["account_id"], first["reserved"], call_id=new_id, now=now, note="callback"
            )
        except NotCovered:
            return "the balance does not cover another call"
    row = {name: value for name, value in first.items() if name != "seq"}
    own = {
        "id": new_id,
        "submitted_at": now,
        "due_at": at,
        "callback_of": lease.call_id,
        "callback_number": first["callback_number"] + 1,
    }
    conn.execute(sa.insert(calls), [row | _NEW | own])
    wake.announce(conn, wake.CALLS)
    return None


def too_early(conn: sa.Connection, first_id: str) -> bool:
    """Whether the call in which a callback was asked for still goes on."""
    return _GOES_ON.execute(conn, {"p_call": first_id}).first() is not None
