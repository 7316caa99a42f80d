"""One request to an endpoint, and what its answer means for the event and for the endpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from outdial.egress.message import Answer
from outdial.errors import EgressError, InvalidInput
from outdial.storage import deliveries, outbox_claims, webhooks
from outdial.storage.deliveries import NewDelivery
from outdial.storage.outbox_claims import Event
from outdial.storage.webhooks import Webhook
from outdial.webhooks.client import HttpClient
from outdial.webhooks.options import WebhookOptions
from outdial.webhooks.request import request_for
from outdial.webhooks.schedule import next_try, retry_after_ms

GONE = 410
_ASKS_FOR_TIME = frozenset({429, 503})
"""Statuses whose `Retry-After` is about the endpoint, not about this event alone."""
_MOST_BYTES = 1024
_SHOWN_CHARACTERS = 500

Clock = Callable[[], int]
"""Unix milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request that was made, and what came of it."""

    delivery: NewDelivery
    ok: bool
    gone: bool = False
    """The endpoint wants nothing more, ever."""
    retry_after_ms: int | None = None
    endpoint_waits: bool = False
    """Whether the wish of `retry_after_ms` is for all events of the endpoint."""


async def send(client: HttpClient, event: Event, clock: Clock, options: WebhookOptions) -> Sent:
    """Send an event once. A failure of any kind is an outcome, not an error."""
    started = clock()
    try:
        request = request_for(event, now_ms=started, timeout_s=options.timeout_s, base=options.public_url)
        answer = await client.fetch(request, most_bytes=_MOST_BYTES)
    except (EgressError, InvalidInput) as error:
        return Sent(
            delivery=NewDelivery(at=started, ms=clock() - started, status=None, error=str(error), answer=""),
            ok=False,
        )
    return _judge(answer, event.webhook, started, clock())


def settle(
    conn: sa.Connection, event: Event, sent: Sent, *, now: int, random: float, off_after_ms: int
) -> bool:
    """Write what came of a request: the log, the event's next step, the endpoint's state.

    In one transaction. False, and only the log written, if the event was claimed by somebody else meanwhile.
    """
    webhook_id = event.webhook.id
    deliveries.insert(conn, sent.delivery, outbox_id=event.id, webhook_id=webhook_id)
    if sent.ok:
        webhooks.succeeded(conn, webhook_id)
        return outbox_claims.delivered(conn, event, now=now)
    not_before = now + (sent.retry_after_ms or 0) if sent.endpoint_waits else 0
    failing_since = webhooks.failed(conn, webhook_id, now=now, not_before=not_before)
    if sent.gone:
        webhooks.switch_off(conn, webhook_id, "It answered 410 Gone: it wants no more events.", now=now)
        return outbox_claims.give_up(conn, event, now=now)
    if now - failing_since >= off_after_ms:
        webhooks.switch_off(conn, webhook_id, _why_off(failing_since, sent.delivery), now=now)
    due_at = next_try(
        tries=event.tries,
        now=now,
        expires_at=event.expires_at,
        retry_after_ms=sent.retry_after_ms,
        random=random,
    )
    if due_at is None:
        return outbox_claims.give_up(conn, event, now=now)
    return outbox_claims.try_again(conn, event, due_at=due_at)


def _judge(answer: Answer, webhook: Webhook, started: int, ended: int) -> Sent:
    delivery = NewDelivery(
        at=started,
        ms=ended - started,
        status=answer.status,
        error=None if answer.ok else _why_not(answer.status),
        answer=_shown(answer.body, webhook),
    )
    return Sent(
        delivery=delivery,
        ok=answer.ok,
        gone=answer.status == GONE,
        retry_after_ms=None if answer.ok else retry_after_ms(answer.headers.get("Retry-After"), now=ended),
        endpoint_waits=answer.status in _ASKS_FOR_TIME,
    )


def _why_not(status: int) -> str:
    if 300 <= status < 400:
        return f"It answered {status}: redirects are not followed; give the webhook the new address."
    return f"It answered {status}; 2xx is expected."


def _why_off(failing_since: int, delivery: NewDelivery) -> str:
    since = datetime.fromtimestamp(failing_since / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"Nothing was delivered since {since} UTC. The last error: {delivery.error}"


def _shown(body: bytes, webhook: Webhook) -> str:
    """The first characters for the log, without what is secret, should the endpoint echo what it was sent.

    NUL is what PostgreSQL does not store.
    """
    text = body.decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    for secret in webhook.secret_texts:
        text = text.replace(secret, "[secret]")
    return text[:_SHOWN_CHARACTERS]
