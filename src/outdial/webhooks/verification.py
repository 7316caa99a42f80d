"""The challenge: whoever answers at an address shows that it wants our requests."""

import hmac
import json
from collections.abc import Callable, Mapping
from urllib.parse import quote

from outdial.egress.message import EgressRequest
from outdial.errors import EgressError, InvalidInput
from outdial.storage.webhooks import Webhook
from outdial.templates.template import render
from outdial.webhooks.client import HttpClient
from outdial.webhooks.request import headers_for

_MOST_BYTES = 4 * 1024


async def verify(
    client: HttpClient, webhook: Webhook, *, now_ms: int, timeout_s: float, new_token: Callable[[], str]
) -> str | None:
    """Ask an endpoint for the challenge that we send it; return why it failed as a sentence, None if not.

    POST `{"validation_key", "challenge"}` to `uri?token=<verification_code>`, whatever the webhook's own
    method is, signed like every other request; the answer is the same `{"challenge"}` with a 2xx. The
    `validation_key` is the verification code too, for receivers that do not look at the query.
    """
    challenge = new_token()
    content = {"validation_key": webhook.verification_code, "challenge": challenge}
    body = json.dumps(content).encode()
    try:
        request = EgressRequest(
            url=_with_token(webhook),
            method="POST",
            headers=headers_for(webhook, message_id=f"verify:{challenge}", now_ms=now_ms, body=body)
            | {"content-type": "application/json"},
            body=body,
            total_s=timeout_s,
            follow_redirects=False,
        )
        answer = await client.fetch(request, most_bytes=_MOST_BYTES)
    except (EgressError, InvalidInput) as error:
        return str(error)
    if not answer.ok:
        return f"The endpoint answered {answer.status} to the challenge; 200 is expected."
    if not _answers(answer.body, challenge):
        return 'The endpoint should answer the challenge that it was sent, as JSON: {"challenge": "…"}.'
    return None


def _with_token(webhook: Webhook) -> str:
    """The address with the code; what is rendered from a call is empty, because there is no call."""
    uri = render(webhook.uri, {})
    uri, hash_sign, fragment = uri.partition("#")
    separator = "&" if "?" in uri else "?"
    return f"{uri}{separator}token={quote(webhook.verification_code, safe='')}{hash_sign}{fragment}"


def _answers(body: bytes, challenge: str) -> bool:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return False
    answered = value.get("challenge") if isinstance(value, Mapping) else None
    return isinstance(answered, str) and hmac.compare_digest(answered.encode(), challenge.encode())
