"""Bridges: our numbers. Each belongs to an account and goes out over one trunk, or the first of several."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage import paces, wake
from outdial.storage.tables import bridges

_INSERT = sa.insert(bridges).returning(bridges.c.id)
_BY_ID = sa.select(bridges).where(bridges.c.id == bindparam("p_id"))
_UPDATE = sa.update(bridges).where(bridges.c.id == bindparam("p_id"))
_BY_NUMBER = sa.select(bridges).where(bridges.c.number == bindparam("p_number"))
_ALL = sa.select(bridges).order_by(bridges.c.number)
_UPDATE_NUMBER = sa.update(bridges).where(bridges.c.number == bindparam("p_number"))
_LIMIT = _UPDATE_NUMBER.values(
    calls_per_second=bindparam("p_calls_per_second"), max_concurrent=bindparam("p_most")
).returning(bridges.c.id)
_PAUSE = _UPDATE_NUMBER.values(paused_at=sa.func.coalesce(bridges.c.paused_at, bindparam("p_now")))
_RESUME = _UPDATE_NUMBER.values(paused_at=None)
_DELETE = sa.delete(bridges).where(bridges.c.number == bindparam("p_number"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """One number of ours: the caller id."""

    id: int
    number: str
    """Digits with country code."""
    account_id: int
    trunk_id: int
    display_name: str
    created_at: int
    further_trunk_ids: tuple[int, ...] = ()
    """The trunks by which its calls go when the first takes none, in order."""
    calls_per_second: float | None = None
    """Of all its trunks and dialers together; None is unlimited."""
    max_concurrent: int | None = None
    paused_at: int | None = None
    """Since when its calls stay in the queue; None while they do not."""

    @property
    def ways(self) -> tuple[int, ...]:
        """All its trunks, the one that is preferred first."""
        return (self.trunk_id, *self.further_trunk_ids)


def insert(
    conn: sa.Connection, *, number: str, account_id: int, trunk_id: int, now: int, display_name: str = ""
) -> Bridge:
    """Add a bridge and tell the dialers; a number that exists raises IntegrityError."""
    values = {
        "number": number,
        "account_id": account_id,
        "trunk_id": trunk_id,
        "display_name": display_name,
        "created_at": now,
    }
    bridge_id = conn.execute(_INSERT, values).scalar_one()
    wake.announce(conn, wake.TRUNKS)
    return Bridge(
        id=bridge_id,
        number=number,
        account_id=account_id,
        trunk_id=trunk_id,
        display_name=display_name,
        created_at=now,
    )


def get_by_number(conn: sa.Connection, number: str) -> Bridge | None:
    """Return the bridge with that number."""
    row = conn.execute(_BY_NUMBER, {"p_number": number}).mappings().one_or_none()
    return None if row is None else _bridge(row)


def get(conn: sa.Connection, bridge_id: int) -> Bridge | None:
    """Return the bridge with that id."""
    row = conn.execute(_BY_ID, {"p_id": bridge_id}).mappings().one_or_none()
    return None if row is None else _bridge(row)


def update(conn: sa.Connection, bridge_id: int, values: Mapping[str, Any]) -> bool:
    """Change account, trunks or display name and tell the dialers; False if there is none."""
    if not values:
        return get(conn, bridge_id) is not None
    if "further_trunk_ids" in values:
        values = {**values, "further_trunk_ids": json.dumps(list(values["further_trunk_ids"]))}
    found = conn.execute(_UPDATE.values(**values), {"p_id": bridge_id}).rowcount == 1
    wake.announce(conn, wake.TRUNKS)
    return found


def find_all(conn: sa.Connection) -> list[Bridge]:
    """Return all bridges, by number."""
    return [_bridge(row) for row in conn.execute(_ALL).mappings()]


def of_account(conn: sa.Connection, account_id: int, *, limit: int, offset: int = 0) -> list[Bridge]:
    """Return an account's bridges, by number."""
    own = _ALL.where(bridges.c.account_id == account_id).limit(limit).offset(offset)
    return [_bridge(row) for row in conn.execute(own).mappings()]


def count(conn: sa.Connection, account_id: int) -> int:
    """How many bridges an account has."""
    own = sa.select(sa.func.count()).select_from(bridges).where(bridges.c.account_id == account_id)
    return int(conn.execute(own).scalar_one())


def limit(
    conn: sa.Connection, number: str, *, calls_per_second: float | None, max_concurrent: int | None
) -> bool:
    """Limit the calls of a bridge, over all dialers together; False if there is none."""
    values = {"p_number": number, "p_calls_per_second": calls_per_second, "p_most": max_concurrent}
    bridge_id = conn.execute(_LIMIT, values).scalar_one_or_none()
    if bridge_id is not None:
        paces.add(conn, paces.BRIDGE, bridge_id)
    wake.announce(conn, wake.CALLS)
    return bridge_id is not None


def pause(conn: sa.Connection, number: str, *, now: int) -> bool:
    """Keep the calls of a bridge in the queue; those in progress go on. False if there is none."""
    return conn.execute(_PAUSE, {"p_number": number, "p_now": now}).rowcount == 1


def resume(conn: sa.Connection, number: str) -> bool:
    """Let the calls of a bridge go on; False if there is none."""
    found = conn.execute(_RESUME, {"p_number": number}).rowcount == 1
    wake.announce(conn, wake.CALLS)
    return found


def delete(conn: sa.Connection, number: str) -> bool:
    """Remove a bridge; calls accepted for it keep it. False if there is none."""
    found = conn.execute(_DELETE, {"p_number": number}).rowcount == 1
    wake.announce(conn, wake.TRUNKS)
    return found


def _bridge(row: sa.RowMapping) -> Bridge:
    return Bridge(**{**row, "further_trunk_ids": tuple(json.loads(row["further_trunk_ids"]))})
