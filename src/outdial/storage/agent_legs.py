"""Legs to agents: taken from the limits and paid for before the INVITE leaves, charged when they end.

A leg belongs to an answered attempt and is written under its lease. It has a place on the trunk like a call,
and a reservation of its own; the ledger names the call. What a dialer that died leaves open is ended with the
attempt: as `interrupted`, charged until the dialer was last alive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.agent_leg import AgentLeg, AgentLegOutcome
from outdial.domain.call import Lease
from outdial.domain.disposition import Disposition, EndReason, HangupBy, classify
from outdial.domain.rating import AROUND_MS, Bill, Rate, bill
from outdial.storage import agent_places, call_rates, credit, rates, recordings
from outdial.storage.agent_places import Full, Refused, Wanted
from outdial.storage.credit import NotCovered
from outdial.storage.fencing import MINE, mine
from outdial.storage.statement import Statement
from outdial.storage.tables import agent_legs, attempts

MOST_OF_ATTEMPT = 50
"""Legs that one attempt may make: a flow that goes in circles must not ring the same agents for ever."""

# Locked, so that a rescuer passes over the attempt until the leg is there: it would be left open for ever.
_MAY_BEGIN = Statement(
    sa.select(attempts.c.number)
    .where(*MINE, attempts.c.state == sa.literal_column("'answered'"))
    .with_for_update(read=True, of=attempts)
)
_OF_ATTEMPT = (
    agent_legs.c.call_id == bindparam("p_call"),
    agent_legs.c.number == bindparam("p_number"),
)
_COUNT = Statement(sa.select(sa.func.count()).select_from(agent_legs).where(*_OF_ATTEMPT))
_INSERT = sa.insert(agent_legs)
_OPEN = agent_legs.c.state != sa.literal_column("'ended'")
_THIS = (*_OF_ATTEMPT, agent_legs.c.leg == bindparam("p_leg"))
_MINE = sa.exists().where(*MINE)
_ANSWERED = Statement(
    sa.update(agent_legs)
    .where(*_THIS, agent_legs.c.state == sa.literal_column("'dialing'"), _MINE)
    .values(state=sa.literal_column("'answered'"), answered_at=bindparam("p_at"))
)
_GET_OPEN = Statement(sa.select(agent_legs).where(*_OF_ATTEMPT, _OPEN).order_by(agent_legs.c.leg))
_STILL_MINE = Statement(sa.select(attempts.c.number).where(*MINE))
_END = Statement(
    sa.update(agent_legs)
    .where(*_THIS, _OPEN)
    .values(
        state=sa.literal_column("'ended'"),
        **{
            name: bindparam(f"p_{name}")
            for name in (
                "ringing_at",
                "answered_at",
                "joined_at",
                "ended_at",
                "disposition",
                "reason",
                "hangup_by",
                "sip_code",
                "sip_reason",
                "q850",
                "codec",
                "recording_key",
                "charge",
                "pulse_s",
                "billed_ms",
            )
        },
    )
)
_OF_CALLS = (
    sa.select(agent_legs, recordings.is_gone(agent_legs.c.recording_key).label("recording_deleted"))
    .where(agent_legs.c.call_id.in_(bindparam("p_calls", expanding=True)))
    .order_by(agent_legs.c.call_id, agent_legs.c.number, agent_legs.c.leg)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLeg:
    """A leg that is wanted."""

    account_id: int
    trunk_id: int
    to: str
    caller_id: str
    """A bridge of the account, or the callee's own number."""
    callee: str
    bridge: str
    """The call's, for whose limits it counts where the agent sees the callee's number."""
    sip_call_id: str
    talk_ms: int
    """What has to be paid for of a prepaid balance."""


@dataclass(frozen=True, slots=True)
class Begun:
    """It is on disk: the INVITE may leave."""

    leg: int
    rate: Rate | None
    reserved: int


def begin(
    conn: sa.Connection, lease: Lease, new: NewLeg, *, now: int, wait: int | None = None
) -> Begun | Full | Refused:
    """Take a place and what the leg may cost, and write the leg, if all of it can be had.

    `wait` is what the last try answered, if that was `Full`.
    """
    if _MAY_BEGIN.execute(conn, mine(lease)).first() is None:
        return Refused("the call has been given up by this dialer")
    this = {"p_call": lease.call_id, "p_number": lease.number}
    made: int = _COUNT.execute(conn, this).scalar_one()
    if made >= MOST_OF_ATTEMPT:
        return Refused(f"the call has called {MOST_OF_ATTEMPT} agents already")
    shown = new.caller_id != new.callee
    bridge = new.caller_id if shown else new.bridge
    wanted = Wanted(trunk_id=new.trunk_id, account_id=new.account_id, bridge=bridge, shown=shown)
    ledgers = agent_places.take(conn, lease, wanted, wait=wait, now=now)
    if not isinstance(ledgers, list):
        return ledgers
    price = _reserve(conn, lease, new, now)
    if isinstance(price, Refused):
        return price
    for each in ledgers:
        each.store(conn)
    rate, reserved = price
    conn.execute(
        _INSERT,
        {
            "call_id": lease.call_id,
            "number": lease.number,
            "leg": made + 1,
            "account_id": new.account_id,
            "trunk_id": new.trunk_id,
            "bridge": bridge,
            "caller_id": new.caller_id,
            "to_number": new.to,
            "state": "dialing",
            "dialing_at": now,
            "sip_call_id": new.sip_call_id,
            "rate": None if rate is None else call_rates.to_json(rate),
            "reserved": reserved,
            "charge": 0,
            "pulse_s": 0,
            "billed_ms": 0,
        },
    )
    return Begun(made + 1, rate, reserved)


def mark_answered(conn: sa.Connection, lease: Lease, leg: int, *, at: int) -> bool:
    """Note, before the agent hears anything, that a 2xx came at `at`; False if the lease is lost."""
    return _ANSWERED.execute(conn, mine(lease) | {"p_leg": leg, "p_at": at}).rowcount == 1


def finish(conn: sa.Connection, lease: Lease, leg: int, outcome: AgentLegOutcome, *, now: int) -> bool:
    """End a leg and charge it. False, and nothing written, if the lease is lost or it has ended."""
    if _STILL_MINE.execute(conn, mine(lease)).first() is None:
        return False
    for row in _open(conn, lease):
        if row["leg"] == leg:
            return _end(conn, row, outcome, now)
    return False


def end_open(conn: sa.Connection, lease: Lease, *, ended_at: int, now: int) -> None:
    """End what an attempt has left open: nobody knows more of it than that its dialer has stopped."""
    agent_places.leave_all(conn, lease)
    for row in _open(conn, lease):
        answered = row["answered_at"] is not None
        reason = EndReason.INTERRUPTED
        outcome = AgentLegOutcome(
            disposition=classify(answered=answered, reason=reason, sip_code=None, q850=None),
            reason=reason,
            hangup_by=HangupBy.SYSTEM,
            ended_at=max(ended_at, row["answered_at"] or row["dialing_at"]),
            answered_at=row["answered_at"],
        )
        _end(conn, row, outcome, now)


def of_calls(conn: sa.Connection, call_ids: Sequence[str]) -> list[AgentLeg]:
    """Return the legs of these calls, in the order in which they were made."""
    return [_leg(row) for row in conn.execute(_OF_CALLS, {"p_calls": list(call_ids)}).mappings()]


def _reserve(conn: sa.Connection, lease: Lease, new: NewLeg, now: int) -> tuple[Rate | None, int] | Refused:
    account = credit.get(conn, new.account_id)
    if account is None:
        return Refused("the account is gone")
    rate = rates.match_all(conn, new.account_id, account.currency, [new.to]).get(new.to)
    if not account.prepaid:
        return rate, 0
    if rate is None:
        return Refused(f"{new.to} has no price, and the account is prepaid")
    reserved = rate.charge(new.talk_ms + AROUND_MS)
    if reserved:
        try:
            credit.reserve(
                conn, new.account_id, reserved, call_id=lease.call_id, now=now, note="leg to an agent"
            )
        except NotCovered:
            return Refused("the balance does not cover the call to the agent")
    return rate, reserved


def _open(conn: sa.Connection, lease: Lease) -> Sequence[Mapping[str, Any]]:
    this = {"p_call": lease.call_id, "p_number": lease.number}
    return _GET_OPEN.execute(conn, this).mappings()


def _end(conn: sa.Connection, row: Mapping[str, Any], outcome: AgentLegOutcome, now: int) -> bool:
    """End and charge a leg that was open; False, and nothing charged, if somebody else has ended it since."""
    cost = bill(
        None if row["rate"] is None else call_rates.from_json(row["rate"]),
        answered=outcome.answered_at is not None,
        talk_ms=outcome.talk_ms,
        most=row["reserved"] or None,
    )
    ended = _END.execute(
        conn,
        {
            "p_call": row["call_id"],
            "p_number": row["number"],
            "p_leg": row["leg"],
            "p_ringing_at": outcome.ringing_at,
            "p_answered_at": outcome.answered_at,
            "p_joined_at": outcome.joined_at,
            "p_ended_at": outcome.ended_at,
            "p_disposition": outcome.disposition.value,
            "p_reason": outcome.reason.value,
            "p_hangup_by": outcome.hangup_by.value,
            "p_sip_code": outcome.sip_code,
            "p_sip_reason": outcome.sip_reason,
            "p_q850": outcome.q850,
            "p_codec": outcome.codec,
            "p_recording_key": outcome.recording_key,
            "p_charge": cost.charge,
            "p_pulse_s": cost.pulse_s,
            "p_billed_ms": cost.billed_ms,
        },
    )
    if ended.rowcount != 1:
        return False
    if outcome.recording_key is not None:
        recordings.add(
            conn,
            Lease(row["call_id"], row["number"], 0, ""),
            outcome.recording_key,
            recordings.WAV,
            recorded_at=outcome.ended_at,
            duration_ms=outcome.talk_ms,
            kind=recordings.RecordingKind.TALK,
        )
    credit.settle(
        conn,
        row["account_id"],
        row["call_id"],
        charge=cost.charge,
        reserved=row["reserved"],
        attempt=row["number"],
        now=now,
    )
    return True


def _leg(row: sa.RowMapping) -> AgentLeg:
    outcome = None
    if row["ended_at"] is not None:
        outcome = AgentLegOutcome(
            recording_key=None if row.get("recording_deleted") else row["recording_key"],
            disposition=Disposition(row["disposition"]),
            reason=EndReason(row["reason"]),
            hangup_by=HangupBy(row["hangup_by"]),
            **{
                name: row[name]
                for name in (
                    "ended_at",
                    "ringing_at",
                    "answered_at",
                    "joined_at",
                    "sip_code",
                    "sip_reason",
                    "q850",
                    "codec",
                )
            },
        )
    return AgentLeg(
        call_id=row["call_id"],
        number=row["number"],
        leg=row["leg"],
        to=row["to_number"],
        caller_id=row["caller_id"],
        dialing_at=row["dialing_at"],
        sip_call_id=row["sip_call_id"],
        answered_at=row["answered_at"],
        outcome=outcome,
        bill=Bill(charge=row["charge"], pulse_s=row["pulse_s"], billed_ms=row["billed_ms"]),
    )
