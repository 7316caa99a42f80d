"""`developer/webhooks`: endpoints that are told what became of calls. Add, list, change, verify, remove."""

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from outdial.api.answers import Page, family_body, family_time, json_response, ok
from outdial.api.auth import Principal, authenticate
from outdial.api.bodies import read_body
from outdial.api.context import ApiContext, context_of
from outdial.api.documentation import IDEMPOTENCY_KEY, body, errors, family, query, success
from outdial.api.errors import ApiError
from outdial.api.idempotency import REPLAYED, amend, key_of, once, replayed
from outdial.api.webhook_request import BODY_FORMATS, METHODS, read_webhook_request
from outdial.storage import webhooks
from outdial.storage.webhooks import NewWebhook, Webhook

router = APIRouter(prefix="/developer/webhooks", tags=["webhooks"])

_OVERLAP_MS = 24 * 60 * 60 * 1000
"""How long a replaced secret still signs."""
_LONG_SECRET = 16
_SHOWN = 4
_SWITCHED_OFF = "It was switched off by its account."
_NOT_VERIFIED = "It has not answered the challenge yet."
_FIELDS: dict[str, Any] = {
    "name": {"type": "string", "description": "For people."},
    "uri": {
        "type": "string",
        "description": "Where events go. Liquid may stand behind the host:"
        " `https://example.com/calls/{{id}}?to={{to|url_encode}}`.",
    },
    "secret": {
        "type": "string",
        "description": "Signs every request, and is sent as `Authorization: Bearer <secret>`. Unset: one is"
        " made, which only signs. It is answered here and never again.",
    },
    "method": {"type": "string", "enum": list(METHODS), "description": "POST by default."},
    "headers": {"type": "object", "description": "Sent with every event: `headers[X-Team]=billing`."},
    "body_format": {"type": "string", "enum": list(BODY_FORMATS), "description": "json by default."},
    "body": {
        "type": "string",
        "description": 'A JSON object whose texts may be Liquid: `{"number": "{{to}}"}`. Unset: the whole'
        " event.",
    },
}
_STATUS = {
    "type": "integer",
    "enum": [0, 1],
    "description": "0: deliver nothing, what comes waits for up to three days. 1: verify and deliver again.",
}
_EXAMPLE_BODY = {"name": "crm", "uri": "https://example.com/calls"}
_EXAMPLE = {
    "id": 7,
    "name": "crm",
    "uri": "https://example.com/calls",
    "secret": "…bG5r",
    "verification_code": "1c8ddcd31a9b4c1aa2ac0e8c1b7a4f55",
    "status": 1,
    "reason": None,
    "method": "POST",
    "headers": {},
    "body_format": "json",
    "body": None,
    "failing_since": None,
    "former_secret_until": None,
    "created_at": "2019-08-16 15:09:51",
    "updated_at": "2019-08-16 15:09:52",
}
_CREATED = _EXAMPLE | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
_META = {"current_page": 1, "from": 1, "last_page": 1, "path": "…", "per_page": 15, "to": 1, "total": 1}
_LINKS = {"first": "…?page=1&per_page=15", "last": "…?page=1&per_page=15", "prev": None, "next": None}
PAGES = [
    query("page", "From 1.", required=False, kind="integer"),
    query("per_page", "1 to 100, 15 by default.", required=False, kind="integer"),
]


@router.post(
    "",
    summary="Add a webhook",
    responses=success("Stored; `status` says whether it was verified.", family("…", _CREATED))
    | errors(400, 401, 409, 413, 415, 422),
    openapi_extra=body(_FIELDS | {"status": _STATUS}, ["name", "uri"], _EXAMPLE_BODY)
    | {"parameters": [IDEMPOTENCY_KEY]},
)
async def add(request: Request) -> Response:
    """Store an endpoint and ask it for the challenge, unless `status` is 0.

    One that does not answer it is kept with status 0 and a reason; mend it and verify it again. The secret is
    in this answer and in no later one.
    """
    context = context_of(request)
    principal = await authenticate(request)
    form = await read_body(request)
    key = key_of(request, principal, form)
    if (again := await replayed(context, key)) is not None:
        return again
    wanted = read_webhook_request(form, context.endpoints, is_new=True)
    given = wanted.pop("secret", None)
    stays_off = wanted.pop("status", None) == "0"
    secret = given or context.endpoints.new_secret()
    new = NewWebhook(
        secret=secret,
        secret_as_bearer=given is not None,
        verification_code=context.endpoints.new_code(),
        **wanted,
    )
    made: list[Webhook] = []

    def insert(conn: sa.Connection) -> Webhook:
        webhook = webhooks.insert(conn, principal.account_id, new, now=now)
        return _change(conn, principal.account_id, webhook, {"status": "0"}, now) if stays_off else webhook

    def body_of(webhook: Webhook) -> dict[str, Any]:
        made[:] = [webhook]
        return _created(webhook, None if stays_off else _NOT_VERIFIED, secret)

    now = context.now_ms()
    answer = await once(context, key, insert, body_of)
    if REPLAYED in answer.headers or stays_off:
        return answer
    # Its answer, which is kept already, becomes what comes of the challenge.
    why_not, webhook = await _verify(context, made[0])
    whole = _created(webhook, why_not, secret)
    await amend(context, key, whole)
    return json_response(whole)


def _created(webhook: Webhook, why_not: str | None, secret: str) -> dict[str, Any]:
    row = _row(webhook, why_not) | {"secret": secret}
    return family_body(_message("The webhook is stored", why_not), row)


@router.get(
    "",
    summary="List webhooks",
    responses=success("The oldest first.", family("1 webhooks.", [_EXAMPLE], links=_LINKS, meta=_META))
    | errors(401, 422),
    openapi_extra={
        "parameters": [query("filter[name]", "Those with this in their name.", required=False), *PAGES]
    },
)
async def list_webhooks(request: Request) -> Response:
    """Show the account's webhooks, page by page."""
    context = context_of(request)
    principal = await authenticate(request)
    page = Page(request)
    name = request.query_params.get("filter[name]", "").strip() or None
    found, total = await context.database.read(
        webhooks.find, principal.account_id, name=name, limit=page.size, offset=page.offset
    )
    return page.answer(f"{total} webhooks.", [_row(webhook) for webhook in found], total)


@router.get(
    "/{webhook_id}",
    summary="Show one webhook",
    responses=success("The webhook.", family("The webhook.", _EXAMPLE)) | errors(401, 404),
)
async def get(request: Request, webhook_id: str) -> Response:
    """Show one webhook, with the reason if nothing is delivered to it."""
    webhook = await the_webhook(request, await authenticate(request), webhook_id)
    return ok("The webhook.", _row(webhook))


@router.put(
    "/{webhook_id}",
    summary="Change a webhook",
    responses=success("Changed; another uri was verified.", family("The webhook is changed.", _EXAMPLE))
    | errors(400, 401, 404, 413, 415, 422),
    openapi_extra=body(_FIELDS | {"status": _STATUS}, [], {"name": "crm of the north"}),
)
async def change(request: Request, webhook_id: str) -> Response:
    """Change what is sent; what is left out stays.

    Another `uri`, or `status` 1, asks the endpoint for the challenge. Another `secret` signs beside the
    former one for 24 hours.
    """
    context = context_of(request)
    principal = await authenticate(request)
    before = await the_webhook(request, principal, webhook_id)
    wanted = await _read(request, context, is_new=False, body_format=before.body_format)
    if "body_format" in wanted and "body" not in wanted and before.body is not None:
        # A body that is fit for JSON need not be fit for a form.
        wanted |= read_webhook_request(
            {"body": before.body, "body_format": wanted["body_format"]}, context.endpoints, is_new=False
        )
    webhook = await context.database.run(_change, principal.account_id, before, wanted, context.now_ms())
    why_not = None
    if webhook.uri != before.uri or wanted.get("status") == "1":
        why_not, webhook = await _verify(context, webhook)
    return ok(_message("The webhook is changed", why_not), _row(webhook, why_not))


@router.delete(
    "/{webhook_id}",
    summary="Remove a webhook",
    responses=success("It is gone.", family("The webhook is removed.", {"id": 7})) | errors(401, 404),
)
async def remove(request: Request, webhook_id: str) -> Response:
    """Remove a webhook with its subscriptions; events that wait for it are given up."""
    context = context_of(request)
    webhook = await the_webhook(request, await authenticate(request), webhook_id)
    await context.database.run(webhooks.delete, webhook.account_id, webhook.id, now=context.now_ms())
    return ok("The webhook is removed.", {"id": webhook.id})


@router.post(
    "/{webhook_id}/verify",
    summary="Verify a webhook again",
    responses=success("It answered the challenge.", family("The webhook is verified.", _EXAMPLE))
    | errors(401, 404, 422),
    openapi_extra=body({}, [], {}),
)
async def verify(request: Request, webhook_id: str) -> Response:
    """Ask the endpoint for the challenge now, and switch it on if it answers; 422 with the reason if not."""
    context = context_of(request)
    webhook = await the_webhook(request, await authenticate(request), webhook_id)
    why_not, webhook = await _verify(context, webhook)
    if why_not is not None:
        raise ApiError(422, why_not, {"uri": [why_not]})
    return ok("The webhook is verified.", _row(webhook))


@router.post(
    "/{webhook_id}/rotate",
    summary="Replace the secret",
    responses=success("The new secret.", family("The secret is replaced.", _CREATED))
    | errors(400, 401, 404, 413, 415, 422),
    openapi_extra=body({"secret": _FIELDS["secret"]}, [], {}),
)
async def rotate(request: Request, webhook_id: str) -> Response:
    """Sign with a new secret, and with the former one too for 24 hours, so that receivers can change over."""
    context = context_of(request)
    principal = await authenticate(request)
    webhook = await the_webhook(request, principal, webhook_id)
    given = (await _read(request, context, is_new=False)).get("secret") if _has_body(request) else None
    secret = given or context.endpoints.new_secret()
    wanted = {"secret": secret} if given else {"new_secret": secret}
    webhook = await context.database.run(_change, principal.account_id, webhook, wanted, context.now_ms())
    return ok("The secret is replaced.", _row(webhook) | {"secret": secret})


async def the_webhook(request: Request, principal: Principal, webhook_id: str) -> Webhook:
    """The account's webhook with this id. Raises ApiError 404."""
    number = number_of(webhook_id)
    found = None
    if number is not None:
        found = await context_of(request).database.read(webhooks.get, principal.account_id, number)
    if found is None:
        raise ApiError(404, f"There is no webhook {webhook_id[:40]}.")
    return found


def number_of(text: str) -> int | None:
    """The whole number that an id is; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def why_off(webhook: Webhook) -> str | None:
    """Why nothing is delivered to a webhook, None if it is on."""
    return webhook.off_reason or (None if webhook.is_on else _NOT_VERIFIED)


async def _read(request: Request, context: ApiContext, **more: Any) -> dict[str, Any]:
    form = await read_body(request)
    return read_webhook_request(form, context.endpoints, **more)


def _has_body(request: Request) -> bool:
    """Tell a request without a body, whose media type some clients invent."""
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


def _change(
    conn: sa.Connection, account_id: int, webhook: Webhook, wanted: dict[str, Any], now: int
) -> Webhook:
    """Write the changes; another secret goes beside the former one."""
    webhooks.update(conn, webhook, wanted, now=now)
    given, made = wanted.get("secret"), wanted.get("new_secret")
    secret = given or made
    if secret is not None and secret != webhook.secret:
        webhooks.rotate(conn, webhook, secret, as_bearer=given is not None, now=now, until=now + _OVERLAP_MS)
    if wanted.get("status") == "0":
        webhooks.switch_off(conn, webhook.id, _SWITCHED_OFF, now=now)
    found = webhooks.get(conn, account_id, webhook.id)
    if found is None:
        raise ApiError(404, f"There is no webhook {webhook.id}.")
    return found


async def _verify(context: ApiContext, webhook: Webhook) -> tuple[str | None, Webhook]:
    """Ask for the challenge; why it failed, and the webhook as it is now."""
    why_not = await context.endpoints.verify(webhook)
    if why_not is not None:
        await context.database.run(webhooks.note_not_verified, webhook, why_not, now=context.now_ms())
    elif not await context.database.run(webhooks.mark_verified, webhook, now=context.now_ms()):
        why_not = "The address was changed while it was being verified."
    now = await context.database.read(webhooks.get, webhook.account_id, webhook.id)
    return why_not, now or webhook


def _message(done: str, why_not: str | None) -> str:
    return f"{done}." if why_not is None else f"{done}, but not verified: {why_not}"


def _row(webhook: Webhook, why_not: str | None = None) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "name": webhook.name,
        "uri": webhook.uri,
        "secret": _hint(webhook.secret),
        "verification_code": webhook.verification_code,
        "status": int(webhook.is_on),
        "reason": why_not or why_off(webhook),
        "method": webhook.method,
        "headers": {
            name: _hint(value) if webhooks.is_secret_header(name) else value
            for name, value in webhook.headers.items()
        },
        "body_format": webhook.body_format,
        "body": webhook.body,
        "failing_since": family_time(webhook.failing_since),
        "former_secret_until": family_time(webhook.former_secret_until),
        "created_at": family_time(webhook.created_at),
        "updated_at": family_time(webhook.updated_at),
    }


def _hint(secret: str) -> str:
    """Enough to tell which one it is, and nothing of a short one."""
    return f"…{secret[-_SHOWN:]}" if len(secret) >= _LONG_SECRET else "…"
