"""SIP URIs (RFC 3261 §19.1), and just enough of other schemes to carry them along."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from outdial.errors import SipParseError
from outdial.sip.parameters import NO_PARAMETERS, Parameters

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
HOST_PORT = r"(\[[0-9A-Za-z:.%]+\]|[^\s\[\]:;,@<>\"?]+)(?:\s*:\s*([0-9]{1,5}))?"
"""Two groups. Underscores and other strangers in a name pass: it resolves or not, but the message is read."""

_SIP_URI = re.compile(
    rf"\s*(sips?)\s*:\s*+(?:([^<>]*?)@)?{HOST_PORT}\s*(?:;([^?<>]*))?(?:\?([^<>]*))?", re.IGNORECASE
)
"""The user part may hold `;` and `?`, and in the field a second `@`: the shortest one that leaves a host."""

_PLAIN_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]*")
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")

MAX_PORT = 65535


def read_port(digits: str) -> int:
    """Read the second group of `HOST_PORT`. Raises `SipParseError` beyond 65535."""
    port = int(digits)
    if port > MAX_PORT:
        raise SipParseError(f"port {port} does not exist")
    return port


def escape_user(text: str) -> str:
    """Escape what may not stand in the user part of a URI, so that a value cannot break out of it."""
    if _PLAIN_USER.fullmatch(text):
        return text
    return "".join(
        character
        if _PLAIN_USER.fullmatch(character)
        else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in text
    )


@dataclass(frozen=True, slots=True)
class SipUri:
    """A URI. `str()` gives back what was parsed, with the scheme in lower case and spaces dropped.

    Of schemes other than sip and sips (`tel:`, `isbn:`) everything before the first semicolon is
    `user` and `host` is empty.
    """

    scheme: str
    """Lower case. `*` with an empty host is the wildcard of `Contact: *`."""
    user: str | None
    """As on the wire, escaped (`escape_user`); holds `user:password` if one came."""
    host: str
    """Name or address; IPv6 in its brackets."""
    port: int | None = None
    parameters: Parameters = field(default=NO_PARAMETERS)
    headers: str = ""
    """What follows `?`, unread."""

    @classmethod
    def for_user(cls, user: str, host: str, port: int | None = None) -> Self:
        """Build a sip URI for a user name from elsewhere, escaping it: nothing in it can leave its place."""
        return cls("sip", escape_user(user), host, port)

    @classmethod
    @lru_cache(maxsize=256)  # a call reads the same few again and again, a trunk has the same in every call
    def parse(cls, text: str) -> Self:
        """Read a URI without angle brackets. Raises `SipParseError`."""
        match = _SIP_URI.fullmatch(text)
        if match is None:
            return cls._parse_other(text.strip())
        scheme, user, host, port, parameters, headers = match.groups()
        return cls(
            scheme.lower(),
            user,
            host,
            None if port is None else read_port(port),
            Parameters.parse(parameters) if parameters else NO_PARAMETERS,
            headers or "",
        )

    @classmethod
    def _parse_other(cls, text: str) -> Self:
        scheme, colon, rest = text.partition(":")
        scheme = scheme.rstrip().lower()
        bracketed = "<" in rest or ">" in rest
        if not colon or bracketed or scheme in {"sip", "sips"} or _SCHEME.fullmatch(scheme) is None:
            raise SipParseError(f"not a URI: {text!r}")
        opaque, _, parameters = rest.partition(";")
        return cls(scheme, opaque, "", None, Parameters.parse(parameters) if parameters else NO_PARAMETERS)

    @property
    def user_text(self) -> str:
        """The user part without its escapes, `""` without one."""
        user = self.user or ""
        if "%" not in user:
            return user
        raw = _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), user)
        try:
            return raw.encode("latin-1").decode()
        except UnicodeError:
            return raw

    @property
    def transport(self) -> str | None:
        """The `transport` parameter in lower case (`transport=UDP` is in the field), None without one."""
        value = self.parameters.get("transport")
        return value.lower() if value else None

    @property
    def is_wildcard(self) -> bool:
        """Whether this is the `*` of `Contact: *` (RFC 3261 §10.2.2)."""
        return self.scheme == "*"

    def __str__(self) -> str:
        if not self.host:
            return "*" if self.is_wildcard else f"{self.scheme}:{self.user}{self.parameters}"
        user = "" if self.user is None else f"{self.user}@"
        port = "" if self.port is None else f":{self.port}"
        headers = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{self.host}{port}{self.parameters}{headers}"


WILDCARD = SipUri("*", None, "")
"""The URI of `Contact: *`."""
