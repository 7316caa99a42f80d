"""The audit log: who changed what, when and from where. Written in the transaction of the change.

It never holds a secret: of a password it says that there is one, and that it was changed.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage.tables import audit

SET = "(set)"
CHANGED = "(changed)"

_SECRET = re.compile(r"(?i)auth(?!_username)|password|passwd|secret|token$|key$|cookie|credential|sha256")
_INSERT = sa.insert(audit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks for a change."""

    name: str
    """`token 3`, or the user of the command line."""
    account_id: int | None = None
    token_id: int | None = None
    address: str | None = None
    """Where the request came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change."""

    id: int
    at: int
    actor: str
    account_id: int | None
    """Of the actor."""
    token_id: int | None
    address: str | None
    action: str
    """`create`, `change`, `remove`, `close`, `revoke`, `publish` or `roll_back`."""
    thing: str
    """`account`, `token`, `trunk`, `bridge`, `flow` …"""
    thing_id: str
    before: dict[str, Any] | None
    """Of a change, only what differs; of something new, None."""
    after: dict[str, Any] | None


def write(
    conn: sa.Connection,
    actor: Actor,
    *,
    at: int,
    action: str,
    thing: str,
    thing_id: object,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Note a change in this transaction; of two rows only the fields that differ, and no secrets."""
    if before is not None and after is not None:
        differing = [name for name in after if after[name] != before.get(name)]
        before = {name: before.get(name) for name in differing}
        after = {name: CHANGED if _is_secret(name, after[name]) else after[name] for name in differing}
    row = {
        "at": at,
        "actor": actor.name,
        "account_id": actor.account_id,
        "token_id": actor.token_id,
        "address": actor.address,
        "action": action,
        "thing": thing,
        "thing_id": str(thing_id),
        "before": _text(before),
        "after": _text(after),
    }
    conn.execute(_INSERT, row)


def find(
    conn: sa.Connection,
    *,
    thing: str | None = None,
    thing_id: str | None = None,
    since: int | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Entry], int]:
    """Return changes, newest first, and how many there are in all."""
    wanted = [
        condition
        for condition, value in (
            (audit.c.thing == bindparam("p_thing"), thing),
            (audit.c.thing_id == bindparam("p_thing_id"), thing_id),
            (audit.c.at >= bindparam("p_since"), since),
        )
        if value is not None
    ]
    values = {"p_thing": thing, "p_thing_id": thing_id, "p_since": since}
    given = {name: value for name, value in values.items() if value is not None}
    total = conn.execute(sa.select(sa.func.count()).select_from(audit).where(*wanted), given).scalar_one()
    rows = sa.select(audit).where(*wanted).order_by(audit.c.id.desc()).limit(limit).offset(offset)
    return [_entry(row) for row in conn.execute(rows, given).mappings()], total


def without_secrets(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row that may be shown: what is secret in it, at any depth, is `(set)`."""
    return {
        str(name): SET
        if _is_secret(name, value)
        else without_secrets(value)
        if isinstance(value, Mapping)
        else value
        for name, value in row.items()
    }


def _is_secret(name: object, value: object) -> bool:
    return value not in (None, "", CHANGED) and _SECRET.search(str(name)) is not None


def _text(row: Mapping[str, Any] | None) -> str | None:
    return None if row is None else json.dumps(without_secrets(row), ensure_ascii=False, default=list)


def _entry(row: sa.RowMapping) -> Entry:
    return Entry(
        **{
            **row,
            "before": None if row["before"] is None else json.loads(row["before"]),
            "after": None if row["after"] is None else json.loads(row["after"]),
        }
    )
