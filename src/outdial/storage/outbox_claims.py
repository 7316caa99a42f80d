"""Sending what the outbox holds: claims, and what became of them.

`due_at` is all that a claim moves: a claimed event is due again when its lease is over, so what a killed
process was sending is sent once more without anybody clearing up.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Integer, bindparam

from outdial.domain.call import Call, Cdr
from outdial.storage import calls, cdrs, wake
from outdial.storage.outbox import GIVE_UP_AFTER_MS, PENDING
from outdial.storage.tables import accounts, outbox, webhooks
from outdial.storage.webhooks import COLUMNS, Webhook, to_webhook

_EARLIER = outbox.alias("earlier")

# A loose index scan: one step for each endpoint with something to do, however much waits for it.
_HEADS = sa.text(
    """
    WITH RECURSIVE heads(webhook_id) AS (
        SELECT MIN(webhook_id) FROM outbox WHERE state = 'pending'
        UNION ALL
        SELECT (SELECT MIN(webhook_id) FROM outbox WHERE state = 'pending' AND webhook_id > heads.webhook_id)
        FROM heads WHERE heads.webhook_id IS NOT NULL
    )
    SELECT w.id, w.failing_since, w.not_before,
           (SELECT MIN(due_at) FROM outbox WHERE state = 'pending' AND webhook_id = w.id) AS due_at
    FROM heads JOIN webhooks AS w ON w.id = heads.webhook_id
    WHERE w.verified_at IS NOT NULL AND w.off_at IS NULL AND w.deleted_at IS NULL
    """
)

_DUE = (
    sa.select(outbox.c.id)
    .where(
        PENDING,
        outbox.c.webhook_id == bindparam("p_webhook"),
        outbox.c.due_at <= bindparam("p_now"),
        ~sa.exists().where(
            _EARLIER.c.call_id == outbox.c.call_id,
            _EARLIER.c.webhook_id == outbox.c.webhook_id,
            _EARLIER.c.sequence < outbox.c.sequence,
            _EARLIER.c.state == sa.literal_column("'pending'"),
        ),
    )
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(bindparam("p_limit", type_=Integer, literal_execute=True))
    .with_for_update(skip_locked=True, of=outbox)
    .cte("due")
)

_CLAIM = (
    sa.update(outbox)
    .where(outbox.c.id.in_(sa.select(_DUE.c.id)), PENDING)
    .values(
        claim=outbox.c.claim + 1,
        tries=outbox.c.tries + 1,
        claimed_until=bindparam("p_until"),
        due_at=bindparam("p_until"),
    )
    .returning(outbox.c.id)
)

_CLAIMED = (
    sa.select(
        outbox.c.id.label("outbox_id"),
        outbox.c.call_id,
        outbox.c.attempt,
        outbox.c.sequence,
        outbox.c.attempts_left,
        outbox.c.tries,
        outbox.c.claim,
        outbox.c.created_at.label("event_at"),
        outbox.c.expires_at,
        outbox.c.content,
        accounts.c.time_zone,
        *COLUMNS,
    )
    .join_from(outbox, webhooks, webhooks.c.id == outbox.c.webhook_id)
    .join(accounts, accounts.c.id == webhooks.c.account_id)
    .where(outbox.c.id.in_(bindparam("p_ids", expanding=True)))
    .order_by(outbox.c.id)
)

_MINE = (outbox.c.id == bindparam("p_id"), outbox.c.claim == bindparam("p_claim"), PENDING)

_ENDED = (
    sa.update(outbox)
    .where(*_MINE)
    .values(state=bindparam("p_state"), ended_at=bindparam("p_now"), claimed_until=None)
)

_LATER = sa.update(outbox).where(*_MINE).values(due_at=bindparam("p_due"), claimed_until=None)

_FOLLOWERS_LATER = (
    sa.update(outbox)
    .where(
        outbox.c.call_id == bindparam("p_call"),
        outbox.c.webhook_id == bindparam("p_webhook"),
        outbox.c.sequence > bindparam("p_sequence"),
        outbox.c.due_at < bindparam("p_due"),
        PENDING,
    )
    .values(due_at=bindparam("p_due"))
)

_RELEASE = (
    sa.update(outbox)
    .where(*_MINE)
    .values(due_at=bindparam("p_now"), claimed_until=None, tries=outbox.c.tries - 1)
)

_REPLAY = (
    sa.update(outbox)
    .where(
        outbox.c.id == bindparam("p_id"),
        sa.or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= bindparam("p_now")),
    )
    .values(
        state="pending",
        ended_at=None,
        tries=0,
        claim=outbox.c.claim + 1,
        claimed_until=None,
        due_at=bindparam("p_now"),
        expires_at=bindparam("p_expires"),
    )
)

_GIVE_UP_EXPIRED = (
    sa.update(outbox)
    .where(
        PENDING,
        outbox.c.expires_at <= bindparam("p_now"),
        outbox.c.webhook_id.in_(
            sa.select(webhooks.c.id).where(
                sa.or_(
                    webhooks.c.verified_at.is_(None),
                    webhooks.c.off_at.is_not(None),
                    webhooks.c.deleted_at.is_not(None),
                )
            )
        ),
    )
    .values(state="given_up", ended_at=bindparam("p_now"), claimed_until=None)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowEvent:
    """What a flow said in the middle of an attempt."""

    name: str
    data: Mapping[str, Any]
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A claimed event with all that is needed to send it."""

    id: int
    claim: int
    """Grows with each claim; what is written about the event names it and is refused if it is lost."""
    webhook: Webhook
    call: Call
    cdr: Cdr | None
    """Of the attempt that ended; None if the call ended without being dialled (again), and of a flow's
    event."""
    sequence: int
    """Of the call's events, from 1."""
    attempts_left: int
    tries: int
    """With this one."""
    created_at: int
    expires_at: int
    time_zone: str
    """Of the account, an IANA name."""
    flow_event: FlowEvent | None = None
    """If it is one: then the call may still go on."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a claim brought."""

    events: list[Event]
    next_due_at: int | None
    """When the next event of an endpoint with room is due, Unix milliseconds; None if there is none."""


def claim_due(
    conn: sa.Connection,
    *,
    now: int,
    lease_until: int,
    limit: int,
    per_endpoint: int,
    in_flight: Mapping[int, int],
) -> Claims:
    """Take up to `limit` due events, so that no endpoint has more than `per_endpoint` in flight here.

    An endpoint that fails gets one at a time until it succeeds. The endpoints come in the order of their
    longest due event. An event whose call has an earlier one under way, or waiting, is left.
    """

    def room(head: sa.Row[tuple[int, int | None, int, int]]) -> int:
        most = per_endpoint if head.failing_since is None else 1
        return max(0, most - in_flight.get(head.id, 0) - taken.get(head.id, 0))

    taken: dict[int, int] = {}
    ids: list[int] = []
    for head in sorted(heads(conn), key=lambda head: head.due_at):
        count = min(room(head), limit - len(ids))
        if count > 0 and head.due_at <= now and head.not_before <= now:
            parameters = {"p_webhook": head.id, "p_now": now, "p_until": lease_until, "p_limit": count}
            found = list(conn.scalars(_CLAIM, parameters))
            taken[head.id] = len(found)
            ids += found
    due = [max(head.due_at, head.not_before) for head in heads(conn) if room(head) > 0]
    return Claims(_read(conn, ids), min(due, default=None))


def delivered(conn: sa.Connection, event: Event, *, now: int) -> bool:
    """End an event: the endpoint has it. False if the claim was lost."""
    return _end(conn, event, "delivered", now)


def give_up(conn: sa.Connection, event: Event, *, now: int) -> bool:
    """End an event: it is not tried again. False if the claim was lost."""
    return _end(conn, event, "given_up", now)


def try_again(conn: sa.Connection, event: Event, *, due_at: int) -> bool:
    """Queue an event again, and the later ones of its call behind it. False if the claim was lost."""
    if conn.execute(_LATER, _mine(event) | {"p_due": due_at}).rowcount != 1:
        return False
    conn.execute(
        _FOLLOWERS_LATER,
        {
            "p_call": event.call.id,
            "p_webhook": event.webhook.id,
            "p_sequence": event.sequence,
            "p_due": due_at,
        },
    )
    return True


def release(conn: sa.Connection, events: Sequence[Event], *, now: int) -> None:
    """Give claims back, at a stop: others may send them at once."""
    for event in events:
        conn.execute(_RELEASE, _mine(event) | {"p_now": now})
    wake.announce(conn, wake.OUTBOX)


def replay(conn: sa.Connection, outbox_id: int, *, now: int) -> bool:
    """Send an event once more, as if it were new; False while it is being sent, or if there is none."""
    parameters = {"p_id": outbox_id, "p_now": now, "p_expires": now + GIVE_UP_AFTER_MS}
    wake.announce(conn, wake.OUTBOX)
    return conn.execute(_REPLAY, parameters).rowcount == 1


def give_up_expired(conn: sa.Connection, *, now: int) -> int:
    """Give up what waited too long for an endpoint that is off; return how many."""
    return conn.execute(_GIVE_UP_EXPIRED, {"p_now": now}).rowcount


def heads(conn: sa.Connection) -> Sequence[sa.Row[tuple[int, int | None, int, int]]]:
    """Return the endpoints for which something is pending, and when the first of it is due."""
    return conn.execute(_HEADS).all()


def _read(conn: sa.Connection, ids: list[int]) -> list[Event]:
    if not ids:
        return []
    rows = conn.execute(_CLAIMED, {"p_ids": ids}).mappings().all()
    of_calls = sorted({row["call_id"] for row in rows})
    found = {call.id: call for call in calls.of_ids(conn, of_calls)}
    records = {(cdr.call_id, cdr.number): cdr for cdr in cdrs.of_calls(conn, of_calls)}
    return [
        Event(
            id=row["outbox_id"],
            claim=row["claim"],
            webhook=to_webhook(row),
            call=found[row["call_id"]],
            cdr=_record_of(row, records),
            flow_event=_flow_event(row),
            sequence=row["sequence"],
            attempts_left=row["attempts_left"],
            tries=row["tries"],
            created_at=row["event_at"],
            expires_at=row["expires_at"],
            time_zone=row["time_zone"],
        )
        for row in rows
    ]


def _record_of(row: sa.RowMapping, records: Mapping[tuple[str, int], Cdr]) -> Cdr | None:
    if row["attempt"] is None or row["content"] is not None:
        return None
    return records[row["call_id"], row["attempt"]]


def _flow_event(row: sa.RowMapping) -> FlowEvent | None:
    if row["content"] is None:
        return None
    content = json.loads(row["content"])
    return FlowEvent(name=content["name"], data=content["data"], attempt=row["attempt"])


def _end(conn: sa.Connection, event: Event, state: str, now: int) -> bool:
    return conn.execute(_ENDED, _mine(event) | {"p_state": state, "p_now": now}).rowcount == 1


def _mine(event: Event) -> dict[str, int | str]:
    return {"p_id": event.id, "p_claim": event.claim}
