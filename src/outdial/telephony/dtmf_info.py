"""Digits by INFO (RFC 6086): `application/dtmf-relay`, and `application/dtmf` with a bare digit."""

import re

DIGITS = frozenset("0123456789*#ABCD")

_SIGNAL = re.compile(rb"(?im)^\s*Signal\s*=\s*(\S+)")
_NAMED = {"10": "*", "11": "#"}
"""Some gateways send the RFC 4733 event number instead of the key."""


def digit_of_info(content_type: str, body: bytes) -> str | None:
    """Return the digit of an INFO, upper case, None if it holds none."""
    if content_type == "application/dtmf-relay":
        match = _SIGNAL.search(body)
        text = match.group(1).decode("ascii", "replace") if match else ""
    elif content_type == "application/dtmf":
        text = body.decode("ascii", "replace").strip()
    else:
        return None
    text = _NAMED.get(text, text).upper()
    return text if text in DIGITS else None
