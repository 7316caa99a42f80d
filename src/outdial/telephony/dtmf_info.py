"""Digits by INFO (RFC 6086), `application/dtmf-relay` or `application/dtmf`, also beside those by RTP."""

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


class KeysOnce:
    """Each key of a far end that tells keys by INFO, by RTP or both ways, once.

    RTP wins, because it is timed: INFO counts until RTP has spoken. Of what INFO told before, only the last
    key can be the one that RTP begins with. `now` is in seconds.
    """

    _TOGETHER_S = 1.0
    """How far apart the two tell one key: RTP while it is down, INFO then or when it is up again."""

    def __init__(self) -> None:
        self._by_rtp = False
        self._told: tuple[str, float] | None = None
        """The last key by INFO, and when."""

    def by_info(self, digit: str, now: float) -> bool:
        """Whether a key that INFO tells counts."""
        if self._by_rtp:
            return False
        self._told = digit, now
        return True

    def by_rtp(self, digit: str, now: float, *, over: bool) -> bool:
        """Whether a key that went down, or is `over`, counts: INFO has not told it already."""
        if not self._by_rtp:
            self._by_rtp = True
            if self._told is not None and now - self._told[1] > self._TOGETHER_S:
                self._told = None
        known = self._told is not None and self._told[0] == digit
        if over:
            self._told = None
        return not known
