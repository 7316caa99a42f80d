"""Answers that are kept by the key that a caller gave, so that asking again does nothing again.

The key is claimed, what it stands for is done and the answer is kept in one transaction: after a crash all of
it is there or none. Of two requests at once the second waits in `claim` for the end of the first: on
PostgreSQL for the row of the other transaction, on SQLite for the only writer.
"""

import zlib
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite

from outdial.storage.tables import idempotency_keys as keys

KEPT_MS = 24 * 60 * 60 * 1000
_FORGOTTEN_AT_ONCE = 100
"""Old keys that each new one clears away: more than come, so that they never pile up."""

_ROW: dict[str, sa.BindParameter[Any]] = {
    "account_id": bindparam("p_account"),
    "key": bindparam("p_key"),
    "request_sha256": bindparam("p_sha256"),
    "answer": bindparam("p_answer"),
    "created_at": bindparam("p_now"),
}
_CLAIM = {
    "postgresql": postgresql.insert(keys).values(_ROW).on_conflict_do_nothing().returning(keys.c.key),
    "sqlite": sqlite.insert(keys).values(_ROW).on_conflict_do_nothing().returning(keys.c.key),
}
_THIS = (keys.c.account_id == bindparam("p_account"), keys.c.key == bindparam("p_key"))
_FIND = sa.select(keys.c.request_sha256, keys.c.answer).where(
    *_THIS, keys.c.created_at > bindparam("p_before")
)
_KEEP = sa.update(keys).where(*_THIS).values(answer=bindparam("p_answer"))
_EXPIRE = sa.delete(keys).where(*_THIS, keys.c.created_at <= bindparam("p_before"))
_OLD = (
    sa.select(keys.c.account_id, keys.c.key)
    .where(keys.c.created_at <= bindparam("p_before"))
    .limit(_FORGOTTEN_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_FORGET = sa.delete(keys).where(sa.tuple_(keys.c.account_id, keys.c.key).in_(_OLD))


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """A caller's key, and what it was sent with."""

    account_id: int
    key: str
    request_sha256: str
    """Of endpoint and parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is there under a key."""

    same_request: bool
    answer: bytes


def find(conn: sa.Connection, key: IdempotencyKey, *, now: int) -> Kept | None:
    """Return what was answered under this key in the last 24 hours."""
    parameters = {"p_account": key.account_id, "p_key": key.key, "p_before": now - KEPT_MS}
    row = conn.execute(_FIND, parameters).one_or_none()
    if row is None:
        return None
    same = row.request_sha256 == key.request_sha256
    return Kept(same_request=same, answer=zlib.decompress(row.answer) if same else b"")


def claim(conn: sa.Connection, key: IdempotencyKey, *, now: int) -> Kept | None:
    """Take a key for this transaction, which has to `keep` an answer; returns what is there if it is taken.

    Waits for another transaction that has taken it and is still open.
    """
    this = {"p_account": key.account_id, "p_key": key.key}
    conn.execute(_EXPIRE, {**this, "p_before": now - KEPT_MS})
    row = {**this, "p_sha256": key.request_sha256, "p_answer": b"", "p_now": now}
    if conn.execute(_CLAIM[conn.dialect.name], row).first() is not None:
        conn.execute(_FORGET, {"p_before": now - KEPT_MS})
        return None
    return find(conn, key, now=now)


def keep(conn: sa.Connection, key: IdempotencyKey, answer: bytes) -> None:
    """Keep the answer under a key that this transaction claimed."""
    parameters = {"p_account": key.account_id, "p_key": key.key, "p_answer": zlib.compress(answer, 1)}
    conn.execute(_KEEP, parameters)
