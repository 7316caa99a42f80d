"""POST `outgoing/cancel`: a call that was accepted shall not be, or no longer be, made."""

from fastapi import APIRouter, Request, Response

from outdial.api.answers import ok
from outdial.api.auth import authenticate
from outdial.api.bodies import read_body
from outdial.api.context import context_of
from outdial.api.documentation import body, errors, family, success
from outdial.api.errors import ApiError
from outdial.api.outgoing_callstatus import no_such_call, the_call_id
from outdial.domain.call import CallState
from outdial.storage import calls

router = APIRouter(tags=["outgoing"])

_CALL_ID = "70fa87e0-9df9-4327-bc80-a561c48703d8:1"


@router.post(
    "/outgoing/cancel",
    summary="Cancel a call",
    responses=success(
        "It will not be made.", family("The call is cancelled.", {"id": _CALL_ID, "state": "done"})
    )
    | errors(400, 401, 404, 409, 413, 415, 422),
    openapi_extra=body(
        {"id": {"type": "string", "description": "Id of the call."}}, ["id"], {"id": _CALL_ID}
    ),
)
async def cancel(request: Request) -> Response:
    """Cancel a call. One that waits is done at once; one in progress is hung up by its dialer within moments.

    409 when the call has ended already.
    """
    context = context_of(request)
    principal = await authenticate(request)
    form = await read_body(request, limit=context.options.body_bytes)
    call_id = the_call_id(form.get("id"))
    call = await context.database.read(calls.get, call_id)
    if call is None or call.account_id != principal.account_id:
        raise no_such_call(call_id)
    state = await context.database.run(calls.request_cancel, call_id, now=context.now_ms())
    if state is None:
        raise ApiError(409, "The call has ended already.")
    message = "The call is cancelled." if state is CallState.DONE else "The call is being hung up."
    return ok(message, {"id": call_id, "state": state})
