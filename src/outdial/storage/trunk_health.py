"""How trunks are, as their dialers found them: whether they take calls, and why not; how many run."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage import paces
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


def of_trunks(conn: sa.Connection, trunks: Sequence[Trunk], *, now: int) -> dict[int, TrunkHealth]:
    """Return how these trunks are, by id."""
    holds = {row.thing_id: row for row in conn.execute(_HOLDS, {"p_kind": paces.TRUNK})}
    found = {}
    for trunk in trunks:
        calls = paces.active(conn, paces.TRUNK, trunk.id)
        hold = holds.get(trunk.id)
        state = TrunkState.UP if hold is None else _state(hold.held_until, now)
        found[trunk.id] = TrunkHealth(
            state=state if trunk.enabled else TrunkState.OFF,
            calls=calls,
            since=None if hold is None else hold.held_since,
            held_until=hold.held_until if hold is not None and state is TrunkState.HELD else None,
            reason=None if hold is None else hold.held_why,
        )
    return found


def _state(held_until: int, now: int) -> TrunkState:
    return TrunkState.HELD if held_until > now else TrunkState.FAILING
