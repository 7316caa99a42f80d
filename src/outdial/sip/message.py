"""SIP messages as values: requests and responses (RFC 3261 §7).

Headers stay text until somebody asks: the properties below parse on first use and remember the result until
the header changes. Each raises `SipParseError` when its header is missing or cannot be read.
"""

import re
from dataclasses import dataclass, field

from outdial.errors import LocalProtocolError, SipParseError
from outdial.sip.headers.collection import Headers
from outdial.sip.headers.content_type import find_sdp
from outdial.sip.headers.cseq import CSeq
from outdial.sip.headers.name_addr import NameAddr
from outdial.sip.headers.text import TOKEN
from outdial.sip.headers.via import Via
from outdial.sip.uri import SipUri

__all__ = ["Headers", "Message", "Request", "Response"]

_TAG = re.compile(r';\s*tag\s*=\s*"?([^\s;,"<>]+)', re.IGNORECASE)


class _HeaderAccess:
    """The headers that every message has, parsed on demand."""

    __slots__ = ()

    headers: Headers
    body: bytes

    @property
    def call_id(self) -> str:
        """The Call-ID, compared byte by byte (§20.8)."""
        value = self.headers.get("call-id")
        if not value:
            raise SipParseError("the message has no Call-ID header")
        return value

    @property
    def cseq(self) -> CSeq:
        """The CSeq."""
        return self.headers.parsed("cseq", CSeq.parse)

    @property
    def from_(self) -> NameAddr:
        """The From header."""
        return self.headers.parsed("from", NameAddr.parse)

    @property
    def to(self) -> NameAddr:
        """The To header."""
        return self.headers.parsed("to", NameAddr.parse)

    @property
    def to_tag(self) -> str | None:
        """The tag of To, None without one; found in a To that cannot be read, too.

        Nothing else of it matters inside a dialog: a 2xx that were dropped for it would be a call that nobody
        hangs up, and so would a BYE.
        """
        return self._tag("to")

    @property
    def from_tag(self) -> str | None:
        """The tag of From, found as that of To is."""
        return self._tag("from")

    def _tag(self, name: str) -> str | None:
        try:
            return self.headers.parsed(name, NameAddr.parse).tag
        except SipParseError:
            found = _TAG.findall(self.headers.get(name) or "")
            return found[-1] if found else None

    @property
    def top_via(self) -> Via:
        """The first Via."""
        return self.headers.parsed("via", Via.parse)

    @property
    def contact(self) -> NameAddr | None:
        """The first Contact, None without one."""
        return self.headers.parsed("contact", NameAddr.parse) if self.headers.get("contact") else None

    @property
    def sdp(self) -> bytes:
        """The session description in the body, out of a multipart too; `b""` without one."""
        return find_sdp(self.headers.get("content-type"), self.body) if self.body else b""


@dataclass(slots=True)
class Request(_HeaderAccess):
    """A request."""

    method: str
    """As it came: case matters (§7.1)."""
    uri: str
    """The Request-URI as text; `request_uri` reads it."""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def request_uri(self) -> SipUri:
        """The Request-URI, read. Raises `SipParseError`."""
        return SipUri.parse(self.uri)

    def to_bytes(self) -> bytes:
        """Return the datagram, with the right Content-Length.

        Raises `LocalProtocolError` when a value would break out of its line.
        """
        if TOKEN.fullmatch(self.method) is None:
            raise LocalProtocolError(f"{self.method!r} cannot be a method")
        if not self.uri or " " in self.uri:
            raise LocalProtocolError(f"{self.uri!r} cannot be a Request-URI")
        return _write(f"{self.method} {self.uri} SIP/2.0", self.headers, self.body)


@dataclass(slots=True)
class Response(_HeaderAccess):
    """A response."""

    status: int
    """100 to 699."""
    reason: str
    """The reason phrase, empty when the far end left it out."""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    def to_bytes(self) -> bytes:
        """Return the datagram, with the right Content-Length.

        Raises `LocalProtocolError` when a value would break out of its line.
        """
        if not 100 <= self.status <= 699:
            raise LocalProtocolError(f"{self.status} cannot be a status code")
        return _write(f"SIP/2.0 {self.status} {self.reason}", self.headers, self.body)


Message = Request | Response


def _write(start_line: str, headers: Headers, body: bytes) -> bytes:
    lines = [start_line]
    lines += [f"{name}: {value}" for name, value in headers if name != "Content-Length"]
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    head = "\r\n".join(lines)
    # One count over the whole head finds any line break that a value smuggled in.
    breaks = len(lines) + 1
    if head.count("\n") != breaks or head.count("\r") != breaks:
        culprit = next(line for line in lines if "\r" in line or "\n" in line)
        raise LocalProtocolError(f"a line of a SIP message cannot hold a line break: {culprit!r}")
    return head.encode() + body
