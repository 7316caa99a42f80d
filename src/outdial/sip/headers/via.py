"""Via (RFC 3261 §20.42, RFC 3581)."""

import re
from dataclasses import dataclass, field
from typing import Self

from outdial.errors import SipParseError
from outdial.sip.parameters import NO_PARAMETERS, Parameters
from outdial.sip.uri import HOST_PORT, read_port

_VIA = re.compile(
    rf"\s*SIP\s*/\s*[0-9.]+\s*/\s*([^\s/;,]+)\s+{HOST_PORT}\s*(?:;(.*))?", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Via:
    """One hop: over which transport and from where a request came, and where its response goes."""

    transport: str
    """Upper case: `UDP`, `TCP`, `TLS`, or whatever came."""
    host: str
    """The sent-by host; IPv6 in its brackets. A name with an underscore is taken."""
    port: int | None = None
    parameters: Parameters = field(default=NO_PARAMETERS)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one Via element. Raises `SipParseError`."""
        match = _VIA.fullmatch(text)
        if match is None:
            raise SipParseError(f"not a Via: {text!r}")
        transport, host, port, parameters = match.groups()
        return cls(
            transport.upper(),
            host,
            None if port is None else read_port(port),
            Parameters.parse(parameters) if parameters else NO_PARAMETERS,
        )

    @property
    def branch(self) -> str | None:
        """The transaction id; None with a sender of RFC 2543."""
        return self.parameters.get("branch")

    @property
    def received(self) -> str | None:
        """The source address that the receiver saw, if it said so."""
        return self.parameters.get("received")

    @property
    def rport(self) -> int | None:
        """The source port that the receiver saw; None when it did not say or was only asked."""
        value = self.parameters.get("rport")
        return int(value) if value and len(value) <= 5 and value.isascii() and value.isdigit() else None

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {self.host}{port}{self.parameters}"
