"""A trunk as the user agent needs it: where it is, who we are to it and how it wants to be spoken to."""

from dataclasses import dataclass
from enum import StrEnum

from outdial.sip.digest import Credentials


class CallerIdMode(StrEnum):
    """Where the trunk looks for the caller's number."""

    FROM = "from"
    P_ASSERTED_IDENTITY = "p_asserted_identity"
    """RFC 3325."""
    REMOTE_PARTY_ID = "remote_party_id"
    """The draft that Cisco and many carriers kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """One carrier account, over UDP."""

    name: str
    host: str
    """IPv4 address or name of the carrier's proxy; a name is resolved to its A records."""
    port: int = 5060
    credentials: Credentials | None = None
    from_user: str | None = None
    """User part of From where the trunk wants the account there; the number then goes by `caller_id_mode`."""
    from_domain: str | None = None
    """Domain of From; without one, our own address."""
    caller_id_mode: CallerIdMode = CallerIdMode.FROM
    privacy: bool = False
    """Withhold the caller's number from the callee (RFC 3323); the trunk still learns it."""
    dial_prefix: str = ""
    """Put before the number in the request line, for instance `+`."""
    codecs: tuple[str, ...] = ("PCMU", "PCMA", "G722")
    """Names in the order in which they are offered."""
    ptime_ms: int = 20
    ring_timeout_s: float = 60.0
    max_call_s: float = 3600.0
    session_expires_s: int = 1800
    """Session timer that we ask for; 0 for none."""
    keep_to_peer: bool = False
    """Send everything to `host`, whatever Contact and Record-Route say."""
    addresses: tuple[str, ...] = ()
    """Further IPv4 addresses or networks from which the trunk's signalling may come."""
    register_user: str | None = None
    """The account whose calls the trunk would bring to us, where it wants us registered (RFC 3261 §10)."""
    register_expires_s: int = 0
    """For how long we ask to be registered; 0 to register nowhere."""
    headers: tuple[tuple[str, str], ...] = ()
    """Custom headers of every INVITE."""
