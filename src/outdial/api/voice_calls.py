"""`voice/calls`: the call log, a row for each call that the account sent."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from outdial.api.answers import Page, family_duration, family_time, ok
from outdial.api.auth import Principal, authenticate
from outdial.api.call_filter import LOG_NAMES, PARAMETERS, read_call_filter
from outdial.api.context import ApiContext, context_of
from outdial.api.csv_lines import csv_download, csv_lines
from outdial.api.developer_webhooks import PAGES
from outdial.api.documentation import errors, family, page_of, query, success
from outdial.api.errors import invalid
from outdial.api.outgoing_callstatus import attempt_rows, no_such_call, read_call
from outdial.api.voice_recordings import audio_url
from outdial.domain.call import Call, Cdr
from outdial.domain.money import to_text
from outdial.domain.number_origin import origin_of
from outdial.storage import calls, cdrs
from outdial.storage.calls import ANY_CALL, CallFilter

router = APIRouter(tags=["voice"])

_CHUNK = 500
"""Calls of a file that are read at once."""
_EXAMPLE = {
    "id": "70fa87e0-9df9-4327-bc80-a561c48703d8:1",
    "call_from": "918068280000",
    "call_to": "918867135000",
    "bridge": "918068280000",
    "status": "ANSWER",
    "state": "done",
    "duration": "00:00:19",
    "billing": "00:00:30",
    "pulsing": "30",
    "charges": "0.5000",
    "submitted_at": "2019-08-16 15:09:51",
    "start_at": "2019-08-16 15:09:55",
    "end_at": "2019-08-16 15:10:14",
    "hangup_by": "system",
    "dtmf": "1",
    "location": "IN",
    "region": "India",
    "provider": "Tata Docomo",
    "audio": None,
    "name": "obd_api_call",
    "customid": "",
    "customid1": "",
    "sip_code": 200,
    "reason": "completed",
}
COLUMNS = tuple(_EXAMPLE)
_ATTEMPT = {"attempt": 1, "state": "ended", "status": "ANSWER", "sip_code": 200, "hangup_by": "system"}
_AFTER = query(
    "after",
    "Id of the last call that was seen, in place of `page`: the calls behind it. As fast at the millionth"
    " call as at the first; it counts nothing, and new calls do not move it.",
    required=False,
)
_LINES: dict[str, Any] = {
    "description": "A line for each call, the newest first.",
    "content": {"text/csv": {"schema": {"type": "string"}, "example": f"{','.join(COLUMNS)}\n"}},
}


@router.get(
    "/voice/calls",
    summary="The call log",
    responses=success("The newest first.", page_of("calls", _EXAMPLE), nullable={"status": "string"})
    | errors(401, 422),
    openapi_extra={"parameters": [*PARAMETERS, _AFTER, *PAGES]},
)
async def list_calls(request: Request) -> Response:
    """Show the calls that were sent, the newest first, page by page.

    Dates are those at which a call was accepted, in the account's time zone. `status` is null until an
    attempt ended, and final once `state` is done. `duration`, `billing`, `start_at` and what follows are of
    the last attempt, `charges` of all. `region` is the town of a landline, otherwise the country; `provider`
    the network that the number was given out to; `audio` where the recording of the last attempt is fetched.
    """
    principal = await authenticate(request)
    context = context_of(request)
    page = Page(request)
    wanted = read_call_filter(request.query_params, LOG_NAMES) or ANY_CALL
    place = await _after(request, principal)
    if place is not None:
        found = await context.database.read(_read, principal.account_id, wanted, limit=page.size, after=place)
        rows = await asyncio.to_thread(_rows, found)
        return page.answer_after(f"{len(rows)} calls.", rows, rows[-1]["id"] if rows else None)
    found, total = await context.database.read(
        _read_page, principal.account_id, wanted, limit=page.size, offset=page.offset
    )
    return page.answer(f"{total} calls.", await asyncio.to_thread(_rows, found), total)


@router.get(
    "/voice/calls.csv",
    summary="The call log as CSV",
    response_class=Response,
    responses=errors(401, 422) | {200: _LINES},
    openapi_extra={"parameters": [*PARAMETERS, _AFTER]},
)
async def calls_csv(request: Request) -> Response:
    """Send all calls that the filters leave, however many, as lines of CSV with the columns of the list.

    A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    principal = await authenticate(request)
    wanted = read_call_filter(request.query_params, LOG_NAMES) or ANY_CALL
    place = await _after(request, principal)
    return csv_download(_lines(context_of(request), principal.account_id, wanted, place), "calls.csv")


@router.get(
    "/voice/calls/{call_id}",
    summary="One call of the log",
    responses=success(
        "The call, with its attempts.",
        family("The call.", _EXAMPLE | {"attempts": [_ATTEMPT]}),
        nullable={"status": "string"},
    )
    | errors(401, 404),
)
async def get_call(request: Request, call_id: str) -> Response:
    """Show one call as in the log, with `attempts` as in `outgoing/callstatus`."""
    principal = await authenticate(request)
    found = await context_of(request).database.read(read_call, call_id)
    if found is None or found[0].account_id != principal.account_id:
        raise no_such_call(call_id)
    call, (tries, records) = found
    (row,) = await asyncio.to_thread(_rows, [(call, records)])
    return ok("The call.", row | {"attempts": attempt_rows(tries, records)})


_Logged = tuple[Call, Sequence[Cdr]]
"""A call and the CDRs of its attempts, in their order."""


async def _lines(
    context: ApiContext, account_id: int, wanted: CallFilter, place: tuple[int, int] | None
) -> AsyncIterator[str]:
    if wanted.submitted_before is None:
        # So that a file has an end, however fast calls are sent.
        wanted = replace(wanted, submitted_before=context.now_ms() + 1)
    yield csv_lines([COLUMNS])
    while found := await context.database.read(_read, account_id, wanted, limit=_CHUNK, after=place):
        rows = await asyncio.to_thread(_rows, found)
        yield csv_lines(row.values() for row in rows)
        place = await context.database.read(calls.place, account_id, found[-1][0].id)


def _read_page(
    conn: sa.Connection, account_id: int, wanted: CallFilter, *, limit: int, offset: int
) -> tuple[list[_Logged], int]:
    found = _read(conn, account_id, wanted, limit=limit, offset=offset)
    return found, calls.count(conn, account_id, wanted)


def _read(
    conn: sa.Connection,
    account_id: int,
    wanted: CallFilter,
    *,
    limit: int,
    offset: int = 0,
    after: tuple[int, int] | None = None,
) -> list[_Logged]:
    found = calls.find(conn, account_id, wanted, limit=limit, offset=offset, after=after)
    records: dict[str, list[Cdr]] = {call.id: [] for call in found}
    for record in sorted(cdrs.of_calls(conn, list(records)), key=lambda each: each.number):
        records[record.call_id].append(record)
    return [(call, records[call.id]) for call in found]


async def _after(request: Request, principal: Principal) -> tuple[int, int] | None:
    call_id = request.query_params.get("after", "").strip()
    if not call_id:
        return None
    place = await context_of(request).database.read(calls.place, principal.account_id, call_id)
    if place is None:
        raise invalid(
            {"after": [f"after should be the id of a call, as in the list; there is no call {call_id[:80]}."]}
        )
    return place


def _rows(found: Sequence[_Logged]) -> list[dict[str, Any]]:
    """Not in the loop: the first number takes half a second."""
    return [_row(call, records) for call, records in found]


def _row(call: Call, records: Sequence[Cdr]) -> dict[str, Any]:
    record = records[-1] if records else None
    outcome = None if record is None else record.outcome
    talk_ms = 0 if outcome is None else outcome.talk_ms
    pulse_s, billed_ms = (0, 0) if record is None else (record.bill.pulse_s, record.bill.billed_ms)
    origin = origin_of(call.to)
    return {
        "id": call.id,
        "call_from": call.bridge,
        "call_to": call.to,
        "bridge": call.bridge,
        "status": call.disposition,
        "state": call.state,
        "duration": family_duration(talk_ms),
        "billing": family_duration(talk_ms if pulse_s == 0 else billed_ms),
        "pulsing": str(pulse_s),
        "charges": to_text(sum(each.charge for each in records)),
        "submitted_at": family_time(call.submitted_at),
        "start_at": family_time(None if outcome is None else outcome.answered_at),
        "end_at": family_time(call.done_at if outcome is None else outcome.ended_at),
        "hangup_by": None if outcome is None else outcome.hangup_by,
        "dtmf": "" if outcome is None else outcome.dtmf,
        "location": call.iso,
        "region": origin.region,
        "provider": origin.provider,
        "audio": audio_url(None if outcome is None else outcome.recording_key),
        "name": call.name,
        "customid": call.customid,
        "customid1": call.customid1,
        "sip_code": None if outcome is None else outcome.sip_code,
        "reason": call.reason,
    }
