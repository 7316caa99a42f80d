"""POST `outgoing/cancel`: what was accepted shall not be, or no longer be, made."""

from dataclasses import asdict
from uuid import UUID

from fastapi import APIRouter, Request, Response

from outdial.api.answers import ok
from outdial.api.auth import Principal, authenticate
from outdial.api.bodies import read_body
from outdial.api.context import ApiContext, context_of
from outdial.api.documentation import body, errors, family, success
from outdial.api.errors import ApiError
from outdial.api.outgoing_callstatus import no_such_call, the_call_id
from outdial.domain.call import CallState
from outdial.storage import calls, requests

router = APIRouter(tags=["outgoing"])

_REQUEST_ID = "70fa87e0-9df9-4327-bc80-a561c48703d8"
_CALL_ID = f"{_REQUEST_ID}:1"
_MOST_EVER = 10_000
"""Calls of a request under the default settings: an older request may have more than are accepted now."""


@router.post(
    "/outgoing/cancel",
    summary="Cancel a call, or all calls of a request",
    responses=success(
        "They will not be made.",
        family(
            "2 calls are cancelled, 1 are being hung up, 7 had ended.",
            {"id": _REQUEST_ID, "cancelled": 2, "hanging_up": 1, "ended": 7},
        ),
    )
    | errors(400, 401, 404, 409, 413, 415, 422),
    openapi_extra=body(
        {
            "id": {
                "type": "string",
                "description": "Id of a call, or of a request: the part before the colon, for all its calls.",
            }
        },
        ["id"],
        {"id": _REQUEST_ID},
    ),
)
async def cancel(request: Request) -> Response:
    """Cancel a call, or all calls of a request. What waits is done at once; what is in progress is hung up by
    its dialer within moments.

    For a call, `data` has its `id` and its `state`, and the answer is 409 when it has ended already. For a
    request, `data` counts its calls, and cancelling it again is harmless.
    """
    context = context_of(request)
    principal = await authenticate(request)
    form = await read_body(request)
    wanted = the_call_id(form.get("id"))
    if (request_id := read_request_id(wanted)) is not None:
        return await _cancel_request(context, principal, request_id)
    call = await context.database.read(calls.get, wanted)
    if call is None or call.account_id != principal.account_id:
        raise no_such_call(wanted)
    state = await context.database.run(calls.request_cancel, wanted, now=context.now_ms())
    if state is None:
        raise ApiError(409, "The call has ended already.")
    message = "The call is cancelled." if state is CallState.DONE else "The call is being hung up."
    return ok(message, {"id": wanted, "state": state})


async def _cancel_request(context: ApiContext, principal: Principal, request_id: str) -> Response:
    found = await the_request(context, principal, request_id)
    counts = await requests.cancel(context.database, found, now=context.now_ms())
    message = (
        f"{counts.cancelled} calls are cancelled, {counts.hanging_up} are being hung up,"
        f" {counts.ended} had ended."
    )
    return ok(message, {"id": found.id, **asdict(counts)})


async def the_request(context: ApiContext, principal: Principal, request_id: str) -> requests.Request:
    """The account's request with that UUID. Raises ApiError 404."""
    most = max(context.options.recipients, _MOST_EVER)
    found = await context.database.read(requests.find, request_id, most=most)
    if found is None or found.account_id != principal.account_id:
        raise ApiError(404, f"There is no request {request_id}.")
    return found


def read_request_id(text: str) -> str | None:
    """The UUID of a request in its one spelling; None for a text that is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return None
