"""Accounts: who owns bridges, sounds, tokens and calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage.tables import accounts

_INSERT = sa.insert(accounts).returning(accounts.c.id)
_UPDATE = sa.update(accounts).where(accounts.c.id == bindparam("p_id"))
_BY_ID = sa.select(accounts).where(accounts.c.id == bindparam("p_id"))
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
