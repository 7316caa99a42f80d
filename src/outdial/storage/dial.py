"""The dial transaction: what is looked at in the last moment before an INVITE may leave.

A call may have waited for hours since it was accepted. What forbids it now counts, and it is looked at in the
transaction that writes `dialing`, so that nothing can change in between.
"""

from enum import StrEnum, unique
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import Call, Lease
from outdial.domain.calling_window import CallingWindow
from outdial.errors import InvalidInput
from outdial.storage import attempts, callbacks, endings, giving_back, pauses, suppressions
from outdial.storage.pauses import Pause
from outdial.storage.statement import Statement
from outdial.storage.tables import accounts, bridges, calls

_UNREADABLE_WAITS_MS = 60 * 60 * 1000

_RULES = Statement(
    sa.select(
        accounts.c.paused_at,
        accounts.c.calling_window,
        accounts.c.time_zone,
        sa.select(bridges.c.paused_at).where(bridges.c.number == bindparam("p_bridge")).scalar_subquery(),
        sa.select(calls.c.cancel_requested_at).where(calls.c.id == bindparam("p_call")).scalar_subquery(),
    ).where(accounts.c.id == bindparam("p_account"))
)
"""What account and bridge say about their calls, and whether this one was cancelled."""


@unique
class Dial(StrEnum):
    """What the last look said."""

    NOW = "now"
    """`dialing` is written: the INVITE may leave."""
    LOST = "lost"
    """The lease is another dialer's: nothing was written, and nothing may be sent."""
    SUPPRESSED = "suppressed"
    """The number is on a list of those that are not called: nothing was written."""
    WAITS = "waits"
    """It is paused or cancelled, its calling window is closed, or its time is over: it was given back, to be
    dialled when it may be, or ended. No attempt is spent."""
    TOO_EARLY = "too_early"
    """The call in which this one was asked for still goes on: nothing was written, and the call is to be
    given back for a while."""


def begin(conn: sa.Connection, lease: Lease, call: Call, *, now: int) -> Dial:
    """Note that a call is being dialled, if it may be."""
    if suppressions.blocking(conn, call.account_id, call.to, bridge=call.bridge, tag=call.name) is not None:
        return Dial.SUPPRESSED
    if call.expires_at is not None and call.expires_at <= now:
        return _give_back(conn, lease, call, now=now)
    account_paused, account_window, time_zone, bridge_paused, cancelled = _RULES.execute(
        conn, {"p_account": call.account_id, "p_bridge": call.bridge, "p_call": call.id}
    ).one()
    if any(since is not None for since in (account_paused, bridge_paused, cancelled)):
        return _give_back(conn, lease, call, now=now)
    pause = pauses.holding_locked(conn, call.account_id, campaign=call.name, call_id=call.id)
    if pause is not None:
        return _give_back(conn, lease, call, now=now, pause=pause)
    window = call.calling_window or account_window
    if window is not None:
        at = opening(window, now, to=call.to, time_zone=time_zone)
        if at > now:
            return _give_back(conn, lease, call, now=now, due_at=at)
    if call.callback_of is not None and callbacks.too_early(conn, call.callback_of):
        return Dial.TOO_EARLY
    return Dial.NOW if attempts.mark_dialing(conn, lease, now=now) else Dial.LOST


def opening(window: str, now: int, *, to: str, time_zone: str) -> int:
    """When a number may be called under a window that is stored, `now` if at once."""
    found = read_window(window)
    if found is None:
        return now + _UNREADABLE_WAITS_MS
    return found.opening(now, to=to, account_zone=ZoneInfo(time_zone))


def read_window(text: str) -> CallingWindow | None:
    """Read a window that is stored; None if a zone that it names is gone from this machine's tables.

    Who dials waits then: better late than at night.
    """
    try:
        return CallingWindow.parse(text)
    except InvalidInput:
        return None


def _give_back(
    conn: sa.Connection,
    lease: Lease,
    call: Call,
    *,
    now: int,
    due_at: int | None = None,
    pause: Pause | None = None,
) -> Dial:
    if not giving_back.release(conn, lease, now=now, due_at=due_at):
        return Dial.LOST
    if pause is not None:
        pauses.mark(conn, call.id, pause)
    if call.expires_at is not None:
        endings.expire_call(conn, call.id, now=now)
    return Dial.WAITS
