"""Attempts: how far a dial came, and its end. Every write is refused unless the lease still holds.

The attempt's row is what a dialer and a rescuer contend for: each moves it by one conditional statement, so
exactly one of them wins, and the winner alone writes the CDR and decides about the call.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import Attempt, AttemptOutcome, AttemptState, CallState, Lease
from outdial.domain.disposition import Disposition, EndReason
from outdial.domain.rating import bill
from outdial.domain.retry_policy import Done, Retry, RetryDecision, may_go_elsewhere
from outdial.storage import agent_legs, call_rates, cdrs, credit, endings, flow_runs, outbox, traces, ways
from outdial.storage.fencing import MINE, mine
from outdial.storage.statement import Statement
from outdial.storage.tables import attempts, calls

_DIALING = Statement(
    sa.update(attempts)
    .where(*MINE, attempts.c.state == sa.literal_column("'claimed'"))
    .values(state=AttemptState.DIALING.value, dialing_at=bindparam("p_now"))
)

_RINGING = Statement(
    sa.update(attempts)
    .where(*MINE, attempts.c.state == sa.literal_column("'dialing'"))
    .values(state=AttemptState.RINGING.value, ringing_at=bindparam("p_at"))
)

_ANSWERED = Statement(
    sa.update(attempts)
    .where(*MINE, attempts.c.state.in_((sa.literal_column("'dialing'"), sa.literal_column("'ringing'"))))
    .values(state=AttemptState.ANSWERED.value, answered_at=bindparam("p_at"))
)

_ENDED = Statement(
    sa.update(attempts)
    .where(*MINE, attempts.c.state != sa.literal_column("'ended'"))
    .values(
        state=AttemptState.ENDED.value,
        dialing_at=bindparam("p_dialing_at"),
        ringing_at=bindparam("p_ringing_at"),
        answered_at=bindparam("p_answered_at"),
        ended_at=bindparam("p_ended_at"),
    )
)

_STILL_MINE = Statement(sa.select(attempts.c.state).where(*MINE))

_CANCELLED = calls.c.cancel_requested_at.is_not(None)

_LEASED = (
    calls.c.id == bindparam("p_call"),
    calls.c.fence == bindparam("p_fence"),
    calls.c.state == sa.literal_column("'leased'"),
)

_OF_MONEY = (calls.c.state, calls.c.account_id, calls.c.rate, calls.c.reserved, calls.c.reason)

_SAID_OF_THE_CALL = endings.unless_picked_up_late(
    disposition=bindparam("p_disposition"), reason=bindparam("p_reason")
)

_CALL_DONE = Statement(
    sa.update(calls)
    .where(*_LEASED)
    .values(
        state=CallState.DONE.value,
        done_at=bindparam("p_ended_at"),
        attempts_spent=calls.c.attempts_spent + 1,
        dialer_id=None,
        **_SAID_OF_THE_CALL,
    )
    .returning(*_OF_MONEY)
)

# Somebody may have asked to cancel between the last look and now, or its time is over before the retry: then
# there is none.
_NO_RETRY = sa.or_(_CANCELLED, calls.c.expires_at <= bindparam("p_due_at"))

_CALL_RETRY = Statement(
    sa.update(calls)
    .where(*_LEASED)
    .values(
        state=sa.case((_NO_RETRY, sa.literal_column("'done'")), else_=sa.literal_column("'queued'")),
        done_at=sa.case((_NO_RETRY, bindparam("p_ended_at")), else_=None),
        due_at=bindparam("p_due_at"),
        attempts_spent=calls.c.attempts_spent + bindparam("p_spent"),
        trunk_faults=calls.c.trunk_faults + bindparam("p_fault"),
        dialer_id=None,
        **_SAID_OF_THE_CALL,
    )
    .returning(*_OF_MONEY)
)

_OF_CALL = sa.select(attempts).where(attempts.c.call_id == bindparam("p_call")).order_by(attempts.c.number)


def mark_dialing(conn: sa.Connection, lease: Lease, *, now: int) -> bool:
    """Note, before the INVITE leaves, that it may have left; False if the lease is lost: then do not dial."""
    return _DIALING.execute(conn, mine(lease) | {"p_now": now}).rowcount == 1


def mark_ringing(conn: sa.Connection, lease: Lease, *, at: int) -> bool:
    """Note that a 180 or 183 came at `at`."""
    return _RINGING.execute(conn, mine(lease) | {"p_at": at}).rowcount == 1


def mark_answered(conn: sa.Connection, lease: Lease, *, at: int) -> bool:
    """Note, before the first audio, that a 2xx came at `at`; False if the lease is lost: then hang up."""
    return _ANSWERED.execute(conn, mine(lease) | {"p_at": at}).rowcount == 1


def append_trace(conn: sa.Connection, lease: Lease, entries: Sequence[traces.Entry]) -> bool:
    """Store further trace entries; False if the lease is lost.

    Also after `finish`: the answer to our BYE comes later than the outcome.
    """
    if _STILL_MINE.execute(conn, mine(lease)).first() is None:
        return False
    traces.append(conn, lease.call_id, lease.number, entries)
    return True


def finish(
    conn: sa.Connection,
    lease: Lease,
    outcome: AttemptOutcome,
    decision: RetryDecision,
    *,
    now: int,
    trace: Sequence[traces.Entry] = (),
) -> RetryDecision | None:
    """End an attempt if it is still ours: CDR, charge, last trace entries, the call queued again or done, its
    events.

    All in this transaction. Returns what was decided: where the trunk took no call and the bridge has
    another, the call goes by that one at once, and the attempt counts as nothing. None, and nothing written,
    if the lease was lost or the attempt had ended.
    """
    ended = _ENDED.execute(
        conn,
        mine(lease)
        | {
            "p_dialing_at": outcome.dialing_at,
            "p_ringing_at": outcome.ringing_at,
            "p_answered_at": outcome.answered_at,
            "p_ended_at": outcome.ended_at,
        },
    )
    if ended.rowcount != 1:
        return None
    decision = end_call(conn, lease, outcome, decision, now=now)
    if outcome.flow_run is not None:
        agent_legs.end_open(conn, lease, ended_at=outcome.ended_at, now=now)
        flow_runs.insert(conn, lease, outcome.flow_run, ended_at=outcome.ended_at)
    if trace:
        traces.append(conn, lease.call_id, lease.number, trace)
    return decision


def end_call(
    conn: sa.Connection, lease: Lease, outcome: AttemptOutcome, decision: RetryDecision, *, now: int
) -> RetryDecision:
    """Queue the call of an ended attempt again or end it, charge what the attempt cost, write its CDR and its
    event; returns what was decided, as in `finish`.

    A call of which somebody picked up an earlier try too late was answered, whatever this one came to: then
    another event has the last word.
    """
    elsewhere = ways.after(conn, lease.call_id, now=now) if may_go_elsewhere(outcome) else None
    if elsewhere is not None:
        decision = Retry(due_at=outcome.ended_at, spends_attempt=False)
    parameters: dict[str, Any] = {
        "p_call": lease.call_id,
        "p_fence": lease.fence,
        "p_ended_at": outcome.ended_at,
        "p_disposition": outcome.disposition.value,
        "p_reason": outcome.reason.value,
    }
    if isinstance(decision, Done):
        row = _CALL_DONE.execute(conn, parameters).one_or_none()
    else:
        spent = int(decision.spends_attempt)
        fault = int(not spent and elsewhere is None)
        parameters |= {"p_due_at": decision.due_at, "p_spent": spent, "p_fault": fault}
        row = _CALL_RETRY.execute(conn, parameters).one_or_none()
        if row is not None and elsewhere is not None:
            ways.put(conn, lease.call_id, elsewhere)
        elif row is not None:
            ways.put_back(conn, lease.call_id)
    if row is None:
        cdrs.insert(conn, lease, outcome)
        outbox.add_attempt(conn, lease.call_id, lease.number, now=now)
        return decision
    state, account_id, rate, reserved, reason = row
    cost = bill(
        None if rate is None else call_rates.from_json(rate),
        answered=outcome.answered_at is not None,
        talk_ms=outcome.talk_ms,
        most=reserved or None,
    )
    cdrs.insert(conn, lease, outcome, cost)
    credit.settle(
        conn,
        account_id,
        lease.call_id,
        charge=cost.charge,
        reserved=reserved if state == CallState.DONE else 0,
        attempt=lease.number,
        now=now,
    )
    outbox.add_attempt(conn, lease.call_id, lease.number, now=now)
    if reason == EndReason.ANSWERED_LATE and outcome.disposition is not Disposition.ANSWER:
        outbox.add_end(conn, lease.call_id, now=now)
    return decision


def of_call(conn: sa.Connection, call_id: str) -> list[Attempt]:
    """Return the attempts of a call, oldest first."""
    return [
        Attempt(
            call_id=row.call_id,
            number=row.number,
            fence=row.fence,
            dialer_id=row.dialer_id,
            state=AttemptState(row.state),
            claimed_at=row.claimed_at,
            dialing_at=row.dialing_at,
            ringing_at=row.ringing_at,
            answered_at=row.answered_at,
            ended_at=row.ended_at,
        )
        for row in conn.execute(_OF_CALL, {"p_call": call_id})
    ]
