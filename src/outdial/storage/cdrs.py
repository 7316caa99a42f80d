"""CDRs: one immutable row for each ended attempt. There is no delete, and one thing is added later.

A dialer that died may have left a recording, which is found when it starts again. The key of a recording that
its account deleted stays in the row and is not read any more.
"""

from collections.abc import Sequence
from dataclasses import fields, replace

import sqlalchemy as sa
from sqlalchemy import bindparam

from outdial.domain.agent_leg import AgentLeg
from outdial.domain.call import AttemptOutcome, Cdr, Lease, MediaQuality
from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.rating import NOTHING, Bill
from outdial.storage import agent_legs, flow_runs, recordings
from outdial.storage.statement import Statement
from outdial.storage.tables import cdrs

_INSERT = Statement(sa.insert(cdrs))
_SELECT = sa.select(cdrs, recordings.is_gone(cdrs.c.recording_key).label("recording_deleted"))
_OF_CALL = _SELECT.where(cdrs.c.call_id == bindparam("p_call")).order_by(cdrs.c.number)
_OF_CALLS = _SELECT.where(cdrs.c.call_id.in_(bindparam("p_calls", expanding=True)))

_QUALITY_FIELDS = tuple(field.name for field in fields(MediaQuality))


def insert(conn: sa.Connection, lease: Lease, outcome: AttemptOutcome, bill: Bill = NOTHING) -> None:
    """Write the CDR of the attempt that `lease` names; a second one raises IntegrityError."""
    quality = outcome.quality
    _INSERT.execute(
        conn,
        {
            "call_id": lease.call_id,
            "number": lease.number,
            "dialer_id": lease.dialer_id,
            "disposition": outcome.disposition.value,
            "reason": outcome.reason.value,
            "hangup_by": outcome.hangup_by.value,
            "dialing_at": outcome.dialing_at,
            "ringing_at": outcome.ringing_at,
            "answered_at": outcome.answered_at,
            "ended_at": outcome.ended_at,
            "ring_ms": outcome.ring_ms,
            "talk_ms": outcome.talk_ms,
            "sip_call_id": outcome.sip_call_id,
            "sip_code": outcome.sip_code,
            "sip_reason": outcome.sip_reason,
            "q850": outcome.q850,
            "dtmf": outcome.dtmf,
            "codec": outcome.codec,
            "ptime_ms": outcome.ptime_ms,
            "played_ms": outcome.played_ms,
            "recording_key": outcome.recording_key,
            "detail": outcome.detail,
            "trunk": outcome.trunk,
            "detour": outcome.detour,
            "charge": bill.charge,
            "pulse_s": bill.pulse_s,
            "billed_ms": bill.billed_ms,
            **{name: None if quality is None else getattr(quality, name) for name in _QUALITY_FIELDS},
        },
    )
    if outcome.recording_key is not None and outcome.codec is not None:
        recordings.add(
            conn,
            lease,
            outcome.recording_key,
            outcome.codec,
            recorded_at=outcome.ended_at,
            duration_ms=outcome.recorded_ms,
        )


def add_recording(
    conn: sa.Connection, call_id: str, number: int, codec: str, key: str, *, duration_ms: int
) -> bool:
    """Name the recording of an interrupted attempt; False while the attempt has no CDR.

    True also if the CDR has a recording already: then nothing is changed.
    """
    this = (cdrs.c.call_id == call_id, cdrs.c.number == number)
    conn.execute(
        sa.update(cdrs).where(*this, cdrs.c.recording_key.is_(None)).values(recording_key=key, codec=codec)
    )
    found = conn.execute(sa.select(cdrs).where(*this)).one_or_none()
    if found is not None and found.recording_key == key:
        lease = Lease(call_id, number, 0, found.dialer_id)
        recordings.add(conn, lease, key, codec, recorded_at=found.ended_at, duration_ms=duration_ms)
    return found is not None


def of_call(conn: sa.Connection, call_id: str) -> list[Cdr]:
    """Return the CDRs of a call, oldest attempt first, each with what it did in its flow and its agents."""
    found = [_cdr(row) for row in conn.execute(_OF_CALL, {"p_call": call_id}).mappings()]
    return _with_runs(conn, found)


def of_calls(conn: sa.Connection, call_ids: Sequence[str]) -> list[Cdr]:
    """Return the CDRs of these calls, in any order, each with what it did in its flow and its agents."""
    found = [_cdr(row) for row in conn.execute(_OF_CALLS, {"p_calls": call_ids}).mappings()]
    return _with_runs(conn, found)


def _with_runs(conn: sa.Connection, found: list[Cdr]) -> list[Cdr]:
    answered = sorted({cdr.call_id for cdr in found if cdr.outcome.answered_at is not None})
    if not answered:
        return found
    runs = flow_runs.of_calls(conn, answered)
    agents: dict[tuple[str, int], list[AgentLeg]] = {}
    for leg in agent_legs.of_calls(conn, answered):
        agents.setdefault((leg.call_id, leg.number), []).append(leg)
    return [
        replace(
            cdr,
            outcome=replace(cdr.outcome, flow_run=runs.get((cdr.call_id, cdr.number))),
            agents=tuple(agents.get((cdr.call_id, cdr.number), ())),
        )
        for cdr in found
    ]


def _cdr(row: sa.RowMapping) -> Cdr:
    measured = row["packets_sent"] is not None
    return Cdr(
        call_id=row["call_id"],
        number=row["number"],
        dialer_id=row["dialer_id"],
        bill=Bill(charge=row["charge"], pulse_s=row["pulse_s"], billed_ms=row["billed_ms"]),
        outcome=AttemptOutcome(
            disposition=Disposition(row["disposition"]),
            reason=EndReason(row["reason"]),
            hangup_by=HangupBy(row["hangup_by"]),
            dialing_at=row["dialing_at"],
            ringing_at=row["ringing_at"],
            answered_at=row["answered_at"],
            ended_at=row["ended_at"],
            sip_call_id=row["sip_call_id"],
            sip_code=row["sip_code"],
            sip_reason=row["sip_reason"],
            q850=row["q850"],
            dtmf=row["dtmf"],
            codec=row["codec"],
            ptime_ms=row["ptime_ms"],
            played_ms=row["played_ms"],
            recording_key=None if row["recording_deleted"] else row["recording_key"],
            detail=row["detail"],
            trunk=row["trunk"],
            detour=row["detour"],
            quality=MediaQuality(**{name: row[name] for name in _QUALITY_FIELDS}) if measured else None,
        ),
    )
