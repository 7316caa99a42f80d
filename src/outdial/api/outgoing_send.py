"""POST `outgoing/send`: accept calls. They are on disk before the answer leaves."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from outdial.api.accept_spans import AcceptSpans
from outdial.api.answers import family_time
from outdial.api.auth import Principal, authenticate
from outdial.api.bodies import read_body
from outdial.api.context import ApiContext, ApiOptions, context_of
from outdial.api.documentation import IDEMPOTENCY_KEY, TEXTS, body, errors, success
from outdial.api.errors import invalid
from outdial.api.idempotency import key_of, once, replayed
from outdial.api.notes import warnings
from outdial.api.recipients import Refused
from outdial.api.send_prices import Prices, expected_charge
from outdial.api.send_references import look_up
from outdial.api.send_request import SendRequest, read_send_request
from outdial.api.send_rules import SendRules
from outdial.api.tts_request import SpeechRequest
from outdial.domain.call import NewCall
from outdial.domain.money import to_text
from outdial.domain.prompt import Prompt
from outdial.domain.rating import AROUND_MS
from outdial.storage import calls, credit, prompts
from outdial.storage.idempotency import IdempotencyKey
from outdial.telemetry import metrics

router = APIRouter(tags=["outgoing"])

_LONG_LIST = 500
"""Numbers in a list, or characters of a text of numbers, that are checked within about a millisecond."""
PARAMETERS = {
    "bridge": {"type": "string", "description": "Our number, from which the call is made."},
    "to": {
        **TEXTS,
        "description": "Number to call, with country code. Several: with commas between, as a JSON array, or"
        " repeated (`to=…&to=…`, `to[]=…`, `to[0]=…`). A number that stands twice is called once, and has a"
        " row that says so.",
    },
    "audio": {
        "type": "string",
        "description": "Id of an uploaded sound, or the URL of one (http or https), which is fetched before"
        " the call is dialled.",
    },
    "ivr_id": {
        "type": "integer",
        "description": "Id of a published flow, in place of `audio`. The call runs the version that is"
        " published now, whatever is published later.",
    },
    "flow_id": {"type": "integer", "description": "The same as `ivr_id`."},
    "name": {"type": "string", "description": "Name of the campaign."},
    "interval": {
        "type": "integer",
        "enum": [0, 5, 15, 30, 45, 60],
        "description": "Minutes until a call that was not answered is tried again, from the end of the try;"
        " 0: it is not.",
    },
    "retries": {
        "type": "integer",
        "minimum": 0,
        "maximum": 10,
        "description": "With `interval`: how often it is tried again at most; 3 by default.",
    },
    "schedule": {
        "type": "string",
        "description": "Not before this time, as in 2019-08-16 15:09:51 in the account's time zone, or ISO"
        " 8601 with an offset.",
    },
    "expires_at": {
        "type": "string",
        "description": "Not at this time or later: a call, or a retry, that waits until then ends with the"
        " reason `expired`.",
    },
    "valid_for": {
        "type": "integer",
        "description": "In place of `expires_at`: minutes from `schedule` on, or from now.",
    },
    "calling_window": {
        "type": "string",
        "description": "When callees may be called, in place of the account's: `mon-fri 09:00-18:00; sat"
        " 10:00-14:00; not 2026-12-25; zone callee`, or `always`. The guide to dispatch has all of it.",
    },
    "webhook_id": {
        "type": "integer",
        "description": "Id of the webhook that is told how each attempt ended, beside those subscribed.",
    },
    "customid": {"type": "string", "description": "Echoed."},
    "customid1": {"type": "string", "description": "Echoed."},
    "variables": {"type": "object", "description": "Stored with the call, for flows: `variables[otp]=1234`."},
}
_EXAMPLE_BODY = {
    "bridge": "918068280000",
    "to": "918867135000",
    "audio": "39888925-718e-43bb-a8b1-d4a3e1f0c2b7",
    "name": "obd_api_call",
}
EXAMPLE = {
    "status": 200,
    "message": "1 numbers accepted for delivery. 1 refused.",
    "data": [
        {
            "id": "70fa87e0-9df9-4327-bc80-a561c48703d8:1",
            "mobile": "918867135000",
            "charges": "0.5000",
            "customid": "",
            "customid1": "",
            "iso_code": "IN",
            "submitted_at": "2019-08-16 15:09:51",
        },
        {
            "id": None,
            "mobile": "123",
            "charges": "0.0000",
            "error": "'123' is too short for a number of country code 1.",
        },
    ],
}


@router.post(
    "/outgoing/send",
    summary="Call a number and play a sound",
    responses=success("Accepted, and on disk.", EXAMPLE, nullable={"id": "string"})
    | errors(400, 401, 402, 409, 413, 415, 422, 503),
    openapi_extra=body(PARAMETERS, ["bridge", "to"], _EXAMPLE_BODY) | {"parameters": [IDEMPOTENCY_KEY]},
)
async def send(request: Request) -> Response:
    """Accept one call, or one for each number of a list; each is dialled at once if the trunk has room.

    Of a list, what cannot be called has a row with an `error` and without an id, and the others are called;
    if none can be, the answer is 422. The answer leaves after the calls are on disk. Ask
    `outgoing/callstatus` how they went.
    """
    context = context_of(request)
    principal = await authenticate(request)
    form = await read_body(request)
    key = key_of(request, principal, form)
    if (again := await replayed(context, key)) is not None:
        return again
    return await accept_all(context, principal, form, key=key, traceparent=request.headers.get("traceparent"))


async def accept_all(
    context: ApiContext,
    principal: Principal,
    form: dict[str, Any],
    said: SpeechRequest | None = None,
    *,
    key: IdempotencyKey | None = None,
    traceparent: str | None = None,
) -> Response:
    """Accept the calls that a form asks for, with what is `said` in place of its audio if there is something.

    With a `key`, once: calls and key are one transaction. `traceparent` is the request's header. Raises
    ApiError 422 with everything that is wrong, 402 if a prepaid balance does not cover the calls.
    """
    now = context.now_ms()
    wanted, wrong = await _read(form, context.options, now=now, with_audio=said is None)
    speech, wrong_speech = said or (None, {})
    wrong |= wrong_speech
    if wrong:
        named = await context.database.read(look_up, principal.account_id, wanted)
        raise invalid(wrong | named.wrong)
    request_id = context.new_uuid()
    spoken = None if speech is None else await asyncio.to_thread(speech.prompts, wanted, request_id, now=now)
    spans = None
    if context.tracer is not None:
        spans = AcceptSpans(context.tracer, traceparent, calls=len(wanted.to), now=now)
    store = partial(
        accept,
        principal=principal,
        wanted=wanted,
        request_id=request_id,
        now=now,
        retries=_retries(wanted, context.options),
        spoken=spoken,
        reserve_ms=context.options.reserve_ms,
        traceparents=None if spans is None else spans.traceparents,
    )
    problem: str | None = "not accepted"
    try:
        answer = await once(context, key, store, _body)
        problem = None
    finally:
        if spans is not None:
            spans.end(context.now_ms(), problem)
    return answer


def _retries(wanted: SendRequest, options: ApiOptions) -> int:
    if wanted.retries is not None:
        return wanted.retries
    return options.retries if wanted.interval_minutes else 0


def _body(rows: Sequence[NewCall | Refused]) -> dict[str, Any]:
    accepted = sum(isinstance(row, NewCall) for row in rows)
    metrics.CALLS_ACCEPTED.add(accepted)
    refused = f" {len(rows) - accepted} refused." if accepted < len(rows) else ""
    return {
        "status": 200,
        "message": f"{accepted} numbers accepted for delivery.{refused}",
        "data": [_row(row) if isinstance(row, NewCall) else _refused_row(row) for row in rows],
        **warnings(),
    }


async def _read(
    form: dict[str, Any], options: ApiOptions, *, now: int, with_audio: bool
) -> tuple[SendRequest, dict[str, list[str]]]:
    """Read the request; a long list of numbers in a thread, so that other requests get their turn."""
    to = form.get("to")
    read = partial(
        read_send_request,
        form,
        most_recipients=options.recipients,
        guard=options.guard,
        now=now,
        with_audio=with_audio,
    )
    if isinstance(to, str | list) and len(to) > _LONG_LIST:
        return await asyncio.to_thread(read)
    return read()


def accept(
    conn: sa.Connection,
    principal: Principal,
    wanted: SendRequest,
    *,
    request_id: str,
    now: int,
    retries: int,
    reserve_ms: int,
    spoken: Sequence[Prompt] | None = None,
    traceparents: Sequence[str] | None = None,
) -> Sequence[NewCall | Refused]:
    """Store the calls of one request and wake the dialers. `spoken` is what each number hears, in order,
    and `traceparents` the trace of each.

    Returns what became of each number, in their order.

    In one transaction with the look at bridge and sound, so that neither can vanish in between, and with the
    reservation of what they may cost. Raises ApiError 422 naming what does not exist, 402 if a prepaid
    balance does not cover them; then nothing of the request is kept.
    """
    credit_now = credit.get(conn, principal.account_id)
    named = look_up(conn, principal.account_id, wanted)
    bridge, sound = named.bridge, named.sound
    if named.wrong or bridge is None or credit_now is None:
        raise invalid(named.wrong)
    talk_ms = (reserve_ms if sound is None else sound.duration_ms) + AROUND_MS
    rules = SendRules(conn, principal.account_id, wanted, now=now)
    numbers = [number.digits for number in wanted.to if number.digits not in rules.suppressed]
    prices = Prices(conn, principal.account_id, credit_now, numbers, talk_ms)
    not_called = {**rules.suppressed, **prices.unpriced}
    new_calls = [
        NewCall(
            id=f"{request_id}:{position}",
            account_id=principal.account_id,
            bridge=wanted.bridge,
            trunk_id=bridge.trunk_id,
            to=number.digits,
            iso=number.iso,
            submitted_at=now,
            due_at=rules.due_at(number.digits),
            sound_id=wanted.sound_id,
            ivr_id=None if wanted.flow_id is None else str(wanted.flow_id),
            flow_version=named.flow_version,
            audio_url=wanted.audio_url if spoken is None else spoken[position - 1].address,
            name=wanted.name,
            webhook_id=None if wanted.webhook_id is None else str(wanted.webhook_id),
            customid=wanted.customid,
            customid1=wanted.customid1,
            variables=wanted.variables,
            retries=retries,
            interval_minutes=wanted.interval_minutes,
            calling_window=wanted.calling_window,
            expires_at=wanted.expires_at,
            paused_by=rules.paused_by,
            rate=prices.rate(number.digits),
            reserved=prices.reserved(number.digits),
            traceparent=None if traceparents is None else traceparents[position - 1],
        )
        for position, number in enumerate(wanted.to, start=1)
        if number.digits not in not_called
    ]
    if spoken is not None:
        said = [
            prompt
            for number, prompt in zip(wanted.to, spoken, strict=True)
            if number.digits not in not_called
        ]
        prompts.put(conn, said, now=now)
    calls.insert_calls(conn, new_calls)
    prices.reserve(conn, new_calls, request_id, now)
    return _in_order(wanted, new_calls, not_called)


def _in_order(
    wanted: SendRequest, new_calls: Sequence[NewCall], not_called: Mapping[str, str]
) -> list[NewCall | Refused]:
    if not wanted.refused and not not_called:
        return list(new_calls)
    called = {call.to: call for call in new_calls}
    rows: list[tuple[int, NewCall | Refused]] = [(each.position, each) for each in wanted.refused]
    for position, number in enumerate(wanted.to):
        digits = number.digits
        refused = Refused(position=position, mobile=digits, sentence=not_called.get(digits, ""))
        rows.append((position, called.get(digits, refused)))
    # What is no number stands before the usable one with as many before it: it is first in the list, and
    # sorting keeps that.
    return [row for _, row in sorted(rows, key=lambda each: each[0])]


def _refused_row(row: Refused) -> dict[str, str | None]:
    return {
        "id": None,
        "mobile": row.mobile,
        "charges": "0.0000",
        "error": row.sentence,
    }


def _row(call: NewCall) -> dict[str, str | None]:
    return {
        "id": call.id,
        "mobile": call.to,
        "charges": to_text(expected_charge(call)),
        "customid": call.customid,
        "customid1": call.customid1,
        "iso_code": call.iso,
        "submitted_at": family_time(call.submitted_at),
    }
