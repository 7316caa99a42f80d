"""What the database says about the calls of one campaign: a snapshot that an audit can go through."""

from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa

from outdial.domain.call import Attempt, AttemptState, Call, CallState, Cdr
from outdial.storage import attempts, calls, cdrs, wake
from outdial.storage.tables import attempts as attempts_table
from outdial.storage.tables import calls as calls_table


@dataclass(frozen=True)
class Entry:
    """One call with everything that hangs on it."""

    call: Call
    dialer_id: str | None
    """Who has leased it."""
    attempts: list[Attempt]
    cdrs: list[Cdr]


def read_ledger(conn: sa.Connection, campaign: str) -> dict[str, Entry]:
    """The calls of a campaign by id."""
    rows = conn.execute(
        sa.select(calls_table.c.id, calls_table.c.dialer_id).where(calls_table.c.name == campaign)
    ).all()
    entries = {}
    for call_id, dialer_id in rows:
        call = calls.get(conn, call_id)
        assert call is not None
        entries[call_id] = Entry(
            call, dialer_id, attempts.of_call(conn, call_id), cdrs.of_call(conn, call_id)
        )
    return entries


def count_states(conn: sa.Connection, campaign: str) -> Counter[CallState]:
    """How many calls of a campaign are in each state."""
    query = (
        sa.select(calls_table.c.state, sa.func.count())
        .where(calls_table.c.name == campaign)
        .group_by(calls_table.c.state)
    )
    return Counter({CallState(state): number for state, number in conn.execute(query)})


def attempt_states(conn: sa.Connection, campaign: str) -> dict[str, AttemptState]:
    """The state of the newest attempt of each call that has one."""
    query = (
        sa.select(attempts_table.c.call_id, attempts_table.c.state)
        .join_from(attempts_table, calls_table, calls_table.c.id == attempts_table.c.call_id)
        .where(calls_table.c.name == campaign)
        .order_by(attempts_table.c.number)
    )
    return {call_id: AttemptState(state) for call_id, state in conn.execute(query)}


def make_retries_due(conn: sa.Connection, campaign: str, *, now: int) -> int:
    """Let the retry intervals be over at once; how many calls that was."""
    wake.announce(conn, wake.CALLS)
    return conn.execute(
        sa.update(calls_table)
        .where(calls_table.c.name == campaign, calls_table.c.state == "queued", calls_table.c.due_at > now)
        .values(due_at=now)
    ).rowcount


def last_due_at(conn: sa.Connection, campaign: str) -> int:
    """When the last of the queued calls will be due, 0 if there are none."""
    query = sa.select(sa.func.coalesce(sa.func.max(calls_table.c.due_at), 0))
    last: int = conn.execute(
        query.where(calls_table.c.name == campaign, calls_table.c.state == "queued")
    ).scalar_one()
    return last
