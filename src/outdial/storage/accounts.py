"""Accounts: who owns bridges, sounds, tokens and calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage import paces, wake
from outdial.storage.tables import accounts

_INSERT = sa.insert(accounts).returning(accounts.c.id)
_UPDATE = sa.update(accounts).where(accounts.c.id == bindparam("p_id"))
_BY_ID = sa.select(accounts).where(accounts.c.id == bindparam("p_id"))
_LIMIT = _UPDATE.values(calls_per_second=bindparam("p_calls_per_second"), max_concurrent=bindparam("p_most"))
_PAUSE = _UPDATE.values(paused_at=sa.func.coalesce(accounts.c.paused_at, bindparam("p_now")))
_RESUME = _UPDATE.values(paused_at=None)
_ALL = sa.select(accounts).order_by(accounts.c.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One customer of this server."""

    id: int
    name: str
    time_zone: str
    """IANA name; the API writes times in it."""
    created_at: int
    closed_at: int | None = None
    """From then on its tokens are not valid and nothing is dialled for it."""
    currency: str = "USD"
    prepaid: bool = False
    balance: int = 0
    """Units (domain.money)."""
    reserved: int = 0
    calls_per_second: float | None = None
    """Of all its trunks and dialers together; None is unlimited."""
    max_concurrent: int | None = None
    paused_at: int | None = None
    """Since when its calls stay in the queue; None while they do not."""
    calling_window: str | None = None
    """When its callees may be called, as `domain.calling_window` reads it; None at any time."""


def insert(conn: sa.Connection, *, name: str, now: int, time_zone: str = "UTC") -> Account:
    """Add an account."""
    values = {"name": name, "time_zone": time_zone, "created_at": now}
    return Account(
        id=conn.execute(_INSERT, values).scalar_one(), name=name, time_zone=time_zone, created_at=now
    )


def update(conn: sa.Connection, account_id: int, values: Mapping[str, Any]) -> bool:
    """Change some columns of an account; False if there is none."""
    if not values:
        return get(conn, account_id) is not None
    return conn.execute(_UPDATE.values(**values), {"p_id": account_id}).rowcount == 1


def get(conn: sa.Connection, account_id: int) -> Account | None:
    """Return one account."""
    row = conn.execute(_BY_ID, {"p_id": account_id}).mappings().one_or_none()
    return None if row is None else Account(**row)


def find_all(conn: sa.Connection) -> list[Account]:
    """Return all accounts, oldest first."""
    return [Account(**row) for row in conn.execute(_ALL).mappings()]


def limit(
    conn: sa.Connection, account_id: int, *, calls_per_second: float | None, max_concurrent: int | None
) -> bool:
    """Limit the calls of an account, over all dialers together; False if there is none."""
    values = {"p_id": account_id, "p_calls_per_second": calls_per_second, "p_most": max_concurrent}
    found = conn.execute(_LIMIT, values).rowcount == 1
    paces.add(conn, paces.ACCOUNT, account_id)
    wake.announce(conn, wake.CALLS)
    return found


def pause(conn: sa.Connection, account_id: int, *, now: int) -> bool:
    """Keep the calls of an account in the queue; those in progress go on. False if there is none."""
    return conn.execute(_PAUSE, {"p_id": account_id, "p_now": now}).rowcount == 1


def resume(conn: sa.Connection, account_id: int) -> bool:
    """Let the calls of an account go on; False if there is none."""
    found = conn.execute(_RESUME, {"p_id": account_id}).rowcount == 1
    wake.announce(conn, wake.CALLS)
    return found
