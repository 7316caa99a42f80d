"""The outbox: an event for each ended attempt and webhook, written in the transaction that ends the attempt.

A row says who gets what; the payload is made of the call and its CDR when it is sent, because those never
change and the transaction is the dialer's. Events that a flow sends in the middle of a call have a content of
their own. Sending is in outbox_claims.py.

The sequence of a call's events: attempts that ended, and flows' events until then. So it is the same for all
webhooks, and a flow's event comes before the end of its attempt.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Integer, bindparam

from outdial.domain.call import Lease
from outdial.storage import wake
from outdial.storage.fencing import MINE, mine
from outdial.storage.statement import Found, Statement
from outdial.storage.tables import attempts, calls, outbox, subscriptions, webhooks

CALL_ENDED = "voice:message:out"
"""The event of an attempt that ended."""

FLOW_EVENT = "voice:flow:event"
"""What a flow says in the middle of a call (the step `send_event`)."""

EVENTS = (CALL_ENDED, FLOW_EVENT)
"""What webhooks can be subscribed to."""

GIVE_UP_AFTER_MS = 3 * 24 * 60 * 60 * 1000
"""An event is tried for three days."""

PENDING = outbox.c.state == sa.literal_column("'pending'")
_EARLIER = outbox.alias("earlier")


def _wants(event: str) -> sa.ColumnElement[bool]:
    return sa.or_(
        sa.cast(webhooks.c.id, sa.Text) == calls.c.webhook_id,
        sa.exists().where(
            subscriptions.c.webhook_id == webhooks.c.id,
            subscriptions.c.event == sa.literal_column(f"'{event}'"),
            subscriptions.c.identity.in_((sa.literal_column("'all'"), calls.c.bridge)),
        ),
    )


# Behind an earlier event of the same call that waits, so that the front of the queue holds what may be sent.
_DUE_AT = sa.func.coalesce(
    sa.select(sa.func.max(_EARLIER.c.due_at))
    .where(
        _EARLIER.c.call_id == calls.c.id,
        _EARLIER.c.webhook_id == webhooks.c.id,
        _EARLIER.c.state == sa.literal_column("'pending'"),
        _EARLIER.c.due_at > bindparam("p_now", type_=sa.BigInteger),
    )
    .scalar_subquery(),
    bindparam("p_now", type_=sa.BigInteger),
)


def _add(
    attempt: sa.ColumnElement[Any],
    sequence: sa.ColumnElement[Any],
    *conditions: sa.ColumnElement[bool],
    event: str = CALL_ENDED,
    content: sa.ColumnElement[Any] | None = None,
) -> Statement:
    is_done = calls.c.state == sa.literal_column("'done'")
    now = sa.cast(bindparam("p_now", type_=sa.BigInteger), sa.BigInteger)
    columns: dict[str, sa.ColumnElement[Any]] = {
        "webhook_id": webhooks.c.id,
        "event": sa.literal_column(f"'{event}'"),
        "call_id": calls.c.id,
        "attempt": attempt,
        "sequence": sequence + calls.c.flow_events,
        "attempts_left": sa.case((is_done, 0), else_=calls.c.retries + 1 - calls.c.attempts_spent),
        "state": sa.literal_column("'pending'"),
        "tries": sa.literal_column("0"),
        "claim": sa.literal_column("0"),
        "created_at": now,
        "due_at": sa.cast(_DUE_AT, sa.BigInteger),
        "expires_at": now + sa.literal_column(str(GIVE_UP_AFTER_MS), sa.BigInteger),
    }
    if content is not None:
        columns["content"] = content
    chosen = (
        sa.select(*columns.values())
        .join_from(calls, webhooks, webhooks.c.account_id == calls.c.account_id)
        .where(calls.c.id == bindparam("p_call"), webhooks.c.deleted_at.is_(None), _wants(event), *conditions)
    )
    return Statement(sa.insert(outbox).from_select(list(columns), chosen))


_NUMBER = sa.cast(bindparam("p_number", type_=Integer), Integer)
_ADD_ATTEMPT = _add(_NUMBER, _NUMBER)
_ADD_END = _add(
    sa.cast(sa.null(), Integer), calls.c.attempts_started + 1, calls.c.state == sa.literal_column("'done'")
)
_ADD_FLOW_EVENT = _add(
    _NUMBER,
    _NUMBER - 1,
    event=FLOW_EVENT,
    content=sa.cast(bindparam("p_content", type_=sa.Text), sa.Text),
)

_COUNT_FLOW_EVENT = Statement(
    sa.update(calls)
    .where(
        calls.c.id == bindparam("p_call"),
        sa.exists().where(*MINE, attempts.c.state == sa.literal_column("'answered'")),
    )
    .values(flow_events=calls.c.flow_events + 1)
)


def add_attempt(conn: sa.Connection, call_id: str, number: int, *, now: int) -> None:
    """Queue the event of an ended attempt for each webhook that wants it; after its CDR and its call."""
    _announce_if_any(conn, _ADD_ATTEMPT.execute(conn, {"p_call": call_id, "p_number": number, "p_now": now}))


def add_end(conn: sa.Connection, call_id: str, *, now: int) -> None:
    """Queue the event of a call that ended without being dialled (again); nothing if it is not done."""
    _announce_if_any(conn, _ADD_END.execute(conn, {"p_call": call_id, "p_now": now}))


def add_flow_event(
    conn: sa.Connection, lease: Lease, name: str, data: Mapping[str, Any], *, now: int
) -> bool:
    """Queue what a flow says during an answered attempt for each webhook that wants it.

    `data` is what `json.dumps` takes. False, and nothing written, if the lease is lost.
    """
    if _COUNT_FLOW_EVENT.execute(conn, mine(lease)).rowcount != 1:
        return False
    content = json.dumps({"name": name, "data": dict(data)})
    parameters = {"p_call": lease.call_id, "p_number": lease.number, "p_now": now, "p_content": content}
    _announce_if_any(conn, _ADD_FLOW_EVENT.execute(conn, parameters))
    return True


def add_ends(conn: sa.Connection, call_ids: Sequence[str], *, now: int) -> None:
    """The same for many calls, all of them done."""
    if call_ids:
        _ADD_END.execute_many(conn, [{"p_call": call_id, "p_now": now} for call_id in call_ids])
        wake.announce(conn, wake.OUTBOX)


def _announce_if_any(conn: sa.Connection, result: Found) -> None:
    if result.rowcount > 0:
        wake.announce(conn, wake.OUTBOX)
