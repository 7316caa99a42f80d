"""What all parts of a session share: who we are, how to send, whom to tell."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from outdial.sip.client_transaction import ClientTransaction, ClientTransactionUser
from outdial.sip.digest import Credentials
from outdial.sip.message import Request
from outdial.sip.responses import ALLOW
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.session.events import Event
from outdial.sip.session.negotiator import MediaNegotiator
from outdial.sip.transaction_layer import TransactionLayer
from outdial.sip.transport import Address, MessageObserver


class DialogUser(MessageObserver, Protocol):
    """What an endpoint hands requests to that arrive inside a dialog."""

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        """Take a request other than ACK and CANCEL; it must be answered."""
        ...

    def on_ack(self, ack: Request, now: float) -> None:
        """Take the ACK of a 2xx."""
        ...


@dataclass(frozen=True, slots=True)
class SessionTimerPolicy:
    """What we ask for by RFC 4028; `interval_s` 0 asks for nothing, but the far end's wish is honoured."""

    interval_s: int = 1800
    min_se_s: int = 90


@dataclass(slots=True)
class SessionContext:
    """The surroundings of one session.

    `on_event` is called while a message is being handled, so it must only take note. `on_message`, if set,
    sees every message of the session for the trace.
    """

    layer: TransactionLayer
    new_token: Callable[[], str]
    negotiator: MediaNegotiator
    on_event: Callable[[Event], None]
    contact: str
    """Our Contact value, for instance `<sip:918068@192.0.2.1:5060>`."""
    user_agent: str = "Outdial"
    credentials: Credentials | None = None
    session_timer: SessionTimerPolicy = field(default_factory=SessionTimerPolicy)
    keep_to_peer: bool = False
    sent_by: Address | None = None
    """What Via names; None for the endpoint's own address."""
    observer: Callable[[bool, bytes, Address, float], None] | None = None
    register: Callable[[str, str, DialogUser], None] = lambda _call_id, _tag, _user: None
    forget: Callable[[str, str], None] = lambda _call_id, _tag: None

    def on_message(self, *, sent: bool, data: bytes, peer: Address, now: float) -> None:
        """Pass one message to the trace."""
        if self.observer is not None:
            self.observer(sent, data, peer, now)

    def send(
        self, request: Request, destination: Address, user: ClientTransactionUser, now: float
    ) -> ClientTransaction:
        """Send a request in a transaction of its own."""
        return self.layer.send_request(request, destination, user, now, via=self.new_via())

    def new_via(self) -> str:
        """Return a Via of ours with a fresh branch."""
        return self.layer.new_via(self.sent_by)

    def describe(self, request: Request) -> None:
        """Add what requests that make or change a session carry: Contact, Allow, Supported, User-Agent."""
        request.headers.add("Contact", self.contact)
        request.headers.add("Allow", ALLOW)
        request.headers.add("Supported", "timer")
        request.headers.add("User-Agent", self.user_agent)
