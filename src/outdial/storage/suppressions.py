"""Suppressions: numbers that an account, or the whole server, does not call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite

from outdial.domain.suppression import VOICE, SuppressionType
from outdial.storage.statement import Statement
from outdial.storage.tables import suppressions

Query = TypeVar("Query", sa.Select[Any], sa.Delete)

SERVER = 0
"""The owner of the list that holds for every account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One number that is not called."""

    id: int
    owner: int
    """An account's id, or SERVER."""
    receiver: str
    """Digits with country code."""
    iso: str | None
    """The receiver's country."""
    type: SuppressionType
    value: str
    source: str
    """How it came: `api`, `import`, `cli`, `flow`."""
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSuppression:
    """What `add` needs to know of one number."""

    receiver: str
    iso: str | None = None
    type: SuppressionType = SuppressionType.ALL
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionFilter:
    """Which rows of an owner are meant; what is None does not matter."""

    receiver: str | None = None
    iso: str | None = None
    type: SuppressionType | None = None
    value: str | None = None


EVERY = SuppressionFilter()

_T = suppressions.c
_THIS = (_T.owner == bindparam("p_owner"), _T.id == bindparam("p_id"))
_GET = sa.select(suppressions).where(*_THIS)
_SAME = sa.select(suppressions).where(
    _T.receiver == bindparam("p_receiver"),
    _T.owner == bindparam("p_owner"),
    _T.type == bindparam("p_type"),
    _T.value == bindparam("p_value"),
)
_UPDATE = (
    sa.update(suppressions)
    .where(*_THIS)
    .values(
        receiver=bindparam("p_receiver"),
        iso=bindparam("p_iso"),
        type=bindparam("p_type"),
        value=bindparam("p_value"),
        updated_at=bindparam("p_now"),
    )
)
_DELETE = sa.delete(suppressions).where(*_THIS)
_UNIQUE = ("receiver", "owner", "type", "value")
_ADD: dict[str, Any] = {
    "sqlite": sqlite.insert(suppressions).on_conflict_do_nothing(index_elements=_UNIQUE).returning(_T.id),
    "postgresql": postgresql.insert(suppressions)
    .on_conflict_do_nothing(index_elements=_UNIQUE)
    .returning(_T.id),
}
# Literals instead of parameters: the statement runs for every dial.
_BLOCKS = (
    _T.owner.in_([bindparam("p_account"), sa.literal_column("0")]),
    sa.or_(
        _T.type == sa.literal_column("'all'"),
        sa.and_(_T.type == sa.literal_column("'sender'"), _T.value == bindparam("p_bridge")),
        sa.and_(_T.type == sa.literal_column("'tag'"), _T.value == bindparam("p_tag")),
        sa.and_(_T.type == sa.literal_column("'service'"), _T.value == bindparam("p_service")),
    ),
)
_BLOCKING = Statement(
    sa.select(suppressions)
    .where(_T.receiver == bindparam("p_receiver"), *_BLOCKS)
    .order_by(_T.id)
    .limit(sa.literal_column("1"))
)
_BLOCKED_OF = sa.select(_T.receiver).where(
    _T.receiver.in_(bindparam("p_receivers", expanding=True)), *_BLOCKS
)
_LOOKED_FOR_AT_ONCE = 500


def blocking(
    conn: sa.Connection, account_id: int, to: str, *, bridge: str, tag: str, service: str = VOICE
) -> Suppression | None:
    """Return what forbids an account to call `to` from `bridge` in the campaign `tag`; None: it may.

    `to` and `bridge` are digits. Rows of the server's list count for every account.
    """
    row = _BLOCKING.execute(
        conn,
        {
            "p_account": account_id,
            "p_receiver": to,
            "p_bridge": bridge,
            "p_tag": tag,
            "p_service": service,
        },
    ).one_or_none()
    return None if row is None else _suppression(row)


def blocked_of(
    conn: sa.Connection,
    account_id: int,
    numbers: Sequence[str],
    *,
    bridge: str,
    tag: str,
    service: str = VOICE,
) -> set[str]:
    """Return those of `numbers` that may not be called, as `blocking` tells for one."""
    named = {"p_account": account_id, "p_bridge": bridge, "p_tag": tag, "p_service": service}
    found: set[str] = set()
    for first in range(0, len(numbers), _LOOKED_FOR_AT_ONCE):
        some = numbers[first : first + _LOOKED_FOR_AT_ONCE]
        found.update(conn.scalars(_BLOCKED_OF, named | {"p_receivers": some}))
    return found


def add(
    conn: sa.Connection, owner: int, new: NewSuppression, *, source: str, now: int
) -> tuple[Suppression, bool]:
    """Suppress a number; the same wish twice is one row. Also returns whether it is new."""
    added = add_many(conn, owner, [new], source=source, now=now) == 1
    same = {"p_owner": owner, "p_receiver": new.receiver, "p_type": new.type.value, "p_value": new.value}
    return _suppression(conn.execute(_SAME, same).one()), added


def add_many(conn: sa.Connection, owner: int, new: Sequence[NewSuppression], *, source: str, now: int) -> int:
    """Suppress these numbers and return how many were not suppressed in the same way before."""
    if not new:
        return 0
    # In one order, so that two imports of the same numbers do not wait for each other for ever.
    rows = sorted(dict.fromkeys(new), key=lambda each: (each.receiver, each.type, each.value))
    added = conn.execute(
        _ADD[conn.dialect.name],
        [
            {
                "owner": owner,
                "receiver": each.receiver,
                "iso": each.iso,
                "type": each.type.value,
                "value": each.value,
                "source": source,
                "created_at": now,
                "updated_at": now,
            }
            for each in rows
        ],
    )
    return len(added.all())


def get(conn: sa.Connection, owner: int, suppression_id: int) -> Suppression | None:
    """Return one suppression of an owner."""
    row = conn.execute(_GET, {"p_owner": owner, "p_id": suppression_id}).one_or_none()
    return None if row is None else _suppression(row)


def find(
    conn: sa.Connection,
    owner: int,
    wanted: SuppressionFilter = EVERY,
    *,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[Suppression], int]:
    """Return an owner's suppressions of that kind, the newest first, and how many there are."""
    query = _wanted(sa.select(suppressions), owner, wanted).order_by(_T.id.desc())
    total = _wanted(sa.select(sa.func.count()).select_from(suppressions), owner, wanted)
    rows = conn.execute(query.limit(limit).offset(offset))
    return [_suppression(row) for row in rows], int(conn.execute(total).scalar_one())


def update(conn: sa.Connection, owner: int, suppression_id: int, to: NewSuppression, *, now: int) -> bool:
    """Change a suppression; False if there is none, or if another one is the same already."""
    same = {"p_owner": owner, "p_receiver": to.receiver, "p_type": to.type.value, "p_value": to.value}
    other = conn.execute(_SAME, same).one_or_none()
    if other is not None and other.id != suppression_id:
        return False
    values = {**same, "p_id": suppression_id, "p_iso": to.iso, "p_now": now}
    return conn.execute(_UPDATE, values).rowcount == 1


def delete(conn: sa.Connection, owner: int, suppression_id: int) -> bool:
    """Lift a suppression; False if there is none."""
    return conn.execute(_DELETE, {"p_owner": owner, "p_id": suppression_id}).rowcount == 1


def delete_all(conn: sa.Connection, owner: int, wanted: SuppressionFilter = EVERY) -> int:
    """Lift an owner's suppressions of that kind and return how many they were."""
    return conn.execute(_wanted(sa.delete(suppressions), owner, wanted)).rowcount


def _wanted(query: Query, owner: int, wanted: SuppressionFilter) -> Query:
    query = query.where(_T.owner == owner)
    for name in SuppressionFilter.__slots__:
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(_T[name] == value)
    return query


def _suppression(row: Sequence[Any]) -> Suppression:
    values = dict(zip(_T.keys(), row, strict=True))
    return Suppression(**{**values, "type": SuppressionType(values["type"])})
