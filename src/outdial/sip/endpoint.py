"""One SIP endpoint: its transactions, its dialogs and what it says to requests outside of them.

The seam to the world: datagrams and `now` go in, datagrams come out (`take_datagrams`), and the owner calls
`run_timers` when `next_timer_at` is due. The caller's side (Outdial) and the answerer's side (the simulated
phone network) are the same class.
"""

from collections.abc import Callable

from outdial.sip.client_transaction import ClientTransaction
from outdial.sip.message import Headers, Request, Response
from outdial.sip.registration.registration import Account, Registration, RegistrationUser
from outdial.sip.responses import ALLOW, ALLOWED_METHODS, build_response
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.session.answering import AnsweringSession
from outdial.sip.session.calling import CallingSession, OutgoingCall
from outdial.sip.session.context import DialogUser, SessionContext
from outdial.sip.session.in_dialog import capabilities
from outdial.sip.timers import TimerValues
from outdial.sip.transaction_layer import TransactionLayer
from outdial.sip.transport import Address, Wire


class Endpoint:
    """All signalling behind one socket."""

    def __init__(
        self,
        sent_by: Address,
        new_token: Callable[[], str],
        *,
        user_agent: str = "Outdial",
        timer_values: TimerValues | None = None,
        on_invite: Callable[[ServerTransaction, float], None] | None = None,
        on_register: Callable[[ServerTransaction, float], None] | None = None,
    ) -> None:
        """Make an endpoint that calls itself `sent_by` in Via.

        `new_token` returns a fresh unguessable token of hexadecimal digits. `on_invite` takes new incoming
        calls and must answer them; without it they are refused with 403. `on_register` answers REGISTER, for
        a far end that is a registrar.
        """
        self.wire = Wire(timer_values or TimerValues())
        self.layer = TransactionLayer(sent_by, self.wire, self, new_token)
        self.new_token = new_token
        self.user_agent = user_agent
        self._on_invite = on_invite
        self._on_register = on_register
        self._dialogs: dict[tuple[str, str], DialogUser] = {}

    @property
    def dialogs(self) -> int:
        """How many sessions exist."""
        return len(self._dialogs)

    @property
    def idle(self) -> bool:
        """Whether no session, transaction or timer is left."""
        return not self._dialogs and not len(self.layer) and not len(self.wire.timers)

    def call(self, context: SessionContext, call: OutgoingCall) -> CallingSession:
        """Prepare an outgoing call; its `start` sends the INVITE."""
        self._adopt(context)
        return CallingSession(context, call)

    def answer(self, context: SessionContext, transaction: ServerTransaction) -> AnsweringSession:
        """Prepare to take an incoming call that `on_invite` was given."""
        self._adopt(context)
        return AnsweringSession(context, transaction)

    def register(self, account: Account, user: RegistrationUser, random: Callable[[], float]) -> Registration:
        """Prepare a registration; its `start` asks `user` for addresses."""
        return Registration(self.layer, self.new_token, account, user, random)

    def ping(
        self,
        uri: str,
        from_: str,
        destination: Address,
        on_done: Callable[[Response | None, float], None],
        now: float,
        *,
        sent_by: Address | None = None,
    ) -> None:
        """Send OPTIONS outside a dialog (§11.1): any answer means that the far end is there."""
        headers = Headers(
            [("Max-Forwards", "70"), ("From", f"{from_};tag={self.new_token()}"), ("To", f"<{uri}>")]
        )
        headers.add("Call-ID", self.new_token())
        headers.add("CSeq", "1 OPTIONS")
        headers.add("Accept", "application/sdp")
        headers.add("User-Agent", self.user_agent)
        self.layer.send_request(
            Request("OPTIONS", uri, headers),
            destination,
            _Ping(on_done),
            now,
            via=self.layer.new_via(sent_by),
        )

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """Take one datagram."""
        self.layer.receive(data, source, now)

    def transport_error(self, destination: Address, datagram: bytes, now: float) -> None:
        """Take the news that `datagram`, or what begins like it, did not reach `destination`."""
        self.layer.transport_error(destination, datagram, now)

    def next_timer_at(self) -> float | None:
        """Return when `run_timers` is due next, None for never."""
        return self.wire.timers.next_at()

    def run_timers(self, now: float) -> None:
        """Run what is due."""
        self.wire.timers.run_due(now)

    def take_datagrams(self) -> list[tuple[bytes, Address]]:
        """Return what must be sent, in order, and forget it."""
        datagrams = self.wire.datagrams
        if datagrams:
            self.wire.datagrams = []
        return datagrams

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        """Route a new request: into its dialog by tag, or to the answer for strangers (§12.2.2)."""
        request = transaction.request
        to_tag = request.to_tag
        if to_tag is not None:
            user = self._dialogs.get((request.call_id, to_tag))
            if user is None:
                self._respond(transaction, 481, now)
            else:
                user.on_request(transaction, now)
        elif request.method == "INVITE" and self._on_invite is not None:
            self._on_invite(transaction, now)
        elif request.method == "REGISTER" and self._on_register is not None:
            self._on_register(transaction, now)
        else:
            self._answer_outside(transaction, now)

    def on_ack(self, ack: Request, source: Address, data: bytes, now: float) -> None:
        """Hand the ACK of a 2xx to its dialog; an ACK without one is never answered (§17)."""
        user = self._dialogs.get((ack.call_id, ack.to_tag or ""))
        if user is not None:
            user.on_message(sent=False, data=data, peer=source, now=now)
            user.on_ack(ack, now)

    def on_cancel(self, invite: ServerTransaction, now: float) -> None:
        """End an incoming call that its caller gave up."""
        if isinstance(invite.owner, AnsweringSession):
            invite.owner.on_cancel(now)

    def _answer_outside(self, transaction: ServerTransaction, now: float) -> None:
        """Answer a request that belongs to no dialog (§8.2)."""
        method = transaction.request.method
        if method == "OPTIONS":
            self._respond(transaction, 200, now, capabilities())
        elif method == "INVITE":
            self._respond(transaction, 403, now)
        elif method in ("BYE", "UPDATE", "INFO"):
            self._respond(transaction, 481, now)
        elif method in ("NOTIFY", "MESSAGE"):
            self._respond(transaction, 405, now, [("Allow", ALLOW)])
        else:
            known = method in ("REGISTER", "SUBSCRIBE", "PUBLISH", "REFER", "PRACK", *ALLOWED_METHODS)
            self._respond(transaction, 405 if known else 501, now, [("Allow", ALLOW)])

    def _respond(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        response = build_response(
            transaction.request, transaction.source, status, to_tag=self.new_token(), headers=headers or ()
        )
        transaction.respond(response, now)

    def _adopt(self, context: SessionContext) -> None:
        context.register = self._register
        context.forget = self._forget

    def _register(self, call_id: str, local_tag: str, user: DialogUser) -> None:
        self._dialogs[call_id, local_tag] = user

    def _forget(self, call_id: str, local_tag: str) -> None:
        self._dialogs.pop((call_id, local_tag), None)


class _Ping:
    """The user of an OPTIONS transaction."""

    def __init__(self, on_done: Callable[[Response | None, float], None]) -> None:
        self._on_done = on_done

    def on_message(self, *, sent: bool, data: bytes, peer: Address, now: float) -> None:
        """It is in the trace of no call."""

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if response.status >= 200:
            self._on_done(response, now)

    def on_no_response(self, transaction: ClientTransaction, now: float, *, transport_failed: bool) -> None:
        self._on_done(None, now)
