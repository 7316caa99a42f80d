"""Calls: accepting them, reading them, asking to cancel them. Claiming them is in claims.py."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.exc import IntegrityError

from outdial.domain.call import Call, CallState, NewCall
from outdial.domain.disposition import Disposition, EndReason
from outdial.storage import call_rates, endings, wake
from outdial.storage.tables import calls

_INSERT = sa.insert(calls)
_COPY_FROM = 100
"""From this many rows on, PostgreSQL's COPY is faster than inserts (twice for 10,000, a fifth of our CPU)."""

COLUMNS = tuple(column for column in calls.c if column.name not in ("seq", "fence", "dialer_id"))
"""The columns of a `Call`."""

_BY_ID = sa.select(*COLUMNS).where(calls.c.id == bindparam("p_id"))

_BY_IDS = sa.select(*COLUMNS).where(calls.c.id.in_(bindparam("p_ids", expanding=True)))

_PLACE = sa.select(calls.c.submitted_at, calls.c.seq).where(
    calls.c.id == bindparam("p_id"), calls.c.account_id == bindparam("p_account")
)

_NEWEST_FIRST = (calls.c.submitted_at.desc(), calls.c.seq.desc())

_OPEN_OF_ACCOUNT = sa.select(calls.c.id).where(
    calls.c.account_id == bindparam("p_account"),
    calls.c.state != sa.literal_column("'done'"),
    calls.c.cancel_requested_at.is_(None),
)

_ALL_OPEN = sa.select(calls.c.id).where(calls.c.state != sa.literal_column("'done'"))

_CANCELLING = sa.select(calls.c.id).where(
    calls.c.dialer_id == bindparam("p_dialer"),
    sa.text("state = 'leased' AND cancel_requested_at IS NOT NULL"),
)


def insert_calls(conn: sa.Connection, new_calls: Sequence[NewCall]) -> None:
    """Store accepted calls and wake the dialers. An id that exists already raises IntegrityError."""
    if not new_calls:
        return
    rows = [_row(call) for call in new_calls]
    if conn.dialect.name == "postgresql" and len(rows) >= _COPY_FROM:
        _copy(conn, rows)
    else:
        conn.execute(_INSERT, rows)
    wake.announce(conn, wake.CALLS)


def get(conn: sa.Connection, call_id: str) -> Call | None:
    """Return one call."""
    row = conn.execute(_BY_ID, {"p_id": call_id}).mappings().one_or_none()
    return None if row is None else to_call(row)


def of_ids(conn: sa.Connection, call_ids: Sequence[str]) -> list[Call]:
    """Return these calls, in any order."""
    return [to_call(row) for row in conn.execute(_BY_IDS, {"p_ids": call_ids}).mappings()]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which of an account's calls are meant; what is None does not matter."""

    to: str | None = None
    """The callee's number, digits with country code."""
    customid: str | None = None
    customid1: str | None = None
    bridge: str | None = None
    """Our number, digits."""
    name: str | None = None
    """Of the campaign."""
    disposition: Disposition | None = None
    """Of the newest ended attempt."""
    state: CallState | None = None
    submitted_from: int | None = None
    """Accepted then or later, Unix milliseconds."""
    submitted_before: int | None = None


ANY_CALL = CallFilter()


def find(
    conn: sa.Connection,
    account_id: int,
    wanted: CallFilter = ANY_CALL,
    *,
    limit: int = 50,
    offset: int = 0,
    after: tuple[int, int] | None = None,
) -> list[Call]:
    """Return an account's calls of that kind, newest first: from `offset` on, or behind the place `after`."""
    query = matching(sa.select(*COLUMNS), wanted)
    if after is not None:
        query = query.where(sa.tuple_(calls.c.submitted_at, calls.c.seq) < sa.tuple_(*after))
    query = query.order_by(*_NEWEST_FIRST).limit(limit).offset(offset)
    return [to_call(row) for row in conn.execute(query, {"p_account": account_id}).mappings()]


def place(conn: sa.Connection, account_id: int, call_id: str) -> tuple[int, int] | None:
    """Return where a call stands in an account's list, for `find`; None if the account has no such call."""
    row = conn.execute(_PLACE, {"p_id": call_id, "p_account": account_id}).one_or_none()
    return None if row is None else (row.submitted_at, row.seq)


def count(conn: sa.Connection, account_id: int, wanted: CallFilter = ANY_CALL) -> int:
    """Return how many calls of that kind an account has."""
    query = matching(sa.select(sa.func.count()).select_from(calls), wanted)
    return int(conn.execute(query, {"p_account": account_id}).scalar_one())


def matching(query: sa.Select[Any], wanted: CallFilter) -> sa.Select[Any]:
    """Narrow a query of calls, alone or joined, to those of the account `p_account` that are wanted."""
    query = query.where(calls.c.account_id == bindparam("p_account"))
    if wanted.to is not None:
        query = query.where(calls.c.to_number == wanted.to)
    if wanted.customid is not None:
        query = query.where(calls.c.customid == wanted.customid, calls.c.customid != sa.literal_column("''"))
    if wanted.customid1 is not None:
        query = query.where(calls.c.customid1 == wanted.customid1)
    if wanted.bridge is not None:
        query = query.where(calls.c.bridge == wanted.bridge)
    if wanted.name is not None:
        query = query.where(calls.c.name == wanted.name, calls.c.name != sa.literal_column("''"))
    if wanted.disposition is not None:
        query = query.where(calls.c.disposition == wanted.disposition.value)
    if wanted.state is not None:
        query = query.where(calls.c.state == wanted.state.value)
    if wanted.submitted_from is not None:
        query = query.where(calls.c.submitted_at >= wanted.submitted_from)
    if wanted.submitted_before is not None:
        query = query.where(calls.c.submitted_at < wanted.submitted_before)
    return query


def request_cancel(conn: sa.Connection, call_id: str, *, now: int) -> CallState | None:
    """Ask that a call be cancelled.

    A queued call is done at once (CANCEL). One that is being dialled is marked, its dialer is woken and acts
    on it. Returns the call's state afterwards, or None if there was nothing to cancel: no such call, or done.
    """
    return endings.cancel(conn, [call_id], now=now).get(call_id)


def all_open(conn: sa.Connection, *, cancel_at: int | None = None) -> int:
    """Return how many calls of all accounts are not over; with `cancel_at`, ask to cancel each of them."""
    found = list(conn.scalars(_ALL_OPEN))
    if cancel_at is not None:
        for first in range(0, len(found), endings.BATCH):
            endings.cancel(conn, found[first : first + endings.BATCH], now=cancel_at)
    return len(found)


def cancel_of_account(conn: sa.Connection, account_id: int, *, now: int, limit: int) -> int:
    """Ask to cancel up to `limit` of an account's calls that nobody asked to cancel yet; returns how many."""
    found = list(conn.scalars(_OPEN_OF_ACCOUNT.limit(limit), {"p_account": account_id}))
    endings.cancel(conn, found, now=now)
    return len(found)


def cancelling(conn: sa.Connection, dialer_id: str) -> list[str]:
    """Return the ids of a dialer's calls that somebody asked to cancel."""
    return list(conn.scalars(_CANCELLING, {"p_dialer": dialer_id}))


def to_call(row: Mapping[Any, Any]) -> Call:
    """Make a Call of a row of COLUMNS by their names (further columns are ignored)."""
    return Call(
        id=row["id"],
        account_id=row["account_id"],
        bridge=row["bridge"],
        trunk_id=row["trunk_id"],
        to=row["to_number"],
        iso=row["iso"],
        sound_id=row["sound_id"],
        audio_url=row["audio_url"],
        ivr_id=row["ivr_id"],
        flow_version=row["flow_version"],
        name=row["name"],
        webhook_id=row["webhook_id"],
        customid=row["customid"],
        customid1=row["customid1"],
        variables=json.loads(row["variables"]) if row["variables"] != "{}" else {},
        retries=row["retries"],
        interval_minutes=row["interval_minutes"],
        rate=None if row["rate"] is None else call_rates.from_json(row["rate"]),
        reserved=row["reserved"],
        calling_window=row["calling_window"],
        expires_at=row["expires_at"],
        paused_by=row["paused_by"],
        submitted_at=row["submitted_at"],
        due_at=row["due_at"],
        state=CallState(row["state"]),
        attempts_started=row["attempts_started"],
        attempts_spent=row["attempts_spent"],
        trunk_faults=row["trunk_faults"],
        cancel_requested_at=row["cancel_requested_at"],
        disposition=None if row["disposition"] is None else Disposition(row["disposition"]),
        reason=None if row["reason"] is None else EndReason(row["reason"]),
        done_at=row["done_at"],
        callback_of=row["callback_of"],
        traceparent=row["traceparent"],
        held_why=row["held_why"],
    )


def _copy(conn: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    names = tuple(rows[0])
    statement = f"COPY calls ({', '.join(names)}) FROM STDIN"
    driver = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])
    except psycopg.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error


def _row(call: NewCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "account_id": call.account_id,
        "bridge": call.bridge,
        "trunk_id": call.trunk_id,
        "to_number": call.to,
        "iso": call.iso,
        "sound_id": call.sound_id,
        "audio_url": call.audio_url,
        "ivr_id": call.ivr_id,
        "flow_version": call.flow_version,
        "name": call.name,
        "webhook_id": call.webhook_id,
        "customid": call.customid,
        "customid1": call.customid1,
        "variables": json.dumps(dict(call.variables)),
        "retries": call.retries,
        "interval_minutes": call.interval_minutes,
        "submitted_at": call.submitted_at,
        "due_at": call.due_at,
        "traceparent": call.traceparent,
        "state": CallState.QUEUED.value,
        "fence": 0,
        "attempts_started": 0,
        "attempts_spent": 0,
        "trunk_faults": 0,
        "rate": None if call.rate is None else call_rates.to_json(call.rate),
        "reserved": call.reserved,
        "calling_window": call.calling_window,
        "expires_at": call.expires_at,
        "paused_by": call.paused_by,
    }
