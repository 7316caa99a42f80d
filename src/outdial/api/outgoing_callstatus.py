"""GET `outgoing/callstatus`: how calls went, with each attempt and one sentence for people."""

import asyncio
from collections.abc import Sequence
from contextvars import copy_context
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from outdial.api.answers import Page, family_duration, family_time, ok
from outdial.api.auth import Principal, authenticate
from outdial.api.call_filter import read_call_filter
from outdial.api.context import ApiContext, context_of
from outdial.api.documentation import errors, family, query, success
from outdial.api.errors import ApiError, invalid
from outdial.api.explanation import explain
from outdial.api.voice_recordings import audio_url
from outdial.api.waiting import waits_for
from outdial.domain.agent_leg import AgentLeg
from outdial.domain.call import Attempt, Call, CallState, Cdr, MediaQuality
from outdial.domain.money import to_text
from outdial.domain.number_origin import origin_of
from outdial.storage import attempts, callbacks, calls, cdrs
from outdial.storage.calls import CallFilter

router = APIRouter(tags=["outgoing"])

_Tries = tuple[list[Attempt], list[Cdr]]
"""The attempts of a call, and the CDRs of those that ended."""

_CALL_ID = "70fa87e0-9df9-4327-bc80-a561c48703d8:1"
_ID_IS_MISSING = f"id is missing: the id that outgoing/send answered, as in id={_CALL_ID}."
_EXAMPLE = family(
    "The status of one call.",
    {
        "id": _CALL_ID,
        "mobile": "918867135000",
        "caller_id": "918068280000",
        "name": "obd_api_call",
        "state": "done",
        "status": "ANSWER",
        "duration": "00:00:19",
        "pulsing": "30",
        "charges": "0.5000",
        "dtmf": "1",
        "location": "IN",
        "region": "India",
        "provider": "Tata Docomo",
        "customid": "",
        "customid1": "",
        "submitted_at": "2019-08-16 15:09:51",
        "due_at": None,
        "expires_at": None,
        "start_at": "2019-08-16 15:09:55",
        "end_at": "2019-08-16 15:10:14",
        "explanation": "The callee picked up, heard 12.0 seconds of the announcement and pressed 1; then we"
        " hung up.",
        "callback_of": None,
        "callback": None,
        "attempts": [
            {
                "attempt": 1,
                "state": "ended",
                "status": "ANSWER",
                "reason": "completed",
                "sip_code": 200,
                "sip_reason": "OK",
                "q850": None,
                "sip_call_id": "5f1c0a4e9d3b4c8fa7d2e6b1c0934f5a",
                "hangup_by": "system",
                "trunk": "mycarrier",
                "detour": None,
                "ring_seconds": 3.1,
                "talk_seconds": 19.0,
                "played_seconds": 12.0,
                "dtmf": "1",
                "codec": "PCMA",
                "ptime": 20,
                "recording": None,
                "recording_url": None,
                "dialed_at": "2019-08-16 15:09:52",
                "ringing_at": "2019-08-16 15:09:52",
                "answered_at": "2019-08-16 15:09:55",
                "ended_at": "2019-08-16 15:10:14",
                "flow": None,
                "agents": [],
                "quality": {"packets_sent": 950, "packets_lost": 0, "jitter_ms": 0.4, "mos": 4.4},
            }
        ],
    },
)


@router.get(
    "/outgoing/callstatus",
    summary="How calls went",
    responses=success(
        "The call and its attempts; a list without `id`.", _EXAMPLE, nullable={"status": "string"}
    )
    | errors(401, 404, 422),
    openapi_extra={
        "parameters": [
            query("id", "Id of one call, as `outgoing/send` answered it.", required=False),
            query("mobile", "Calls to this number.", required=False),
            query("customid", "Calls that were sent with this `customid`.", required=False),
            query("date", "Calls of this day in the account's time zone, as in 2019-08-16.", required=False),
            query("page", "Of a list, from 1.", required=False, kind="integer"),
            query("per_page", "Of a list, 1 to 100, 15 by default.", required=False, kind="integer"),
        ]
    },
)
async def callstatus(request: Request) -> Response:
    """Tell where a call is in its life, or how it ended: one call by `id`, or many by `mobile`, `customid`
    and `date`, alone or together.

    With `id`, `data` is that call. Without, it is a list, the newest first, page by page with `links` and
    `meta` as in `voice/sounds`.

    `state` is queued, leased (a dialer works on it) or done; `status` is null until an attempt ended, and
    final once `state` is done. While a call is queued, `due_at` is when it may be dialled, and `explanation`
    says what it waits for. `callback` is the call that the callee asked for in this one, and
    `callback_of` the call in which this one was asked for. `agents` of an attempt are those whom its flow
    called to bring them together with the callee; `charges` holds what they cost, too.

    Where an attempt ran a flow, `flow` says its `id`, `version` and `result`, the `path` that the callee took
    with the seconds at each node (null where the call ended), and the `variables` and `tags` that it set; a
    value that the flow's author masked is `****`.
    """
    principal = await authenticate(request)
    context = context_of(request)
    wanted = None if request.query_params.get("id") else read_call_filter(request.query_params)
    if wanted is None:
        if not request.query_params.get("id"):
            raise invalid({"id": [f"{_ID_IS_MISSING} Or give mobile, customid or date."]})
        call, tries = await the_call(request, principal)
        return ok("The status of one call.", await _described(context, call, tries))
    page = Page(request)
    found, total = await context.database.read(
        _read_calls, principal.account_id, wanted, page.size, page.offset
    )
    return page.answer(f"{total} calls.", [await _described(context, *each) for each in found], total)


async def _described(context: ApiContext, call: Call, tries: _Tries) -> dict[str, Any]:
    callback = None
    if call.ivr_id is not None and call.state is not CallState.QUEUED:
        callback = await context.database.read(calls.get, callbacks.id_of(call.id))
    held_by = await what_it_waits_for(context, call)
    # In a thread: the first number takes half a second.
    return await asyncio.to_thread(status_row, call, *tries, waits_for=held_by, callback=callback)


async def what_it_waits_for(context: ApiContext, call: Call) -> str | None:
    """What holds a queued call, as a sentence."""
    if call.state is not CallState.QUEUED:
        return None
    # The thread that reads would write times in the zone of nobody's account.
    here = copy_context()
    return await context.database.read(lambda conn: here.run(waits_for, conn, call, now=context.now_ms()))


def status_row(
    call: Call,
    tries: Sequence[Attempt],
    records: Sequence[Cdr],
    *,
    waits_for: str | None = None,
    callback: Call | None = None,
) -> dict[str, Any]:
    """The family's fields and ours."""
    last = records[-1].outcome if records else None
    origin = origin_of(call.to)
    return {
        "id": call.id,
        "mobile": call.to,
        "caller_id": call.bridge,
        "name": call.name,
        "state": call.state,
        "status": call.disposition,
        "duration": family_duration(last.talk_ms if last else 0),
        "pulsing": str(records[-1].bill.pulse_s if records else 0),
        "charges": to_text(sum(record.charge for record in records)),
        "dtmf": last.dtmf if last else "",
        "location": call.iso,
        "region": origin.region,
        "provider": origin.provider,
        "customid": call.customid,
        "customid1": call.customid1,
        "submitted_at": family_time(call.submitted_at),
        "due_at": family_time(call.due_at if call.state is CallState.QUEUED else None),
        "expires_at": family_time(call.expires_at),
        "start_at": family_time(last.answered_at if last else None),
        "end_at": family_time(last.ended_at if last else call.done_at),
        "explanation": explain(call, tries, records, waits_for=waits_for),
        "callback_of": call.callback_of,
        "callback": None
        if callback is None
        else {"id": callback.id, "due_at": family_time(callback.due_at), "state": callback.state},
        "attempts": attempt_rows(tries, records),
    }


def attempt_rows(tries: Sequence[Attempt], records: Sequence[Cdr]) -> list[dict[str, Any]]:
    """A row for each attempt, oldest first."""
    return [_attempt_row(each, _record_of(each, records)) for each in tries]


def _record_of(attempt: Attempt, records: Sequence[Cdr]) -> Cdr | None:
    return next((record for record in records if record.number == attempt.number), None)


def _attempt_row(attempt: Attempt, record: Cdr | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "attempt": attempt.number,
        "state": attempt.state,
        "status": None,
        "dialed_at": family_time(attempt.dialing_at),
        "ringing_at": family_time(attempt.ringing_at),
        "answered_at": family_time(attempt.answered_at),
        "ended_at": family_time(attempt.ended_at),
    }
    if record is None:
        return row
    outcome = record.outcome
    return row | {
        "status": outcome.disposition,
        "reason": outcome.reason,
        "sip_code": outcome.sip_code,
        "sip_reason": outcome.sip_reason,
        "q850": outcome.q850,
        "sip_call_id": outcome.sip_call_id,
        "hangup_by": outcome.hangup_by,
        "trunk": outcome.trunk,
        "detour": outcome.detour,
        "ring_seconds": outcome.ring_ms / 1000,
        "talk_seconds": outcome.talk_ms / 1000,
        "played_seconds": outcome.played_ms / 1000,
        "dtmf": outcome.dtmf,
        "codec": outcome.codec,
        "ptime": outcome.ptime_ms,
        "recording": outcome.recording_key,
        "recording_url": audio_url(outcome.recording_key),
        "flow": None if outcome.flow_run is None else outcome.flow_run.shown(family_time),
        "agents": [_agent_row(leg) for leg in record.agents],
        "quality": _quality_row(outcome.quality),
    }


def _agent_row(leg: AgentLeg) -> dict[str, Any]:
    """Whom the flow called to bring them together with the callee, and how that went."""
    outcome = leg.outcome
    return {
        "mobile": leg.to,
        "caller_id": leg.caller_id,
        "status": None if outcome is None else outcome.disposition,
        "reason": None if outcome is None else outcome.reason,
        "sip_code": None if outcome is None else outcome.sip_code,
        "talk_seconds": 0.0 if outcome is None else outcome.talk_ms / 1000,
        "charges": to_text(leg.bill.charge),
        "recording": None if outcome is None else outcome.recording_key,
        "recording_url": None if outcome is None else audio_url(outcome.recording_key),
        "dialed_at": family_time(leg.dialing_at),
        "answered_at": family_time(leg.answered_at),
        "joined_at": None if outcome is None else family_time(outcome.joined_at),
        "ended_at": None if outcome is None else family_time(outcome.ended_at),
    }


def _quality_row(quality: MediaQuality | None) -> dict[str, Any] | None:
    if quality is None:
        return None
    return {name: getattr(quality, name) for name in MediaQuality.__slots__}


async def the_call(request: Request, principal: Principal) -> tuple[Call, _Tries]:
    """The call that `?id=` names, with its attempts and CDRs. Raises ApiError 404 and 422."""
    call_id = the_call_id(request.query_params.get("id"))
    found = await context_of(request).database.read(read_call, call_id)
    if found is None or found[0].account_id != principal.account_id:
        raise no_such_call(call_id)
    return found


def read_call(conn: sa.Connection, call_id: str) -> tuple[Call, _Tries] | None:
    """Return a call, of whichever account, with its attempts and CDRs."""
    call = calls.get(conn, call_id)
    return None if call is None else (call, _read_tries(conn, call_id))


def _read_calls(
    conn: sa.Connection, account_id: int, wanted: CallFilter, limit: int, offset: int
) -> tuple[list[tuple[Call, _Tries]], int]:
    found = calls.find(conn, account_id, wanted, limit=limit, offset=offset)
    return [(call, _read_tries(conn, call.id)) for call in found], calls.count(conn, account_id, wanted)


def _read_tries(conn: sa.Connection, call_id: str) -> _Tries:
    return attempts.of_call(conn, call_id), cdrs.of_call(conn, call_id)


def the_call_id(value: object) -> str:
    """A call's id out of a parameter. Raises ApiError 422 when there is none."""
    if not isinstance(value, str) or not value.strip():
        raise invalid({"id": [_ID_IS_MISSING]})
    return value.strip()


def no_such_call(call_id: str) -> ApiError:
    """404 for a call that does not exist or belongs to somebody else."""
    return ApiError(404, f"There is no call {call_id[:80]}.")
