"""Signatures of the Standard Webhooks specification, version 1: HMAC-SHA256 over id, time and body.

Made with `hmac` in a few lines, because the library of the specification (`standardwebhooks`) signs text
only, takes the time as a datetime whose zone it ignores, and knows nothing of a secret that is being
replaced; its `verify` checks ours in the tests.
"""

import base64
import binascii
import hashlib
import hmac

from outdial.errors import InvalidInput
from outdial.storage.webhooks import Webhook

PREFIX = "whsec_"
"""Of a secret that is base64 of the key; any other secret is the key itself, as UTF-8."""


def key_of(secret: str) -> bytes:
    """Return the bytes that sign. Raises InvalidInput if a `whsec_` secret is not base64."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(f"A secret that begins with {PREFIX} should go on with base64.") from None
    if not key:
        raise InvalidInput(f"There is no key behind {PREFIX}.")
    return key


def new_secret(key: bytes) -> str:
    """Write a random key as a secret."""
    return PREFIX + base64.b64encode(key).decode()


def sign(secret: str, *, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return one signature: `v1,` and base64 of the HMAC."""
    content = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), content, hashlib.sha256)).decode()


def headers(webhook: Webhook, *, message_id: str, now_ms: int, body: bytes) -> dict[str, str]:
    """Return `webhook-id`, `webhook-timestamp` and `webhook-signature`.

    While a secret is being replaced there are two signatures, with a space between: a receiver is content
    with the one that it can check.
    """
    secrets = [webhook.secret]
    if webhook.former_secret is not None and now_ms < (webhook.former_secret_until or 0):
        secrets.append(webhook.former_secret)
    timestamp_s = now_ms // 1000
    signatures = [
        sign(secret, message_id=message_id, timestamp_s=timestamp_s, body=body) for secret in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(signatures),
    }
