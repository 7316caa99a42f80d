"""API tokens. Only their SHA-256 is stored; the token itself is shown once, when it is made.

A plain hash is enough, because tokens are long and random: there is nothing to guess.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.scope import Scope
from outdial.storage.tables import accounts, tokens

PREFIX_LENGTH = 8
"""Characters of a token that lists show, so that its owner recognises it."""

_INSERT = sa.insert(tokens).returning(tokens.c.id)
_BY_HASH = (
    sa.select(tokens)
    .join(accounts, accounts.c.id == tokens.c.account_id)
    .where(
        tokens.c.sha256 == bindparam("p_sha256"),
        tokens.c.revoked_at.is_(None),
        sa.or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > bindparam("p_now")),
        accounts.c.closed_at.is_(None),
    )
)
_BY_ID = sa.select(tokens).where(tokens.c.id == bindparam("p_id"))
_ANY = sa.select(sa.exists(sa.select(tokens.c.id)))
_OF_ACCOUNT = sa.select(tokens).where(tokens.c.account_id == bindparam("p_account")).order_by(tokens.c.id)
_ALL = sa.select(tokens).order_by(tokens.c.id)
_REVOKE = (
    sa.update(tokens)
    .where(
        tokens.c.id == bindparam("p_id"),
        tokens.c.account_id == bindparam("p_account"),
        tokens.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("p_now"))
)
_USED = (
    sa.update(tokens)
    .where(
        tokens.c.id == bindparam("p_id"),
        sa.or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < bindparam("p_before")),
    )
    .values(last_used_at=bindparam("p_now"))
)
_USED_RESOLUTION_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as it is stored."""

    id: int
    account_id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    """Of `domain.scope.Scope`."""
    addresses: tuple[str, ...]
    """Networks in CIDR form from which it may be used; empty for any."""
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    """To the minute."""
    revoked_at: int | None


def insert(
    conn: sa.Connection,
    *,
    account_id: int,
    name: str,
    new_secret: Callable[[], str],
    now: int,
    scopes: Sequence[str] = (Scope.ACCOUNT,),
    addresses: Sequence[str] = (),
    expires_at: int | None = None,
) -> tuple[Token, str]:
    """Make a token; returns it with its secret, which is not stored.

    `new_secret` gives 128 random bits or more.
    """
    secret = new_secret()
    row: dict[str, Any] = {
        "account_id": account_id,
        "name": name,
        "prefix": secret[:PREFIX_LENGTH],
        "sha256": _sha256(secret),
        "scopes": json.dumps(list(scopes)),
        "addresses": json.dumps(list(addresses)),
        "created_at": now,
        "expires_at": expires_at,
        "last_used_at": None,
        "revoked_at": None,
    }
    token_id = conn.execute(_INSERT, row).scalar_one()
    return _token(row | {"id": token_id}), secret


def find(conn: sa.Connection, secret: str, *, now: int) -> Token | None:
    """Return the token with this secret, unless it expired, was revoked or its account is closed."""
    row = conn.execute(_BY_HASH, {"p_sha256": _sha256(secret), "p_now": now}).mappings().one_or_none()
    return None if row is None else _token(row)


def get(conn: sa.Connection, account_id: int, token_id: int) -> Token | None:
    """Return an account's token, also one that is no longer valid."""
    row = conn.execute(_BY_ID, {"p_id": token_id}).mappings().one_or_none()
    return None if row is None or row["account_id"] != account_id else _token(row)


def owner(conn: sa.Connection, token_id: int) -> int | None:
    """Return the id of the account that a token belongs to."""
    row = conn.execute(_BY_ID, {"p_id": token_id}).mappings().one_or_none()
    return None if row is None else int(row["account_id"])


def exist(conn: sa.Connection) -> bool:
    """Tell whether any token was ever made."""
    return bool(conn.execute(_ANY).scalar_one())


def of_account(conn: sa.Connection, account_id: int) -> list[Token]:
    """Return an account's tokens, oldest first, also those that are no longer valid."""
    return [_token(row) for row in conn.execute(_OF_ACCOUNT, {"p_account": account_id}).mappings()]


def find_all(conn: sa.Connection) -> list[Token]:
    """Return the tokens of all accounts, oldest first, also those that are no longer valid."""
    return [_token(row) for row in conn.execute(_ALL).mappings()]


def revoke(conn: sa.Connection, account_id: int, token_id: int, *, now: int) -> bool:
    """Make a token invalid; False if there was no valid one."""
    return conn.execute(_REVOKE, {"p_id": token_id, "p_account": account_id, "p_now": now}).rowcount == 1


def note_use(conn: sa.Connection, token_id: int, *, now: int) -> None:
    """Note that a token was used; writes at most once a minute."""
    conn.execute(_USED, {"p_id": token_id, "p_now": now, "p_before": now - _USED_RESOLUTION_MS})


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: "sa.RowMapping | dict[str, Any]") -> Token:
    return Token(
        id=row["id"],
        account_id=row["account_id"],
        name=row["name"],
        prefix=row["prefix"],
        scopes=tuple(json.loads(row["scopes"])),
        addresses=tuple(json.loads(row["addresses"])),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )
