"""A place for a leg to an agent: within the limits of its trunk, its account and its bridge, like a call's.

Where there is none the leg waits, and says so in a row of its own: then the next place is not given to a
call that is queued, because somebody is on the line already.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import Lease
from outdial.domain.pace_ledger import Limits
from outdial.storage import paces
from outdial.storage.paces import Ledger
from outdial.storage.statement import Statement
from outdial.storage.tables import accounts, bridges, trunks, waiting_legs

_AGAIN_MS = 100
"""How soon to look again: places come back by other dialers, too."""

_LIMITS = Statement(
    sa.select(
        trunks.c.enabled,
        sa.func.coalesce(accounts.c.paused_at, accounts.c.closed_at),
        trunks.c.name,
        trunks.c.calls_per_second,
        trunks.c.max_concurrent,
        accounts.c.calls_per_second,
        accounts.c.max_concurrent,
        bridges.c.id,
        bridges.c.account_id,
        bridges.c.calls_per_second,
        bridges.c.max_concurrent,
    )
    .select_from(
        trunks.join(accounts, sa.true()).outerjoin(bridges, bridges.c.number == bindparam("p_bridge"))
    )
    .where(trunks.c.id == bindparam("p_trunk"), accounts.c.id == bindparam("p_account"))
)
_WAIT = Statement(
    sa.insert(waiting_legs)
    .values(
        call_id=bindparam("p_call"),
        number=bindparam("p_number"),
        kind=bindparam("p_kind"),
        thing=bindparam("p_thing"),
    )
    .returning(waiting_legs.c.id)
)
_WAIT_FOR = Statement(
    sa.update(waiting_legs)
    .where(waiting_legs.c.id == bindparam("p_id"))
    .values(kind=bindparam("p_kind"), thing=bindparam("p_thing"))
)
_LEAVE = Statement(sa.delete(waiting_legs).where(waiting_legs.c.id == bindparam("p_id")))
_LEAVE_ALL = Statement(
    sa.delete(waiting_legs).where(
        waiting_legs.c.call_id == bindparam("p_call"), waiting_legs.c.number == bindparam("p_number")
    )
)


@dataclass(frozen=True, slots=True)
class Full:
    """There is no place now; `free_at` is when to look again, Unix milliseconds."""

    free_at: int
    problem: str
    """What has no place, as a sentence without its full stop."""
    wait: int | None
    """Under which it waits: to be given to the next `take`, or to `leave`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot be made, and why, as a sentence for the flow's author."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Where a leg needs a place."""

    trunk_id: int
    account_id: int
    bridge: str
    shown: bool
    """The agent sees the bridge's number, which has to be the account's own, then."""


@dataclass(frozen=True, slots=True)
class _Limited:
    kind: str
    id: int
    thing: int | str
    """What its legs name it by."""
    name: str
    limits: Limits


def take(
    conn: sa.Connection, lease: Lease, wanted: Wanted, *, wait: int | None, now: int
) -> list[Ledger] | Full | Refused:
    """Take one of each row of the pacing ledger that limits the leg; the caller stores them.

    Where one has none left, the leg waits for it from now on, until it takes one or leaves.
    """
    limited = _limited(conn, wanted)
    if isinstance(limited, Refused):
        return limited
    ledgers: list[Ledger] = []
    for each in limited:
        ledger = paces.lock(conn, each.kind, each.id, each.limits, now=now, name=each.thing, for_agent=True)
        if ledger is None or ledger.left <= 0:
            wait = _wait(conn, lease, each, wait)
            again_at = now + _AGAIN_MS
            free_at = again_at if ledger is None else max(ledger.free_at, again_at)
            return Full(free_at, _why_full(each, ledger), wait)
        ledger.taken = 1
        ledgers.append(ledger)
    if wait is not None:
        leave(conn, wait)
    return ledgers


def leave(conn: sa.Connection, wait: int) -> None:
    """Wait no longer."""
    _LEAVE.execute(conn, {"p_id": wait})


def leave_all(conn: sa.Connection, lease: Lease) -> None:
    """Let no leg of this attempt wait any longer."""
    _LEAVE_ALL.execute(conn, {"p_call": lease.call_id, "p_number": lease.number})


def _limited(conn: sa.Connection, wanted: Wanted) -> list[_Limited] | Refused:
    row = _LIMITS.execute(
        conn, {"p_trunk": wanted.trunk_id, "p_account": wanted.account_id, "p_bridge": wanted.bridge}
    ).one_or_none()
    if row is None or not row[0]:
        return Refused("the trunk has been switched off")
    if row[1] is not None:
        return Refused("the account is paused")
    own_bridge = row[8] == wanted.account_id
    if wanted.shown and not own_bridge:
        return Refused(f"{wanted.bridge} is no bridge of the account and not the callee's number")
    trunk, account = wanted.trunk_id, wanted.account_id
    limited = [
        _Limited(paces.TRUNK, trunk, trunk, f"the trunk {row[2]}", Limits(row[3], row[4])),
        _Limited(paces.ACCOUNT, account, account, "the account", Limits(row[5], row[6])),
    ]
    if own_bridge:
        name = f"the bridge {wanted.bridge}"
        limited.append(_Limited(paces.BRIDGE, row[7], wanted.bridge, name, Limits(row[9], row[10])))
    return [each for each in limited if each.limits != Limits()]


def _wait(conn: sa.Connection, lease: Lease, limited: _Limited, wait: int | None) -> int:
    this = {"p_kind": limited.kind, "p_thing": str(limited.thing)}
    if wait is not None and _WAIT_FOR.execute(conn, this | {"p_id": wait}).rowcount:
        return wait
    mine = {"p_call": lease.call_id, "p_number": lease.number}
    return int(_WAIT.execute(conn, mine | this).scalar_one())


def _why_full(limited: _Limited, ledger: Ledger | None) -> str:
    if ledger is None:
        return f"{limited.name} is being shared out by another dialer"
    most = limited.limits.max_concurrent
    if most is not None and ledger.active >= most:
        calls = "call" if ledger.active == 1 else "calls"
        return f"{limited.name} has {ledger.active} {calls} in progress, as many as it may (max_concurrent)"
    rate = limited.limits.calls_per_second
    return f"{limited.name} may start {rate:g} calls a second, and others were before it (calls_per_second)"
