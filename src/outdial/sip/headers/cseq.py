"""CSeq (RFC 3261 §8.1.1.5, §20.16)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from outdial.errors import SipParseError
from outdial.sip.headers.text import TOKEN

_CSEQ = re.compile(rf"\s*([0-9]{{1,20}})\s+({TOKEN.pattern})\s*")

MAX_SEQUENCE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class CSeq:
    """The sequence number of a request within its dialog, with its method."""

    number: int
    """0 to 2³¹-1."""
    method: str
    """Case matters in methods (§7.1)."""

    @classmethod
    @lru_cache(maxsize=64)  # nearly every call has the same two
    def parse(cls, text: str) -> Self:
        """Read `4711 INVITE`. Raises `SipParseError`, also for a number of 2³¹ or more."""
        match = _CSEQ.fullmatch(text)
        if match is None:
            raise SipParseError(f"not a CSeq: {text!r}")
        number = int(match.group(1))
        if number > MAX_SEQUENCE:
            raise SipParseError(f"CSeq {number} is beyond 2**31-1")
        return cls(number, match.group(2))

    def __str__(self) -> str:
        return f"{self.number} {self.method}"
