"""How trunks are, as their dialers found them: whether they take calls, and why not; how many run."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage import paces, registrations
from outdial.storage.registrations import StoredRegistration
from outdial.storage.tables import paces as paces_table
from outdial.storage.trunks import Trunk

_HOLDS = sa.select(
    paces_table.c.thing_id, paces_table.c.held_until, paces_table.c.held_why, paces_table.c.held_since
).where(paces_table.c.kind == bindparam("p_kind"), paces_table.c.held_until.is_not(None))


class TrunkState(StrEnum):
    """Whether a trunk is given calls."""

    UP = "up"
    """It takes calls, or none was tried."""
    HELD = "held"
    """It failed, and is given no calls until `held_until`."""
    FAILING = "failing"
    """It is tried again, and no call got through yet."""
    UNREGISTERED = "unregistered"
    """It wants to be registered, and no dialer is; it is given no calls until one is."""
    OFF = "off"
    """It was switched off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkHealth:
    """One trunk. All but `state` and `calls` is None while it is fine."""

    state: TrunkState
    calls: int
    """In progress, with those to agents."""
    since: int | None = None
    """When it was first held; no call got through since."""
    held_until: int | None = None
    reason: str | None = None
    """What its last failure was, as a part of a sentence, with the SIP code if it answered."""
    registrations: tuple[StoredRegistration, ...] = ()
    """Of each dialer, where the trunk wants to be registered."""


def of_trunks(conn: sa.Connection, trunks: Sequence[Trunk], *, now: int) -> dict[int, TrunkHealth]:
    """Return how these trunks are, by id."""
    known = registrations.of_trunks(conn, now=now)
    holds = {row.thing_id: row for row in conn.execute(_HOLDS, {"p_kind": paces.TRUNK})}
    found = {}
    for trunk in trunks:
        calls = paces.active(conn, paces.TRUNK, trunk.id)
        hold = holds.get(trunk.id)
        registered = known.get(trunk.id, []) if trunk.register_expires_s else []
        state = TrunkState.UP if hold is None else _state(hold.held_until, now)
        if registered and not any(each.registered_until for each in registered):
            state = TrunkState.UNREGISTERED
        found[trunk.id] = TrunkHealth(
            state=state if trunk.enabled else TrunkState.OFF,
            calls=calls,
            since=None if hold is None else hold.held_since,
            held_until=hold.held_until if hold is not None and hold.held_until > now else None,
            reason=None if hold is None else hold.held_why,
            registrations=tuple(registered),
        )
    return found


def _state(held_until: int, now: int) -> TrunkState:
    return TrunkState.HELD if held_until > now else TrunkState.FAILING
