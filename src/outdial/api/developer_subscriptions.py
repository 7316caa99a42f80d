"""`developer/subscriptions`: which webhooks are told about calls that name none."""

from functools import partial
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from outdial.api.answers import Page, family_body, family_time, ok
from outdial.api.auth import Principal, authenticate
from outdial.api.bodies import read_body
from outdial.api.context import context_of
from outdial.api.developer_webhooks import PAGES, number_of
from outdial.api.documentation import IDEMPOTENCY_KEY, body, errors, family, success
from outdial.api.errors import ApiError, invalid
from outdial.api.idempotency import create
from outdial.domain.phone_number import PhoneNumber
from outdial.errors import InvalidPhoneNumber
from outdial.storage import bridges, subscriptions, webhooks
from outdial.storage.outbox import CALL_ENDED, EVENTS, FLOW_EVENT
from outdial.storage.subscriptions import ALL, Subscription

router = APIRouter(prefix="/developer/subscriptions", tags=["webhooks"])

_FIELDS = {
    "event": {
        "type": "string",
        "enum": list(EVENTS),
        "description": f"`{CALL_ENDED}`: an attempt of a call has ended; `{FLOW_EVENT}`: a flow has sent an"
        " event of its own in the middle of a call.",
    },
    "identity": {"type": "string", "description": "`all`, or the number of a bridge: calls from it only."},
    "webhook_id": {"type": "integer", "description": "Id of the webhook that gets the events."},
}
_EXAMPLE_BODY = {"event": CALL_ENDED, "identity": ALL, "webhook_id": 7}
_EXAMPLE = {"id": 3, **_EXAMPLE_BODY, "created_at": "2019-08-16 15:09:51"}


@router.post(
    "",
    summary="Subscribe a webhook",
    responses=success("Subscribed.", family("The webhook is subscribed.", _EXAMPLE))
    | errors(400, 401, 409, 413, 415, 422),
    openapi_extra=body(_FIELDS, ["event", "webhook_id"], _EXAMPLE_BODY) | {"parameters": [IDEMPOTENCY_KEY]},
)
async def add(request: Request) -> Response:
    """Send the events of calls to a webhook without naming it with each call.

    The same subscription twice is one. A call that names a webhook is told to that one and to all that are
    subscribed, to each of them once.
    """
    context = context_of(request)
    principal = await authenticate(request)
    form = await read_body(request)
    return await create(
        request,
        principal,
        form,
        partial(_add, principal=principal, form=form, now=context.now_ms()),
        lambda added: family_body("The webhook is subscribed.", _row(added)),
    )


@router.get(
    "",
    summary="List subscriptions",
    responses=success("The oldest first.", family("1 subscriptions.", [_EXAMPLE])) | errors(401, 422),
    openapi_extra={"parameters": PAGES},
)
async def list_subscriptions(request: Request) -> Response:
    """Show the account's subscriptions, page by page."""
    principal = await authenticate(request)
    page = Page(request)
    found, total = await context_of(request).database.read(
        subscriptions.find, principal.account_id, limit=page.size, offset=page.offset
    )
    return page.answer(f"{total} subscriptions.", [_row(each) for each in found], total)


@router.get(
    "/{subscription_id}",
    summary="Show one subscription",
    responses=success("The subscription.", family("The subscription.", _EXAMPLE)) | errors(401, 404),
)
async def get(request: Request, subscription_id: str) -> Response:
    """Show one subscription."""
    principal = await authenticate(request)
    number = number_of(subscription_id)
    found = None
    if number is not None:
        found = await context_of(request).database.read(subscriptions.get, principal.account_id, number)
    if found is None:
        raise _no_such(subscription_id)
    return ok("The subscription.", _row(found))


@router.delete(
    "/{subscription_id}",
    summary="Remove a subscription",
    responses=success("It is gone.", family("The subscription is removed.", {"id": 3})) | errors(401, 404),
)
async def remove(request: Request, subscription_id: str) -> Response:
    """Remove a subscription; events that wait are still sent."""
    principal = await authenticate(request)
    number = number_of(subscription_id)
    if number is None or not await context_of(request).database.run(
        subscriptions.delete, principal.account_id, number
    ):
        raise _no_such(subscription_id)
    return ok("The subscription is removed.", {"id": number})


def _add(conn: sa.Connection, principal: Principal, form: dict[str, Any], *, now: int) -> Subscription:
    """Check and store in one transaction, so that neither webhook nor bridge can vanish in between."""
    wrong: dict[str, list[str]] = {}
    event = str(form.get("event", ""))
    if not event:
        wrong["event"] = [f"event is missing: {' or '.join(EVENTS)}."]
    elif event not in EVENTS:
        wrong["event"] = [f"event should be {' or '.join(EVENTS)}, not {event[:40]!r}."]
    identity = _identity(conn, principal, form.get("identity"), wrong)
    text = str(form.get("webhook_id") or "").strip()
    number = number_of(text)
    webhook = None if number is None else webhooks.get(conn, principal.account_id, number)
    if not text:
        wrong["webhook_id"] = ["webhook_id is missing: the id that developer/webhooks answered."]
    elif webhook is None:
        wrong["webhook_id"] = [f"There is no webhook {text[:40]}; GET developer/webhooks lists all of them."]
    elif webhook.verified_at is None:
        wrong["webhook_id"] = [
            f"The webhook {webhook.id} is not verified yet; POST developer/webhooks/{webhook.id}/verify."
        ]
    if wrong or webhook is None:
        raise invalid(wrong)
    return subscriptions.insert(
        conn, principal.account_id, event=event, identity=identity, webhook_id=webhook.id, now=now
    )


def _identity(conn: sa.Connection, principal: Principal, value: object, wrong: dict[str, list[str]]) -> str:
    text = str(value or ALL).strip()
    if text.lower() == ALL:
        return ALL
    try:
        digits = PhoneNumber.parse(text).digits
    except InvalidPhoneNumber:
        digits = text
    bridge = bridges.get_by_number(conn, digits)
    if bridge is None or bridge.account_id != principal.account_id:
        wrong["identity"] = [f"identity should be {ALL!r} or one of your bridges, not {text[:40]!r}."]
    return digits


def _no_such(subscription_id: str) -> ApiError:
    return ApiError(404, f"There is no subscription {subscription_id[:40]}.")


def _row(subscription: Subscription) -> dict[str, Any]:
    return {
        "id": subscription.id,
        "event": subscription.event,
        "identity": subscription.identity,
        "webhook_id": subscription.webhook_id,
        "created_at": family_time(subscription.created_at),
    }
