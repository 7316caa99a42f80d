"""Keep secrets out of the log, and phone numbers out of log text.

Promise 6 of the architecture: numbers, digits and payloads are fields, never text; tokens and passwords
are nowhere. The code that logs is expected to keep the promise; this processor is the net below it.
"""

import re
from collections.abc import MutableMapping
from typing import Any

REDACTED = "[redacted]"

_SECRET_WORDS = (
    "password",
    "passwd",
    "secret",
    "authorization",
    "authenticate",
    "cookie",
    "access_token",
    "api_key",
)
_SECRET_NAMES = frozenset({"token", "bearer", "credentials", "nonce", "cnonce", "dsn"})
_SECRETS_IN_TEXT = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {REDACTED}"),
    (re.compile(r"(?i)\b(access_token|token|password|secret|api_key)=[^&\s\"']+"), rf"\1={REDACTED}"),
    (re.compile(r"(?im)^((?:proxy-)?authorization\s*:).*$"), rf"\1 {REDACTED}"),
    (re.compile(r"(?i)\bdigest\s+\w+=.*"), f"Digest {REDACTED}"),
    (re.compile(r"(\w://[^/\s:@]*):[^/\s@]+@"), rf"\1:{REDACTED}@"),
)
_MAY_HOLD_A_SECRET = re.compile(
    r"(?i)bearer|basic|digest|authorization|token=|password=|secret=|api_key=|://"
)
_NUMBER_IN_TEXT = re.compile(r"\+?\d{7,}")


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: mask secret fields and secrets inside values.

    Mask long numbers in the event text.
    """
    for key, value in event.items():
        event[key] = REDACTED if _is_secret(key) and value is not None else _clean(value)
    text = event.get("event")
    if isinstance(text, str):
        event["event"] = _NUMBER_IN_TEXT.sub("[number]", text)
    return event


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return lowered in _SECRET_NAMES or any(word in lowered for word in _SECRET_WORDS)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        if _MAY_HOLD_A_SECRET.search(value) is None:
            return value
        for pattern, replacement in _SECRETS_IN_TEXT:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, bytes):
        return _clean(value.decode("utf-8", "replace"))
    if isinstance(value, dict):
        return {key: REDACTED if _is_secret(str(key)) else _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value
