"""`outgoing/pauses`: keep the calls of a campaign or a request in the queue, and let them go on."""

from typing import Any

from fastapi import APIRouter, Request, Response

from outdial.api.answers import family_time, ok
from outdial.api.auth import Principal, authenticate
from outdial.api.bodies import read_body
from outdial.api.context import ApiContext, context_of
from outdial.api.documentation import body, errors, family, success
from outdial.api.errors import ApiError, invalid
from outdial.api.fields import Fields
from outdial.api.outgoing_cancel import read_request_id, the_request
from outdial.storage import pauses
from outdial.storage.pauses import Pause, PauseKind
from outdial.storage.requests import Request as SentRequest

router = APIRouter(tags=["outgoing"])

_FIELDS: dict[str, Any] = {
    "name": {"type": "string", "description": "Name of a campaign."},
    "id": {"type": "string", "description": "Id of a request: the part before the colon of its calls' ids."},
}
_EXAMPLE = {"name": "spring", "id": None, "paused_at": "2019-08-16 15:09:51"}
_ONE_OF_BOTH = "Give the name of a campaign or the id of a request, one of both."


@router.get(
    "/outgoing/pauses",
    summary="What is paused",
    responses=success("The oldest first.", family("1 pauses.", [_EXAMPLE])) | errors(401),
)
async def list_pauses(request: Request) -> Response:
    """Show the campaigns and requests that are paused."""
    principal = await authenticate(request)
    found = await context_of(request).database.read(pauses.find_all, principal.account_id)
    return ok(f"{len(found)} pauses.", [_row(each) for each in found])


@router.post(
    "/outgoing/pause",
    summary="Pause a campaign or a request",
    responses=success("No more of its calls are dialled.", family("480 calls wait.", {"waiting": 480}))
    | errors(400, 401, 404, 413, 415, 422),
    openapi_extra=body(_FIELDS, [], {"name": "spring"}),
)
async def pause(request: Request) -> Response:
    """Keep the calls of a campaign, or of one request, in the queue. Those in progress go on.

    It holds for retries, too, and for calls that are sent later with the name of the campaign. Their time
    passes: `expires_at` counts. Pausing what is paused is harmless.
    """
    context = context_of(request)
    principal = await authenticate(request)
    kind, name, sent = await _wanted(request, context, principal)
    waiting = await pauses.pause(
        context.database, principal.account_id, kind, name, request=sent, now=context.now_ms()
    )
    return ok(f"{waiting} calls wait.", {"waiting": waiting})


@router.post(
    "/outgoing/resume",
    summary="Let a campaign or a request go on",
    responses=success("Its calls take their turns.", family("It goes on.", {"was_paused": True}))
    | errors(400, 401, 404, 413, 415, 422),
    openapi_extra=body(_FIELDS, [], {"name": "spring"}),
)
async def resume(request: Request) -> Response:
    """Let the calls of a campaign, or of one request, go on. Resuming what is not paused is harmless."""
    context = context_of(request)
    principal = await authenticate(request)
    kind, name, sent = await _wanted(request, context, principal)
    was_paused = await pauses.resume(context.database, principal.account_id, kind, name, request=sent)
    return ok("It goes on." if was_paused else "It was not paused.", {"was_paused": was_paused})


async def _wanted(
    request: Request, context: ApiContext, principal: Principal
) -> tuple[PauseKind, str, SentRequest | None]:
    """What a body names. Raises ApiError 404 and 422."""
    fields = Fields(await read_body(request))
    fields.text("name", empty=None)
    fields.text("id", empty=None)
    values = fields.done()
    name, request_id = values.get("name"), values.get("id")
    if name is not None and request_id is None:
        return PauseKind.CAMPAIGN, name, None
    if name is not None or request_id is None:
        raise invalid({"name": [_ONE_OF_BOTH]})
    found = read_request_id(request_id)
    if found is None:
        raise ApiError(404, f"There is no request {request_id[:40]}.")
    return PauseKind.REQUEST, found, await the_request(context, principal, found)


def _row(pause: Pause) -> dict[str, Any]:
    is_campaign = pause.kind is PauseKind.CAMPAIGN
    return {
        "name": pause.name if is_campaign else None,
        "id": None if is_campaign else pause.name,
        "paused_at": family_time(pause.paused_at),
    }
