"""Reason (RFC 3326): why a call ended, in the words of another protocol."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from outdial.errors import SipParseError
from outdial.sip.headers.text import TOKEN, quote, split_outside_quotes
from outdial.sip.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason value."""

    protocol: str
    """`Q.850`, `SIP`, …; compared without case."""
    cause: int | None = None
    """The cause in that protocol's numbers; None when it came without one or it was unreadable."""
    text: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `Q.850;cause=16;text="Normal call clearing"`. Raises `SipParseError`."""
        protocol, _, rest = text.partition(";")
        protocol = protocol.strip()
        if TOKEN.fullmatch(protocol) is None:
            raise SipParseError(f"not a Reason: {text!r}")
        parameters = Parameters.parse(rest)
        cause = parameters.get("cause") or ""
        readable = cause.isascii() and cause.isdigit() and len(cause) <= 4
        return cls(protocol, int(cause) if readable else None, parameters.get("text") or "")

    @classmethod
    def parse_all(cls, values: Iterable[str]) -> list[Self]:
        """Read every Reason that can be read, in order; the others are left out, for they only explain."""
        reasons: list[Self] = []
        for value in values:
            for piece in split_outside_quotes(value, ","):
                try:
                    reasons.append(cls.parse(piece))
                except SipParseError:
                    continue
        return reasons

    @property
    def is_q850(self) -> bool:
        """Whether the cause is one of ISUP (ITU-T Q.850)."""
        return self.protocol.lower() == "q.850"

    def __str__(self) -> str:
        cause = "" if self.cause is None else f";cause={self.cause}"
        text = f";text={quote(self.text)}" if self.text else ""
        return f"{self.protocol}{cause}{text}"
