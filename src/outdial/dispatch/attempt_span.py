"""An attempt as a span of its call's trace: waiting, dialling, talking, the steps of its flow."""

from collections.abc import Iterator

from outdial.domain.call import AttemptOutcome, Call
from outdial.domain.disposition import Disposition
from outdial.domain.flow_run import FlowRun
from outdial.telemetry.spans import Span


def attempt_span(call: Call, number: int, outcome: AttemptOutcome, *, claimed_at: int) -> Span:
    """The span of an ended attempt, from the claim to the outcome."""
    ended_at = max(outcome.ended_at, claimed_at)
    attributes: dict[str, str | int | float | bool] = {
        "outdial.call_id": call.id,
        "outdial.account_id": call.account_id,
        "outdial.trunk_id": call.trunk_id,
        "outdial.attempt": number,
        "outdial.waited_ms": max(0, claimed_at - call.due_at),
        "outdial.disposition": outcome.disposition.value,
        "outdial.reason": outcome.reason.value,
        "outdial.hangup_by": outcome.hangup_by.value,
    }
    if outcome.sip_code is not None:
        attributes["outdial.sip_code"] = outcome.sip_code
    failed = outcome.disposition in (Disposition.CONGESTION, Disposition.CHANUNAVAIL)
    return Span(
        name="attempt",
        start_ms=claimed_at,
        end_ms=ended_at,
        attributes=attributes,
        inner=tuple(_inside(outcome, ended_at)),
        problem=outcome.reason.value if failed else None,
    )


def _inside(outcome: AttemptOutcome, ended_at: int) -> Iterator[Span]:
    if outcome.dialing_at is None:
        return
    moments = [("INVITE", outcome.dialing_at)]
    if outcome.ringing_at is not None:
        moments.append(("ringing", outcome.ringing_at))
    if outcome.answered_at is not None:
        moments.append(("answered", outcome.answered_at))
    yield Span(
        name="dial",
        start_ms=outcome.dialing_at,
        end_ms=outcome.answered_at or ended_at,
        attributes={} if outcome.sip_call_id is None else {"outdial.sip_call_id": outcome.sip_call_id},
        moments=moments,
    )
    if outcome.answered_at is not None:
        run = outcome.flow_run
        talk: dict[str, str | int] = {
            "outdial.played_ms": outcome.played_ms,
            "outdial.codec": outcome.codec or "",
        }
        if run is not None:
            talk |= {"outdial.flow": run.flow_id, "outdial.flow_version": run.version}
        yield Span(
            name="talk",
            start_ms=outcome.answered_at,
            end_ms=ended_at,
            attributes=talk,
            inner=() if run is None else tuple(_steps(run, ended_at)),
        )


def _steps(run: FlowRun, ended_at: int) -> Iterator[Span]:
    for each in run.path:
        yield Span(
            name=f"step {each['node']}",
            start_ms=each["entered_at"],
            end_ms=each["left_at"] or max(ended_at, each["entered_at"]),
            attributes={"outdial.flow": str(each["flow"]), "outdial.exit": str(each["exit"] or "")},
        )
