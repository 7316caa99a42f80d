"""The pacing ledger: what several dialers may start between them, by trunk, bridge and account.

A dialer locks a trunk's row for the transaction in which it claims, so the claims of one trunk are one
after the other and each sees all that were started before. Who finds the row locked claims nothing now:
nobody waits for a dialer that froze in the middle of a transaction. The rows of accounts and bridges are
locked only where they have limits. Calls at a time are not kept but counted, from the calls that are
leased, and the legs to agents that have not ended: a dialer that died gives its places back when it is
rescued. A leg to an agent that waits goes before the calls that are queued, because somebody is on the
line already: a claim leaves a place, and a start of the rate, for each callee who waits for one.
"""

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.pace_ledger import Limits, Pace
from outdial.storage.statement import Statement
from outdial.storage.tables import agent_legs, calls, paces, waiting_legs

TRUNK, ACCOUNT, BRIDGE = "trunk", "account", "bridge"

_THIS = (paces.c.kind == bindparam("p_kind"), paces.c.thing_id == bindparam("p_thing"))

_LOCK = Statement(
    sa.select(paces.c.next_at, paces.c.starts, paces.c.served).where(*_THIS).with_for_update(skip_locked=True)
)
_EXISTS = Statement(sa.select(paces.c.kind).where(*_THIS))
_STORE = Statement(
    sa.update(paces)
    .where(*_THIS)
    .values(next_at=bindparam("p_next_at"), starts=bindparam("p_starts"), served=bindparam("p_served"))
)
_ADD = sa.text(
    "INSERT INTO paces (kind, thing_id, next_at, starts, served) VALUES (:p_kind, :p_thing, 0, '[]', 0)"
    " ON CONFLICT DO NOTHING"
)

_STARTS = sa.select(paces.c.starts).where(*_THIS)
_SERVED = sa.select(paces.c.served).where(*_THIS)

_LEASED = calls.c.state == sa.literal_column("'leased'")
_OPEN_LEG = agent_legs.c.state != sa.literal_column("'ended'")


def _active(call: sa.ColumnElement[Any], leg: sa.ColumnElement[Any]) -> Statement:
    """Calls that are leased, and legs to agents that have not ended."""
    thing = bindparam("p_thing", type_=call.type)
    of_calls = sa.select(sa.func.count()).where(_LEASED, call == thing).select_from(calls)
    of_legs = sa.select(sa.func.count()).where(_OPEN_LEG, leg == thing).select_from(agent_legs)
    return Statement(sa.select(of_calls.scalar_subquery() + of_legs.scalar_subquery()))


_ACTIVE = {
    TRUNK: _active(calls.c.trunk_id, agent_legs.c.trunk_id),
    ACCOUNT: _active(calls.c.account_id, agent_legs.c.account_id),
    BRIDGE: _active(calls.c.bridge, agent_legs.c.bridge),
}

_WAITING = Statement(
    sa.select(sa.func.count(waiting_legs.c.call_id.distinct())).where(
        waiting_legs.c.kind == bindparam("p_kind"), waiting_legs.c.thing == bindparam("p_thing")
    )
)

_HOLD = Statement(
    sa.update(paces)
    .where(*_THIS)
    .values(
        held_until=bindparam("p_until"),
        held_why=bindparam("p_why"),
        held_since=sa.func.coalesce(paces.c.held_since, bindparam("p_now", type_=sa.BigInteger)),
    )
)
_LET_GO = Statement(sa.update(paces).where(*_THIS).values(held_until=None, held_why=None, held_since=None))
_HELD = sa.select(paces.c.held_until, paces.c.held_why).where(*_THIS, paces.c.held_until > bindparam("p_now"))


@dataclass(frozen=True, slots=True)
class Hold:
    """A trunk is given no calls for a while, by one of the dialers at least."""

    until: int
    """Unix milliseconds."""
    why: str
    """A part of a sentence."""


@dataclass(slots=True)
class Ledger:
    """One locked row, and what it allows now."""

    kind: str
    thing_id: int
    limits: Limits
    pace: Pace
    now: int
    free: int
    active: int = 0
    """How many are in progress, where that is limited."""
    served: int = 0
    """Of a trunk: the account that was served last."""
    taken: int = 0

    @property
    def left(self) -> int:
        """How many more calls may start in this transaction."""
        return self.free - self.taken

    @property
    def free_at(self) -> int:
        """When the rate allows another one, Unix milliseconds."""
        return self.pace.started(self.limits, self.now, self.taken).free_at(self.limits, self.now)

    def store(self, conn: sa.Connection) -> None:
        """Write what was taken."""
        if self.taken == 0:
            return
        pace = self.pace.started(self.limits, self.now, self.taken)
        _STORE.execute(
            conn,
            {
                "p_kind": self.kind,
                "p_thing": self.thing_id,
                "p_next_at": pace.next_at,
                "p_starts": json.dumps(pace.starts),
                "p_served": self.served,
            },
        )


def add(conn: sa.Connection, kind: str, thing_id: int) -> None:
    """Add the row of a thing that has limits; one that is added in a claim makes other dialers wait."""
    conn.execute(_ADD, {"p_kind": kind, "p_thing": thing_id})


def note_hold(conn: sa.Connection, trunk_id: int, hold: Hold | None, *, now: int) -> None:
    """Note that a trunk is given no calls for a while, or, with None, that it takes calls again."""
    add(conn, TRUNK, trunk_id)
    this = {"p_kind": TRUNK, "p_thing": trunk_id}
    if hold is None:
        _LET_GO.execute(conn, this)
    else:
        _HOLD.execute(conn, {**this, "p_until": hold.until, "p_why": hold.why, "p_now": now})


def held(conn: sa.Connection, trunk_id: int, *, now: int) -> Hold | None:
    """Return for how long a trunk is given no calls; None while it is."""
    row = conn.execute(_HELD, {"p_kind": TRUNK, "p_thing": trunk_id, "p_now": now}).one_or_none()
    return None if row is None else Hold(row.held_until, row.held_why)


def active(conn: sa.Connection, kind: str, name: int | str) -> int:
    """Return how many legs a trunk or account (by id) or a bridge (by number) has: calls, and to agents."""
    return int(_ACTIVE[kind].execute(conn, {"p_thing": name}).scalar_one())


def last_start(conn: sa.Connection, kind: str, thing_id: int) -> int | None:
    """Return when the last call of a thing was started that its rate counts, Unix milliseconds."""
    starts = json.loads(conn.scalar(_STARTS, {"p_kind": kind, "p_thing": thing_id}) or "[]")
    return max((at for at, _ in starts), default=None)


def served(conn: sa.Connection, trunk_id: int) -> int:
    """Return the account that a trunk served last."""
    return conn.scalar(_SERVED, {"p_kind": TRUNK, "p_thing": trunk_id}) or 0


def lock(
    conn: sa.Connection,
    kind: str,
    thing_id: int,
    limits: Limits,
    *,
    now: int,
    name: str | int | None = None,
    for_agent: bool = False,
) -> Ledger | None:
    """Lock the row of a trunk, account or bridge; None while another dialer claims with it.

    `name` is what its calls name it by, if that is not its id: a bridge's number. Calls leave a place to
    each leg that waits; `for_agent`, because it is such a leg, does not.
    """
    this = {"p_kind": kind, "p_thing": thing_id}
    row = _LOCK.execute(conn, this).one_or_none()
    if row is None:
        if _EXISTS.execute(conn, this).first() is not None:
            return None
        add(conn, kind, thing_id)
        row = _LOCK.execute(conn, this).one_or_none()
        if row is None:
            return None
    name = thing_id if name is None else name
    running = 0 if limits.max_concurrent is None else active(conn, kind, name)
    pace = Pace(row[0], tuple((at, count) for at, count in json.loads(row[1])))
    free = pace.free(limits, now, active=running)
    if free is None:
        free = _ANY
    elif not for_agent:
        callees = _WAITING.execute(conn, {"p_kind": kind, "p_thing": str(name)}).scalar_one()
        free = max(0, free - callees)
    return Ledger(kind, thing_id, limits, pace, now, free, active=running, served=row[2])


_ANY = 1_000_000
"""More than any dialer takes at once."""
