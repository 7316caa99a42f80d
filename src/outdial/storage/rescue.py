"""What a dialer that died, or lost its lease, leaves behind.

`claimed`: certainly not dialled, so the call is queued again and nothing is spent. `dialing` and `ringing`:
the callee's phone may have rung or been answered, so the call is done, as `interrupted`, and never dialled
again. `answered`: done, ANSWER, `interrupted`. Each attempt is moved by a conditional statement, so two
rescuers (or a rescuer and the dialer) never do the same work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.call import AttemptOutcome, AttemptState, Lease
from outdial.domain.disposition import EndReason, HangupBy, classify
from outdial.domain.retry_policy import Done
from outdial.storage import agent_legs, giving_back, trunks, wake
from outdial.storage.attempts import end_call
from outdial.storage.tables import attempts, dialers

# A dialer that froze in the middle of a transaction keeps its locks until PostgreSQL ends its session
# (engine.py). Whoever waited for them would lose its own lease meanwhile, so both pass over what is locked.
_SILENT = (
    sa.select(dialers.c.id)
    .where(
        dialers.c.id == bindparam("p_id"),
        dialers.c.beats == bindparam("p_beats"),
        dialers.c.lost_at.is_(None),
    )
    .with_for_update(skip_locked=True, key_share=True)
    .cte("silent")
)

_DECLARE_LOST = (
    sa.update(dialers)
    .where(dialers.c.id.in_(sa.select(_SILENT.c.id)), dialers.c.lost_at.is_(None))
    .values(lost_at=bindparam("p_now"))
)

_LEFT_BEHIND = (
    sa.select(
        attempts.c.call_id,
        attempts.c.number,
        attempts.c.fence,
        attempts.c.dialer_id,
        sa.case((dialers.c.renewed_at < bindparam("p_now"), dialers.c.renewed_at), else_=bindparam("p_now")),
    )
    .join_from(attempts, dialers, dialers.c.id == attempts.c.dialer_id)
    .where(sa.text("attempts.state <> 'ended'"), dialers.c.lost_at.is_not(None))
    .order_by(attempts.c.call_id)
    .limit(bindparam("p_limit"))
    .with_for_update(skip_locked=True, of=attempts)
)

_THIS = (
    attempts.c.call_id == bindparam("p_call"),
    attempts.c.number == bindparam("p_number"),
    attempts.c.fence == bindparam("p_fence"),
)

_DELETE_CLAIMED = sa.delete(attempts).where(*_THIS, attempts.c.state == sa.literal_column("'claimed'"))

_INTERRUPT = (
    sa.update(attempts)
    .where(*_THIS, attempts.c.state != sa.literal_column("'ended'"))
    .values(
        state=AttemptState.ENDED.value,
        ended_at=sa.func.coalesce(
            sa.case((attempts.c.answered_at > bindparam("p_at"), attempts.c.answered_at)),
            sa.case((attempts.c.ringing_at > bindparam("p_at"), attempts.c.ringing_at)),
            sa.case((attempts.c.dialing_at > bindparam("p_at"), attempts.c.dialing_at)),
            bindparam("p_at"),
        ),
    )
    .returning(attempts.c.dialing_at, attempts.c.ringing_at, attempts.c.answered_at, attempts.c.ended_at)
)

BATCH = 500
"""Attempts rescued in one transaction, so that a large dialer's death does not block other writers."""


@dataclass(frozen=True, slots=True)
class Rescued:
    """What was done."""

    requeued: list[Lease]
    interrupted: list[Lease]


def rescue_lost(conn: sa.Connection, *, silent: Mapping[str, int], now: int, limit: int = BATCH) -> Rescued:
    """Declare dialers lost that are silent, and clear up after all lost ones, up to `limit` attempts.

    `silent` has the count of renewals at which a dialer stood for as long as a lease lasts; one that has
    renewed since is left alone. An interrupted attempt ended, as far as anybody knows, when its dialer was
    last alive.
    """
    for dialer_id, beats in sorted(silent.items()):
        conn.execute(_DECLARE_LOST, {"p_id": dialer_id, "p_beats": beats, "p_now": now})
    left = conn.execute(_LEFT_BEHIND, {"p_now": now, "p_limit": limit}).all()
    return _rescue(conn, [(Lease(*row[:4]), row[4]) for row in left], now)


def rescue_leases(conn: sa.Connection, leases: Sequence[Lease], *, now: int) -> Rescued:
    """Clear up after attempts that a living dialer holds but does not know (their task is gone)."""
    return _rescue(conn, [(lease, now) for lease in leases], now)


def _rescue(conn: sa.Connection, left: Sequence[tuple[Lease, int]], now: int) -> Rescued:
    requeued: list[Lease] = []
    interrupted: list[Lease] = []
    for lease, alive_at in left:
        this: dict[str, str | int] = {
            "p_call": lease.call_id,
            "p_number": lease.number,
            "p_fence": lease.fence,
        }
        if conn.execute(_DELETE_CLAIMED, this).rowcount == 1:
            giving_back.requeue(conn, lease, now=now)
            requeued.append(lease)
        elif _interrupt(conn, lease, this, alive_at, now):
            interrupted.append(lease)
    if requeued:
        wake.announce(conn, wake.CALLS)
    return Rescued(requeued, interrupted)


def _interrupt(
    conn: sa.Connection, lease: Lease, this: dict[str, str | int], alive_at: int, now: int
) -> bool:
    row = conn.execute(_INTERRUPT, this | {"p_at": alive_at}).one_or_none()
    if row is None:
        return False
    reason = EndReason.INTERRUPTED
    outcome = AttemptOutcome(
        disposition=classify(answered=row.answered_at is not None, reason=reason, sip_code=None, q850=None),
        reason=reason,
        hangup_by=HangupBy.SYSTEM,
        dialing_at=row.dialing_at,
        ringing_at=row.ringing_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        trunk=trunks.name_for_call(conn, lease.call_id),
    )
    if row.answered_at is not None:
        agent_legs.end_open(conn, lease, ended_at=row.ended_at, now=now)
    end_call(conn, lease, outcome, Done(), now=now)
    return True
