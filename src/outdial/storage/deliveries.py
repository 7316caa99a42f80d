"""The log of deliveries: each POST to a webhook and what came back."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.storage.tables import deliveries, outbox

_INSERT = sa.insert(deliveries)
_OF_WEBHOOK = deliveries.c.webhook_id == bindparam("p_webhook")
_ROWS = (
    sa.select(deliveries, outbox.c.call_id, outbox.c.sequence, outbox.c.state, outbox.c.due_at)
    .join_from(deliveries, outbox, outbox.c.id == deliveries.c.outbox_id)
    .where(_OF_WEBHOOK)
)
_FIND = _ROWS.order_by(deliveries.c.id.desc())
_GET = _ROWS.where(deliveries.c.id == bindparam("p_id"))
_COUNT = sa.select(sa.func.count()).select_from(deliveries).where(_OF_WEBHOOK)

# What is still asked for by name ("replay this one") is what people look at: the events of some weeks.
_OLD = (
    sa.select(outbox.c.id)
    .where(outbox.c.ended_at < bindparam("p_before"))
    .order_by(outbox.c.ended_at)
    .limit(bindparam("p_limit", type_=sa.Integer, literal_execute=True))
)
_FORGET = sa.delete(deliveries).where(deliveries.c.outbox_id.in_(bindparam("p_ids", expanding=True)))
_FORGET_EVENTS = sa.delete(outbox).where(outbox.c.id.in_(bindparam("p_ids", expanding=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """One request to an endpoint."""

    at: int
    """When it was sent."""
    ms: int
    """How long it took."""
    status: int | None
    """Of the answer; None if none came."""
    error: str | None
    """Why it was no success, as a sentence; None for a success."""
    answer: str
    """The first characters of the answer's body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(NewDelivery):
    """A logged request, with the event that it carried."""

    id: int
    outbox_id: int
    webhook_id: int
    call_id: str
    sequence: int
    state: str
    """Of the event: `pending`, `delivered` or `given_up`."""
    due_at: int
    """When the event is tried again, if it is pending."""


def insert(conn: sa.Connection, new: NewDelivery, *, outbox_id: int, webhook_id: int) -> None:
    """Log a request."""
    values = {
        "outbox_id": outbox_id,
        "webhook_id": webhook_id,
        "at": new.at,
        "ms": new.ms,
        "status": new.status,
        "error": new.error,
        "answer": new.answer,
    }
    conn.execute(_INSERT, values)


def find(
    conn: sa.Connection, webhook_id: int, *, limit: int = 100, offset: int = 0
) -> tuple[list[Delivery], int]:
    """Return the requests to an endpoint, newest first, and how many there are."""
    rows = conn.execute(_FIND.limit(limit).offset(offset), {"p_webhook": webhook_id}).mappings()
    return [Delivery(**row) for row in rows], conn.execute(_COUNT, {"p_webhook": webhook_id}).scalar_one()


def get(conn: sa.Connection, webhook_id: int, delivery_id: int) -> Delivery | None:
    """Return one request to an endpoint."""
    row = conn.execute(_GET, {"p_webhook": webhook_id, "p_id": delivery_id}).mappings().one_or_none()
    return None if row is None else Delivery(**row)


def prune(conn: sa.Connection, *, ended_before: int, limit: int = 1000) -> int:
    """Delete events that ended before a time, with their requests, up to `limit`; return how many events."""
    ids = list(conn.scalars(_OLD, {"p_before": ended_before, "p_limit": limit}))
    if ids:
        conn.execute(_FORGET, {"p_ids": ids})
        conn.execute(_FORGET_EVENTS, {"p_ids": ids})
    return len(ids)
