"""Dialogs (RFC 3261 §12): the identifiers, the route set and the sequence numbers that two peers share."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from outdial.errors import SipParseError
from outdial.sip.headers.cseq import CSeq
from outdial.sip.headers.name_addr import NameAddr
from outdial.sip.message import Headers, Message, Request, Response
from outdial.sip.transport import Address
from outdial.sip.uri import SipUri

_SPACE = re.compile(r"\s")


@dataclass(slots=True)
class Dialog:
    """One dialog, early or confirmed. Header values are kept as text, as the far end wrote them."""

    call_id: str
    local: str
    """Our From or To value with our tag."""
    remote: str
    """The far end's value with its tag (an old peer may have none, §12.1.1)."""
    remote_tag: str | None
    route_set: tuple[str, ...]
    """Route values in the order in which we send them."""
    remote_target: str
    """The URI of the far end's Contact (§12.2.1.1)."""
    peer: Address
    """Where the message that made the dialog came from."""
    local_seq: int
    remote_seq: int | None = None
    keep_to_peer: bool = False
    """Send everything to `peer`, whatever Contact and Record-Route say (for peers behind NAT)."""

    @classmethod
    def from_response(
        cls, invite: Request, response: Response, peer: Address, *, keep_to_peer: bool
    ) -> "Dialog":
        """Make the caller's side of a dialog from a 101-299 response (§12.1.2)."""
        return cls(
            call_id=invite.call_id,
            local=invite.headers.get("From") or "",
            remote=response.headers.get("To") or invite.headers.get("To") or "",
            remote_tag=response.to_tag,
            route_set=tuple(reversed(response.headers.get_all("Record-Route"))),
            remote_target=_target(response) or invite.uri,
            peer=peer,
            local_seq=invite.cseq.number,
            keep_to_peer=keep_to_peer,
        )

    @classmethod
    def from_request(cls, invite: Request, local_tag: str, peer: Address) -> "Dialog":
        """Make the answerer's side of a dialog from an INVITE (§12.1.1)."""
        return cls(
            call_id=invite.call_id,
            local=f"{invite.headers.get('To') or ''};tag={local_tag}",
            remote=invite.headers.get("From") or "",
            remote_tag=invite.from_.tag,
            route_set=tuple(invite.headers.get_all("Record-Route")),
            remote_target=_target(invite) or str(invite.from_.uri),
            peer=peer,
            local_seq=0,
            remote_seq=invite.cseq.number,
        )

    def request(self, method: str, *, sequence: int | None = None) -> Request:
        """Build a request inside the dialog (§12.2.1.1), without Via and Contact.

        `sequence` repeats a number, as ACK does; otherwise the next one is taken.
        """
        if sequence is None:
            self.local_seq += 1
            sequence = self.local_seq
        uri, routes = self.remote_target, self.route_set
        if routes and not _loose(routes[0]):
            # A strict router wants itself in the request line and the target as the last route.
            uri, routes = (
                _request_uri(NameAddr.parse(routes[0]).uri),
                (*routes[1:], f"<{self.remote_target}>"),
            )
        headers = Headers([("Max-Forwards", "70")])
        for route in routes:
            headers.add("Route", route)
        headers.add("From", self.local)
        headers.add("To", self.remote)
        headers.add("Call-ID", self.call_id)
        headers.add("CSeq", str(CSeq(sequence, method)))
        return Request(method, uri, headers)

    def destination(self) -> Address:
        """Where requests of the dialog are sent.

        The first route, or else the target, if it is an IPv4 literal. A name is not resolved here: whoever
        wrote it into Record-Route or Contact is the peer that we talk to, so the peer it is. A private
        address behind a public peer cannot be reached and means the peer, too, and so does an address that is
        nobody's (0.0.0.0), everybody's (broadcast, multicast) or our own.
        """
        if self.keep_to_peer:
            return self.peer
        try:
            uri = (
                NameAddr.parse(self.route_set[0]).uri if self.route_set else SipUri.parse(self.remote_target)
            )
        except SipParseError:
            return self.peer
        if not _leads_away(uri.host, self.peer[0]):
            return self.peer
        if _is_private(uri.host) and not _is_private(self.peer[0]):
            return self.peer
        return uri.host, uri.port or 5060

    def refresh_target(self, message: Message) -> None:
        """Take a new Contact from a target refresh: re-INVITE, UPDATE, or their 2xx (§12.2)."""
        self.remote_target = _target(message) or self.remote_target

    def accepts_sequence(self, request: Request) -> bool:
        """Whether the request is newer than the last one (§12.2.2); remembers it if so."""
        number = request.cseq.number
        if self.remote_seq is not None and number <= self.remote_seq:
            return False
        self.remote_seq = number
        return True


def _target(message: Message) -> str | None:
    try:
        contact = message.contact
    except SipParseError:
        return None
    return None if contact is None or contact.is_wildcard else _request_uri(contact.uri)


def _request_uri(uri: SipUri) -> str:
    """Escape the space that a far end may have left in a URI: it cannot stand in a request line."""
    return _SPACE.sub(lambda space: "".join(f"%{byte:02X}" for byte in space[0].encode()), str(uri))


@lru_cache(maxsize=256)  # a trunk has a handful of addresses, and ipaddress is slow
def _is_private(host: str) -> bool:
    """Whether an IPv4 address is not one of the internet's: private, or behind a carrier's NAT."""
    return not ipaddress.IPv4Address(host).is_global


@lru_cache(maxsize=256)
def _leads_away(host: str, peer: str) -> bool:
    """Whether `host` is the IPv4 address of one machine, and not of this one unless the peer is here too."""
    try:
        address = ipaddress.IPv4Address(host)
    except ipaddress.AddressValueError:
        return False
    if address.is_loopback:
        return ipaddress.IPv4Address(peer).is_loopback
    return not (address.is_unspecified or address.is_multicast or address.is_reserved)


def _loose(route: str) -> bool:
    try:
        return NameAddr.parse(route).uri.parameters.has("lr")
    except SipParseError:
        return True
