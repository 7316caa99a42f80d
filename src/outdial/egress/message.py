"""What is asked, what is answered, and what it may cost."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from multidict import CIMultiDict, CIMultiDictProxy

from outdial.egress.allow_list import AllowList
from outdial.errors import EgressRefused

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")  # RFC 9110 §5.5, without control characters

_OURS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that say how the message is framed and where it goes: whoever sets them may smuggle another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressOptions:
    """Bounds of all requests. Durations are seconds."""

    allow: AllowList = field(default_factory=AllowList)
    connect_s: float = 5.0
    """To resolve the name, connect and agree on TLS, for each hop."""
    total_s: float = 20.0
    """From the first look-up to the last byte of the answer, redirects included."""
    max_redirects: int = 5
    max_header_bytes: int = 8_190
    """Of one header line; an answer has at most 128 of them."""
    user_agent: str = "Outdial"


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressRequest:
    """One request to a customer's URL."""

    url: str
    """May hold credentials, which are sent as Basic authorization, to this origin only."""
    method: Method = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    total_s: float | None = None
    """Less, or more, time than the options give."""
    follow_redirects: bool = True
    """Of GET only: a redirected POST is answered with the redirect itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a request, after redirects."""

    status: int
    reason: str
    """The server's words beside the status; may be empty. Text from outside: not for a log's event name."""
    headers: CIMultiDictProxy[str] = field(
        default_factory=lambda: CIMultiDictProxy(CIMultiDict()), repr=False
    )
    body: bytes = field(default=b"", repr=False)
    """The first bytes of the body, as many as were asked for; empty after a download."""
    truncated: bool = False
    """There was more than `body`."""
    size: int = 0
    """Bytes of the body that were taken, decompressed."""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that could break the message. Raises EgressRefused with a sentence that names one."""
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise EgressRefused(f"{name[:60]!r} is not the name of an HTTP header.")
        if name.lower() in _OURS:
            raise EgressRefused(f"The header {name} cannot be set: it belongs to the connection.")
        if not _VALUE.fullmatch(value):
            raise EgressRefused(f"The value of the header {name} holds a control character.")
