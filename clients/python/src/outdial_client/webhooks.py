"""Check and read what Outdial sends to a webhook."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any, TypedDict

from outdial_client.errors import InvalidWebhook

_PREFIX = "whsec_"


CallEnded = TypedDict(
    "CallEnded",
    {
        "id": str,
        "mid": str,
        "webhook_id": int,
        "bridge": str,
        "from": str,
        "to": str,
        "source": str,
        "flow_id": str | None,
        "flow": dict[str, Any] | None,
        "start_at": str | None,
        "end_at": str,
        "duration": str,
        "billing": str,
        "pulsing": str,
        "charges": str,
        "status": str,
        "hangup_by": str | None,
        "dtmf": str,
        "recording_url": str | None,
        "attempt": int | None,
        "attempts_left": int,
        "sip_code": int | None,
        "campaign": str,
        "customid": str,
        "customid1": str,
        "variables": dict[str, str],
        "sequence": int,
    },
    total=False,
)
"""One attempt of a call ended; `attempts_left` 0 means that the call is over.

A composed webhook has the form that its body gives it instead.
"""


def verify(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance_s: float = 300,
    now: float | None = None,
) -> None:
    """Raise InvalidWebhook unless `body`, as it came, was signed with `secret` in the last minutes.

    `headers` may be written in any case. `secret` is what `webhooks.add` answered, whole, or the text that
    you chose. While a secret is being replaced either of the two will do.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    signatures = given.get("webhook-signature", "").split()
    if not (message_id and timestamp and signatures):
        raise InvalidWebhook("The request lacks webhook-id, webhook-timestamp or webhook-signature.")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise InvalidWebhook("webhook-timestamp is not a Unix time in seconds.")
    now = time.time() if now is None else now  # noqa: TID251 - a library without a composition root
    if abs(now - int(timestamp)) > tolerance_s:
        raise InvalidWebhook(
            f"The request was signed more than {tolerance_s:g} seconds ago, or a clock is wrong."
        )
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256))
    if not any(hmac.compare_digest(expected, each.encode()) for each in signatures):
        raise InvalidWebhook("No signature of the request was made with this secret over this body.")


def read(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance_s: float = 300,
    now: float | None = None,
) -> CallEnded:
    """`verify` a request and return the event in it. Raises InvalidWebhook."""
    verify(secret, headers, body, tolerance_s=tolerance_s, now=now)
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise InvalidWebhook("The body is no JSON object; for a composed webhook use `verify`.")
    result: CallEnded = event  # type: ignore[assignment]  # what was signed is what the server wrote
    return result


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidWebhook(f"The secret begins with {_PREFIX} and does not go on with base64.") from None
