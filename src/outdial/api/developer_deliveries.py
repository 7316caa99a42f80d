"""`developer/webhooks/{id}/deliveries`: each request that was sent to an endpoint, and sending it again."""

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from outdial.api.answers import Page, family_time, ok
from outdial.api.auth import authenticate
from outdial.api.context import context_of
from outdial.api.developer_webhooks import PAGES, number_of, the_webhook, why_off
from outdial.api.documentation import body, errors, family, success
from outdial.api.errors import ApiError
from outdial.storage import deliveries, outbox_claims
from outdial.storage.deliveries import Delivery

router = APIRouter(prefix="/developer/webhooks", tags=["webhooks"])

_EXAMPLE = {
    "id": 4711,
    "webhook_id": 7,
    "call_id": "70fa87e0-9df9-4327-bc80-a561c48703d8:1",
    "sequence": 1,
    "at": "2019-08-16 15:10:14",
    "ms": 83,
    "status": 500,
    "error": "It answered 500; 2xx is expected.",
    "answer": "Internal Server Error",
    "event": "pending",
    "next_try_at": "2019-08-16 15:10:19",
}


@router.get(
    "/{webhook_id}/deliveries",
    summary="List what was sent to a webhook",
    responses=success(
        "The newest first.", family("1 deliveries.", [_EXAMPLE]), nullable={"status": "integer"}
    )
    | errors(401, 404, 422),
    openapi_extra={"parameters": PAGES},
)
async def list_deliveries(request: Request, webhook_id: str) -> Response:
    """Show each request: when, the status, how long it took, the error, the first characters of the answer.

    `event` says what became of the event that it carried: pending (it is tried again at `next_try_at`),
    delivered or given_up.
    """
    webhook = await the_webhook(request, await authenticate(request), webhook_id)
    page = Page(request)
    found, total = await context_of(request).database.read(
        deliveries.find, webhook.id, limit=page.size, offset=page.offset
    )
    return page.answer(f"{total} deliveries.", [_row(each) for each in found], total)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/replay",
    summary="Send an event once more",
    responses=success("It is on its way.", family("The event is sent again.", {"id": 4711}))
    | errors(401, 404, 409),
    openapi_extra=body({}, [], {}),
)
async def replay(request: Request, webhook_id: str, delivery_id: str) -> Response:
    """Send the event of a delivery again, as if it were new: the same id and body, tried for three days.

    One whose webhook is off waits until it is on again. 409 while it is being sent.
    """
    context = context_of(request)
    webhook = await the_webhook(request, await authenticate(request), webhook_id)
    number = number_of(delivery_id)

    def send_again(conn: sa.Connection, delivery: int, *, now: int) -> bool | None:
        found = deliveries.get(conn, webhook.id, delivery)
        return None if found is None else outbox_claims.replay(conn, found.outbox_id, now=now)

    done = None
    if number is not None:
        done = await context.database.run(send_again, number, now=context.now_ms())
    if done is None:
        raise ApiError(404, f"There is no delivery {delivery_id[:40]} to webhook {webhook.id}.")
    if not done:
        raise ApiError(409, "The event is being sent just now.")
    if (why := why_off(webhook)) is not None:
        return ok(f"The event waits until the webhook is on again: {why}", {"id": number})
    return ok("The event is sent again.", {"id": number})


def _row(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "webhook_id": delivery.webhook_id,
        "call_id": delivery.call_id,
        "sequence": delivery.sequence,
        "at": family_time(delivery.at),
        "ms": delivery.ms,
        "status": delivery.status,
        "error": delivery.error,
        "answer": delivery.answer,
        "event": delivery.state,
        "next_try_at": family_time(delivery.due_at) if delivery.state == "pending" else None,
    }
