"""GET `outgoing/trace`: every SIP message and media event of one attempt, with its time."""

from typing import Any

from fastapi import APIRouter, Request, Response

from outdial.api.answers import family_time, ok
from outdial.api.auth import authenticate
from outdial.api.context import context_of
from outdial.api.documentation import errors, family, query, success
from outdial.api.errors import invalid
from outdial.api.explanation import explain
from outdial.api.fields import whole_number
from outdial.api.outgoing_callstatus import the_call, what_it_waits_for
from outdial.storage import traces

router = APIRouter(tags=["outgoing"])

_EXAMPLE = family(
    "The trace of attempt 1.",
    {
        "id": "70fa87e0-9df9-4327-bc80-a561c48703d8:1",
        "explanation": "The callee was busy (SIP 486 Busy Here).",
        "attempt": 1,
        "cut": False,
        "entries": [
            {
                "at": "2025-10-09 08:53:20",
                "offset_ms": 0,
                "direction": "sent",
                "peer": "192.0.2.10:5060",
                "summary": "INVITE",
                "text": "INVITE sip:918867135000@192.0.2.10 SIP/2.0\r\n…",
            },
            {
                "at": "2025-10-09 08:53:20",
                "offset_ms": 412,
                "direction": "note",
                "peer": None,
                "summary": "first audio sent",
                "text": None,
            },
        ],
    },
)


@router.get(
    "/outgoing/trace",
    summary="The messages of a call",
    responses=success("The entries in the order of their times.", _EXAMPLE) | errors(401, 404, 422),
    openapi_extra={
        "parameters": [
            query("id", "Id of the call."),
            query("attempt", "Number of the attempt. Unset: the last.", required=False, kind="integer"),
        ]
    },
)
async def trace(request: Request) -> Response:
    """Show what was sent and received while an attempt ran; what `outdial call --trace` draws as a ladder.

    `explanation` says in one sentence what became of the call. An attempt that was never dialled has no
    entries. `cut` tells that later entries were not kept. `offset_ms` are the milliseconds from
    the first entry.
    """
    context = context_of(request)
    call, tries = await the_call(request, await authenticate(request))
    wanted = _wanted_attempt(request, call.attempts_started)
    found = await context.database.read(traces.read, call.id)
    entries: list[dict[str, Any]] = []
    cut = False
    for each in found:
        if each.number == wanted:
            entries, cut = _with_offsets(each.entries), each.cut
    data = {
        "id": call.id,
        "explanation": explain(call, *tries, waits_for=await what_it_waits_for(context, call)),
        "attempt": wanted,
        "cut": cut,
        "entries": entries,
    }
    return ok(f"The trace of attempt {wanted}.", data)


def _wanted_attempt(request: Request, last: int) -> int:
    text = request.query_params.get("attempt", "")
    if not text:
        return last
    number = whole_number(text, 1, last)
    if number is None:
        some = f"a number from 1 to {last}" if last else "left out: this call has not been dialled yet"
        raise invalid({"attempt": [f"attempt should be {some}, not {text[:20]!r}."]})
    return number


def _with_offsets(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    start = entries[0]["at"] if entries else 0
    return [
        {
            "peer": None,
            "text": None,
            **entry,
            "at": family_time(entry["at"]),
            "offset_ms": entry["at"] - start,
        }
        for entry in entries
    ]
