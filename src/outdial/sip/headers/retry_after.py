"""Retry-After (RFC 3261 §20.33)."""

import re
from dataclasses import dataclass
from typing import Self

from outdial.errors import SipParseError
from outdial.sip.headers.collection import Headers
from outdial.sip.parameters import Parameters

_RETRY_AFTER = re.compile(r"\s*([0-9]{1,10})\s*(\(.*\))?\s*(?:;(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """When the far end wants to be asked again."""

    seconds: int
    duration: int | None = None
    """For how many seconds it will then be reachable, if it said so."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `120 (I'm in a meeting);duration=3600`. Raises `SipParseError`."""
        match = _RETRY_AFTER.fullmatch(text)
        if match is None:
            raise SipParseError(f"not a Retry-After: {text!r}")
        seconds, _, parameters = match.groups()
        duration = Parameters.parse(parameters or "").get("duration") or ""
        readable = duration.isascii() and duration.isdigit() and len(duration) <= 10
        return cls(int(seconds), int(duration) if readable else None)

    def __str__(self) -> str:
        return f"{self.seconds}" if self.duration is None else f"{self.seconds};duration={self.duration}"


def retry_after_of(headers: Headers) -> int | None:
    """Return the seconds of a message's Retry-After, None when it is missing or unreadable."""
    try:
        return RetryAfter.parse(headers.get("Retry-After") or "").seconds
    except SipParseError:
        return None
