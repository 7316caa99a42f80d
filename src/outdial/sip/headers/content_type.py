"""Content-Type (RFC 3261 §20.15), and the one body part that a call is about."""

import re
from dataclasses import dataclass, field
from typing import Self

from outdial.errors import SipParseError
from outdial.sip.parameters import NO_PARAMETERS, Parameters

_MEDIA_TYPE = re.compile(r"\s*([^\s/;,]+)\s*/\s*([^\s/;,]+)\s*(?:;(.*))?", re.DOTALL)
SDP = "application/sdp"


@dataclass(frozen=True, slots=True)
class ContentType:
    """What a body is."""

    name: str
    """`type/subtype` in lower case."""
    parameters: Parameters = field(default=NO_PARAMETERS)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `application/sdp;charset=utf-8`. Raises `SipParseError`."""
        match = _MEDIA_TYPE.fullmatch(text)
        if match is None:
            raise SipParseError(f"not a Content-Type: {text!r}")
        kind, subtype, parameters = match.groups()
        return cls(f"{kind}/{subtype}".lower(), Parameters.parse(parameters or ""))

    def __str__(self) -> str:
        return f"{self.name}{self.parameters}"


def find_sdp(content_type: str | None, body: bytes) -> bytes:
    """Return the session description in a body, `b""` without one.

    Looks into a multipart body one level deep, where SIP-I trunks put it beside the ISUP message (RFC 5621).
    A body without a readable Content-Type is taken for SDP.
    """
    try:
        kind = ContentType.parse(content_type or SDP)
    except SipParseError:
        return body
    if kind.name == SDP:
        return body
    boundary = kind.parameters.get("boundary")
    if not kind.name.startswith("multipart/") or not boundary:
        return b""
    for part in (b"\n" + body).split(b"\n--" + boundary.encode())[1:]:
        head, _, content = part.replace(b"\r\n", b"\n").partition(b"\n\n")
        if re.search(rb"^content-type\s*:\s*application/sdp\b", head, re.IGNORECASE | re.MULTILINE):
            return content
    return b""
