"""Session-Expires and Min-SE (RFC 4028 §4, §5)."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from outdial.errors import SipParseError
from outdial.sip.parameters import Parameters

_SECONDS = re.compile(r"\s*([0-9]{1,10})\s*(?:;(.*))?", re.DOTALL)


class Refresher(StrEnum):
    """Who refreshes the session, seen from the transaction that carries the header."""

    UAC = "uac"
    UAS = "uas"


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """How long a session lives without a refresh."""

    seconds: int
    refresher: Refresher | None = None
    """None when the header leaves it open, or names neither."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1800;refresher=uac`. Raises `SipParseError`."""
        seconds, parameters = _read(text, "Session-Expires")
        refresher = (parameters.get("refresher") or "").lower()
        return cls(seconds, Refresher(refresher) if refresher in {"uac", "uas"} else None)

    def __str__(self) -> str:
        return f"{self.seconds};refresher={self.refresher}" if self.refresher else str(self.seconds)


def parse_min_se(text: str) -> int:
    """Read Min-SE in seconds; its parameters are ignored. Raises `SipParseError`."""
    return _read(text, "Min-SE")[0]


def _read(text: str, name: str) -> tuple[int, Parameters]:
    match = _SECONDS.fullmatch(text)
    if match is None:
        raise SipParseError(f"not a {name}: {text!r}")
    return int(match.group(1)), Parameters.parse(match.group(2) or "")
