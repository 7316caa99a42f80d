"""Subscriptions: which webhooks get the events of calls that do not name one."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage.tables import subscriptions

ALL = "all"
"""The identity that stands for every bridge of the account."""

_INSERT = sa.insert(subscriptions).returning(subscriptions.c.id)
_OF_ACCOUNT = subscriptions.c.account_id == bindparam("p_account")
_THIS = (_OF_ACCOUNT, subscriptions.c.id == bindparam("p_id"))
_GET = sa.select(subscriptions).where(*_THIS)
_SAME = sa.select(subscriptions).where(
    _OF_ACCOUNT,
    subscriptions.c.event == bindparam("p_event"),
    subscriptions.c.identity == bindparam("p_identity"),
    subscriptions.c.webhook_id == bindparam("p_webhook"),
)
_FIND = sa.select(subscriptions).where(_OF_ACCOUNT).order_by(subscriptions.c.id)
_COUNT = sa.select(sa.func.count()).select_from(subscriptions).where(_OF_ACCOUNT)
_DELETE = sa.delete(subscriptions).where(*_THIS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One wish: this event of this identity goes to this webhook."""

    id: int
    account_id: int
    event: str
    identity: str
    """ALL or a bridge's number."""
    webhook_id: int
    created_at: int


def insert(
    conn: sa.Connection, account_id: int, *, event: str, identity: str, webhook_id: int, now: int
) -> Subscription:
    """Subscribe a webhook; the same wish twice is one subscription."""
    same = {"p_account": account_id, "p_event": event, "p_identity": identity, "p_webhook": webhook_id}
    row = conn.execute(_SAME, same).mappings().one_or_none()
    if row is not None:
        return Subscription(**row)
    values = {
        "account_id": account_id,
        "event": event,
        "identity": identity,
        "webhook_id": webhook_id,
        "created_at": now,
    }
    return Subscription(
        id=conn.execute(_INSERT, values).scalar_one(),
        account_id=account_id,
        event=event,
        identity=identity,
        webhook_id=webhook_id,
        created_at=now,
    )


def get(conn: sa.Connection, account_id: int, subscription_id: int) -> Subscription | None:
    """Return one subscription of an account."""
    row = conn.execute(_GET, {"p_account": account_id, "p_id": subscription_id}).mappings().one_or_none()
    return None if row is None else Subscription(**row)


def find(
    conn: sa.Connection, account_id: int, *, limit: int = 100, offset: int = 0
) -> tuple[list[Subscription], int]:
    """Return an account's subscriptions, oldest first, and how many there are."""
    rows = conn.execute(_FIND.limit(limit).offset(offset), {"p_account": account_id}).mappings()
    return [Subscription(**row) for row in rows], conn.execute(_COUNT, {"p_account": account_id}).scalar_one()


def delete(conn: sa.Connection, account_id: int, subscription_id: int) -> bool:
    """Remove a subscription; False if there is none."""
    return conn.execute(_DELETE, {"p_account": account_id, "p_id": subscription_id}).rowcount == 1
