"""The dial transaction: what is looked at in the last moment before an INVITE may leave.

A call may have waited for hours since it was accepted. What forbids it now counts, and it is looked at in the
transaction that writes `dialing`, so that nothing can change in between.
"""

from enum import StrEnum, unique

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import Call, Lease
from outdial.storage import attempts, callbacks, suppressions
from outdial.storage.statement import Statement
from outdial.storage.tables import accounts, bridges

_PAUSED = Statement(
    sa.select(sa.literal_column("1")).where(
        sa.or_(
            sa.exists().where(accounts.c.id == bindparam("p_account"), accounts.c.paused_at.is_not(None)),
            sa.exists().where(bridges.c.number == bindparam("p_bridge"), bridges.c.paused_at.is_not(None)),
        )
    )
)


@unique
class Dial(StrEnum):
    """What the last look said."""

    NOW = "now"
    """`dialing` is written: the INVITE may leave."""
    LOST = "lost"
    """The lease is another dialer's: nothing was written, and nothing may be sent."""
    SUPPRESSED = "suppressed"
    """The number is on a list of those that are not called: nothing was written."""
    PAUSED = "paused"
    """The account or the bridge is paused: nothing was written, and the call is to be given back."""
    TOO_EARLY = "too_early"
    """The call in which this one was asked for still goes on: nothing was written, and the call is to be
    given back for a while."""


def begin(conn: sa.Connection, lease: Lease, call: Call, *, now: int) -> Dial:
    """Note that a call is being dialled, if it may be."""
    if suppressions.blocking(conn, call.account_id, call.to, bridge=call.bridge, tag=call.name) is not None:
        return Dial.SUPPRESSED
    if _PAUSED.execute(conn, {"p_account": call.account_id, "p_bridge": call.bridge}).first() is not None:
        return Dial.PAUSED
    if call.callback_of is not None and callbacks.too_early(conn, call.callback_of):
        return Dial.TOO_EARLY
    return Dial.NOW if attempts.mark_dialing(conn, lease, now=now) else Dial.LOST
