"""A customer's URL, read once and in one spelling, so that what was checked is what is asked."""

import re
import socket
from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, ip_address

from yarl import URL

from outdial.egress.networks import Address
from outdial.errors import EgressRefused

LONGEST_URL = 2048
"""Characters, with everything percent-encoded: what browsers and proxies agree on."""

_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f]")
_NUMBER = re.compile(r"(?i)0x[0-9a-f]*|[0-9]+")
_HOST_NAME = re.compile(r"[a-z0-9._-]{1,253}")
_MOST_REMEMBERED = 1_000
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes."""

    url: URL
    """Without credentials and fragment; a host that is an address is in its usual spelling."""
    host: str
    """Name or address, in lower case, without brackets and trailing dot; fit to be shown."""
    port: int
    address: Address | None
    """The host, if it is an address."""
    authorization: str | None = field(default=None, repr=False)
    """The credentials of the URL as a Basic `Authorization` header (RFC 7617)."""

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: credentials are for one origin only (RFC 9110 §4.3.1)."""
        return self.url.scheme, self.host, self.port

    @property
    def shown(self) -> str:
        """The URL as a log may have it: without credentials and query, where tokens are."""
        return str(self.url.with_query(None))


@lru_cache(_MOST_REMEMBERED)
def parse_target(text: str) -> Target:
    """Read a URL. Raises EgressRefused with a sentence for whoever gave it.

    URLs are remembered: an endpoint is asked once for every event of every call.
    """
    if _CONTROL_OR_SPACE.search(text):
        raise EgressRefused("The URL holds a space or a control character; write it as %20 or the like.")
    try:
        url = URL(text).with_fragment(None)
        host = (url.raw_host or "").rstrip(".")
        port = url.port
    except ValueError:  # yarl's words are about its parser
        raise EgressRefused("This is not a URL such as https://example.com/hello.mp3.") from None
    if url.scheme not in _DEFAULT_PORTS:
        raise EgressRefused("The URL should start with http:// or https://.")
    if not host:
        raise EgressRefused("The URL names no host; it should look like https://example.com/hello.mp3.")
    if not port:
        raise EgressRefused(f"{host} cannot be asked on port 0.")
    authorization = _authorization(url)
    url = url.with_user(None)
    address = _address(host)
    if address is None and not _HOST_NAME.fullmatch(host):
        raise EgressRefused("The host of the URL is neither a name nor an address.")
    if address is not None:
        host = str(address)
        url = url.with_host(host)
    if len(str(url)) > LONGEST_URL:
        raise EgressRefused(f"The URL is longer than {LONGEST_URL} characters.")
    return Target(url, host, port, address, authorization)


def normalised(text: str) -> str:
    """Return the URL as it is stored and compared: one spelling, ASCII, with credentials, without fragment.

    Raises EgressRefused.
    """
    target = parse_target(text)
    given = URL(text)
    if given.raw_user is None and given.raw_password is None:
        return str(target.url)
    url = str(target.url.with_user(given.user).with_password(given.password))
    if len(url) > LONGEST_URL:
        raise EgressRefused(f"The URL is longer than {LONGEST_URL} characters.")
    return url


def _authorization(url: URL) -> str | None:
    if url.user is None and url.password is None:
        return None
    if ":" in (url.user or ""):
        raise EgressRefused("The user name in the URL holds a colon, which HTTP cannot send.")
    return "Basic " + b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()


def _address(host: str) -> Address | None:
    """The host as an address, if that is what the system's resolver would take it for.

    `inet_aton` reads one to four numbers, decimal, octal or hexadecimal, and so do resolvers: 0x7f.1 and
    2130706433 are 127.0.0.1. A host whose last part is a number is nothing else (WHATWG URL §3.5).
    """
    try:
        return ip_address(host)
    except ValueError:
        pass
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return IPv4Address(socket.inet_aton(host))
        except OSError:
            raise EgressRefused(f"{host[:100]} is neither a host name nor an address.") from None
    return None
