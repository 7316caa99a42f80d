"""Webhooks: the endpoints that an account wants its events delivered to, and whether they may be used.

A deleted webhook stays as a row without use: calls name webhooks by number, and no number is given twice.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage import wake
from outdial.storage.tables import outbox, subscriptions, webhooks

_SECRET_HEADER = re.compile(r"(?i)auth|token|key|secret|cookie|password|credential")

_INSERT = sa.insert(webhooks).returning(webhooks.c.id)
_OF_ACCOUNT = (webhooks.c.account_id == bindparam("p_account"), webhooks.c.deleted_at.is_(None))
_GET = sa.select(webhooks).where(*_OF_ACCOUNT, webhooks.c.id == bindparam("p_id"))
_FIND = sa.select(webhooks).where(*_OF_ACCOUNT).order_by(webhooks.c.id)
_COUNT = sa.select(sa.func.count()).select_from(webhooks).where(*_OF_ACCOUNT)
_THIS = webhooks.c.id == bindparam("p_id")
_UPDATE = sa.update(webhooks).where(_THIS, webhooks.c.deleted_at.is_(None))
_DELETE = (
    sa.update(webhooks)
    .where(_THIS, *_OF_ACCOUNT)
    .values(deleted_at=bindparam("p_now"), secret="", former_secret=None)
)
_UNSUBSCRIBE = sa.delete(subscriptions).where(subscriptions.c.webhook_id == bindparam("p_id"))
_GIVE_UP = (
    sa.update(outbox)
    .where(outbox.c.webhook_id == bindparam("p_id"), outbox.c.state == sa.literal_column("'pending'"))
    .values(state="given_up", ended_at=bindparam("p_now"), claimed_until=None)
)
_SUCCEEDED = (
    sa.update(webhooks).where(_THIS, webhooks.c.failing_since.is_not(None)).values(failing_since=None)
)
_FAILED = (
    sa.update(webhooks)
    .where(_THIS)
    .values(
        failing_since=sa.func.coalesce(webhooks.c.failing_since, bindparam("p_now")),
        not_before=sa.case(
            (webhooks.c.not_before < bindparam("p_until"), bindparam("p_until")),
            else_=webhooks.c.not_before,
        ),
    )
    .returning(webhooks.c.failing_since)
)
_OFF = (
    sa.update(webhooks)
    .where(_THIS, webhooks.c.off_at.is_(None), webhooks.c.deleted_at.is_(None))
    .values(off_at=bindparam("p_now"), off_reason=bindparam("p_reason"), updated_at=bindparam("p_now"))
)
_NOT_VERIFIED = (
    sa.update(webhooks)
    .where(_THIS, webhooks.c.uri == bindparam("p_uri"), webhooks.c.deleted_at.is_(None))
    .where(webhooks.c.verified_at.is_(None))
    .values(off_at=bindparam("p_now"), off_reason=bindparam("p_reason"))
)
_VERIFIED = (
    sa.update(webhooks)
    # Not if it was changed while the endpoint was being asked: then another address has to be verified.
    .where(_THIS, webhooks.c.uri == bindparam("p_uri"), webhooks.c.deleted_at.is_(None))
    .values(
        verified_at=bindparam("p_now"),
        off_at=None,
        off_reason=None,
        failing_since=None,
        not_before=0,
        updated_at=bindparam("p_now"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """An endpoint as an account describes it."""

    name: str
    uri: str
    """Liquid, but for scheme and host."""
    secret: str = field(repr=False)
    """Signs what is sent."""
    secret_as_bearer: bool
    """Whether it is also sent as `Authorization: Bearer`: if the account chose it, not if we made it."""
    verification_code: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body_format: str = "json"
    """`json` or `form`."""
    body: str | None = None
    """A JSON object whose texts are Liquid; None for the whole event."""

    @property
    def secret_texts(self) -> list[str]:
        """What must not be shown again: the secret, and the headers that hold one; the longest first."""
        values = [value for name, value in self.headers.items() if is_secret_header(name)]
        # A few characters are no secret, and would be found all over a text.
        return sorted({self.secret, *(each for each in values if len(each) > 3)}, key=len, reverse=True)


def is_secret_header(name: str) -> bool:
    """Whether a header of this name holds a secret."""
    return _SECRET_HEADER.search(name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(NewWebhook):
    """A stored endpoint."""

    id: int
    account_id: int
    former_secret: str | None = field(repr=False)
    """Signs too until `former_secret_until`, so that receivers can change over."""
    former_secret_until: int | None
    verified_at: int | None
    """When the endpoint answered the challenge at its present address; None until then."""
    off_at: int | None
    off_reason: str | None
    """Why nothing is delivered, as a sentence; None while it is on."""
    failing_since: int | None
    """Of the first failure after the last success."""
    not_before: int
    """The endpoint asked to be left alone until then."""
    created_at: int
    updated_at: int

    @property
    def is_on(self) -> bool:
        """Whether events are delivered: the API's `status` 1."""
        return self.verified_at is not None and self.off_at is None


_CHANGEABLE = ("name", "uri", "method", "headers", "body_format", "body", "verification_code")
COLUMNS = tuple(column for column in webhooks.c if column.name != "deleted_at")
"""The columns of a `Webhook`."""


def insert(conn: sa.Connection, account_id: int, new: NewWebhook, *, now: int) -> Webhook:
    """Add an endpoint; it is off until `mark_verified`."""
    values = {name: getattr(new, name) for name in _CHANGEABLE} | {
        "account_id": account_id,
        "headers": json.dumps(dict(new.headers)),
        "secret": new.secret,
        "secret_as_bearer": new.secret_as_bearer,
        "not_before": 0,
        "created_at": now,
        "updated_at": now,
    }
    webhook_id = conn.execute(_INSERT, values).scalar_one()
    found = get(conn, account_id, webhook_id)
    assert found is not None
    return found


def get(conn: sa.Connection, account_id: int, webhook_id: int) -> Webhook | None:
    """Return one endpoint of an account."""
    row = conn.execute(_GET, {"p_account": account_id, "p_id": webhook_id}).mappings().one_or_none()
    return None if row is None else to_webhook(row)


def find(
    conn: sa.Connection, account_id: int, *, name: str | None = None, limit: int = 100, offset: int = 0
) -> tuple[list[Webhook], int]:
    """Return an account's endpoints, oldest first, and how many there are; `name` may be a part of it."""
    query, counting = _FIND, _COUNT
    if name is not None:
        matching = sa.func.lower(webhooks.c.name).contains(name.lower(), autoescape=True)
        query, counting = query.where(matching), counting.where(matching)
    rows = conn.execute(query.limit(limit).offset(offset), {"p_account": account_id}).mappings()
    found = [to_webhook(row) for row in rows]
    return found, conn.execute(counting, {"p_account": account_id}).scalar_one()


def update(conn: sa.Connection, webhook: Webhook, changes: Mapping[str, Any], *, now: int) -> None:
    """Change what the account says about an endpoint: fields of NewWebhook but the secret.

    Another address has to be verified before anything is delivered to it.
    """
    values = {name: value for name, value in changes.items() if name in _CHANGEABLE}
    if "headers" in values:
        values["headers"] = json.dumps(dict(values["headers"]))
    if values.get("uri", webhook.uri) != webhook.uri:
        values |= {"verified_at": None, "off_at": None, "off_reason": None, "failing_since": None}
    conn.execute(_UPDATE.values(values | {"updated_at": now}), {"p_id": webhook.id})


def rotate(
    conn: sa.Connection, webhook: Webhook, secret: str, *, as_bearer: bool, now: int, until: int
) -> None:
    """Sign with a new secret; the former one signs too `until` then."""
    values = {
        "secret": secret,
        "secret_as_bearer": as_bearer,
        "former_secret": webhook.secret,
        "former_secret_until": until,
        "updated_at": now,
    }
    conn.execute(_UPDATE.values(values), {"p_id": webhook.id})


def delete(conn: sa.Connection, account_id: int, webhook_id: int, *, now: int) -> bool:
    """Remove an endpoint with its subscriptions; what waited for it is given up. False if there is none."""
    if conn.execute(_DELETE, {"p_account": account_id, "p_id": webhook_id, "p_now": now}).rowcount != 1:
        return False
    conn.execute(_UNSUBSCRIBE, {"p_id": webhook_id})
    conn.execute(_GIVE_UP, {"p_id": webhook_id, "p_now": now})
    return True


def mark_verified(conn: sa.Connection, webhook: Webhook, *, now: int) -> bool:
    """Switch an endpoint on: it answered the challenge. False if its address was changed meanwhile."""
    done = conn.execute(_VERIFIED, {"p_id": webhook.id, "p_uri": webhook.uri, "p_now": now}).rowcount == 1
    wake.announce(conn, wake.OUTBOX)
    return done


def note_not_verified(conn: sa.Connection, webhook: Webhook, reason: str, *, now: int) -> None:
    """Keep why an endpoint has not been verified at its address; one that has been stays as it is."""
    values = {"p_id": webhook.id, "p_uri": webhook.uri, "p_reason": reason, "p_now": now}
    conn.execute(_NOT_VERIFIED, values)


def switch_off(conn: sa.Connection, webhook_id: int, reason: str, *, now: int) -> None:
    """Deliver nothing more to an endpoint, for a reason that the account is shown; what waits, waits."""
    conn.execute(_OFF, {"p_id": webhook_id, "p_reason": reason, "p_now": now})


def succeeded(conn: sa.Connection, webhook_id: int) -> None:
    """Note that an endpoint took an event."""
    conn.execute(_SUCCEEDED, {"p_id": webhook_id})


def failed(conn: sa.Connection, webhook_id: int, *, now: int, not_before: int = 0) -> int:
    """Note that an endpoint did not take an event, and when it wants the next; return since when it fails."""
    found: int = conn.execute(_FAILED, {"p_id": webhook_id, "p_now": now, "p_until": not_before}).scalar_one()
    return found


def to_webhook(row: sa.RowMapping) -> Webhook:
    """Make a Webhook of a row of COLUMNS; further columns are ignored."""
    values = {column.name: row[column.name] for column in COLUMNS}
    return Webhook(**(values | {"headers": json.loads(row["headers"])}))
