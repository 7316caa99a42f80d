"""The simulated network without its sockets: datagrams and ``now`` in, datagrams out, calls reported when
over."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from outdial.errors import MediaError, SipParseError
from outdial.sandbox.digest_gate import DigestGate
from outdial.sandbox.heard import Heard
from outdial.sandbox.losses import Losses
from outdial.sandbox.magic_numbers import phone_of
from outdial.sandbox.negotiator import PhoneNegotiator
from outdial.sandbox.phone import Phone
from outdial.sandbox.phone_call import CallSurroundings, Line, PhoneCall
from outdial.sandbox.registrar import Registrar
from outdial.sip.client_transaction import ClientTransaction, ClientTransactionUser
from outdial.sip.endpoint import Endpoint
from outdial.sip.message import Request
from outdial.sip.responses import build_response
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.session.answering import AnsweringSession
from outdial.sip.session.context import DialogUser, SessionContext, SessionTimerPolicy
from outdial.sip.session.events import Event, Failed, FailureCause
from outdial.sip.session.session_timer import expires_of
from outdial.sip.timers import TimerValues
from outdial.sip.transport import Address

_USER_AGENT = "Outdial sandbox"
_REMEMBERED_GATES = 10_000
_SHORTEST_MIN_SE_S = 90  # RFC 4028 section 4


@dataclass(slots=True)
class PhoneContext(SessionContext):
    """The surroundings of a phone's session, which may give a reason in its BYE."""

    q850: int | None = None

    def send(
        self, request: Request, destination: Address, user: ClientTransactionUser, now: float
    ) -> ClientTransaction:
        """Send a request, a BYE with its Reason (RFC 3326)."""
        if request.method == "BYE" and self.q850 is not None:
            request.headers.add("Reason", f"Q.850;cause={self.q850}")
        return SessionContext.send(self, request, destination, user, now)


class Switchboard:
    """All phones behind one address."""

    def __init__(
        self,
        address: Address,
        phones: dict[str, Phone],
        *,
        new_token: Callable[[], str],
        unix_ms: Callable[[], int],
        open_line: Callable[[Phone], Line],
        on_over: Callable[[Heard, bytes], None],
        on_call: Callable[[Heard], None] = lambda _heard: None,
        timer_values: TimerValues | None = None,
    ) -> None:
        """``open_line`` raises :class:`MediaError` when no RTP port is free; the call then gets a 503.

        ``on_call`` is told of each phone as soon as it is called, ``on_over`` when nothing more can happen.
        """
        self.registrar = Registrar(new_token)
        self.endpoint = Endpoint(
            address,
            new_token,
            user_agent=_USER_AGENT,
            timer_values=timer_values,
            on_invite=self._on_invite,
            on_register=self.registrar.on_register,
        )
        self._address = address
        self._phones = phones
        self._new_token = new_token
        self._unix_ms = unix_ms
        self._open_line = open_line
        self._report = on_over
        self._announce = on_call
        self._losses = Losses(lambda invite: phone_of(_number(invite), self._phones))
        self._gates: OrderedDict[str, DigestGate] = OrderedDict()
        self._calls: dict[PhoneCall, list[PhoneCall]] = {}
        """Every call that is not over, with those that were forked from the same INVITE."""
        self._events: list[tuple[PhoneCall, Event]] = []

    @property
    def calls(self) -> int:
        """How many phones are in a call."""
        return len(self._calls)

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """Take one datagram."""
        if not self._losses.loses_incoming(data):
            self.endpoint.receive(data, source, now)
            self._settle(now)

    def run_timers(self, now: float) -> None:
        """Run what is due."""
        self.endpoint.run_timers(now)
        self._settle(now)

    def next_timer_at(self) -> float | None:
        """When `run_timers` is due next, None for never."""
        return self.endpoint.next_timer_at()

    def take_datagrams(self) -> list[tuple[bytes, Address]]:
        """What must be sent, without what the network loses."""
        datagrams = self.endpoint.take_datagrams()
        return [(data, to) for data, to in datagrams if not self._losses.loses_outgoing(data)]

    def hang_up_all(self, now: float) -> None:
        """End every call."""
        for call in list(self._calls):
            call.hang_up(now)
        self._settle(now)

    def _settle(self, now: float) -> None:
        """Hand the calls what their sessions said while a message was being handled."""
        while self._events:
            call, event = self._events.pop(0)
            siblings = self._calls.get(call, [])
            call.take(event, now)
            if isinstance(event, Failed) and event.cause is FailureCause.CANCELLED:
                # The transaction knows one of its forks; the others are given up with it.
                for sibling in siblings:
                    sibling.session.on_cancel(now)

    def _on_invite(self, transaction: ServerTransaction, now: float) -> None:
        invite = transaction.request
        number = _number(invite)
        if not number:
            self._refuse(transaction, 404, [], now)
            return
        phone = phone_of(number, self._phones)
        gate = self._gate(phone, invite.call_id)
        expires = expires_of(invite)
        if not gate.admits(invite):
            status, header = gate.challenge()
            self._refuse(transaction, status, [header], now)
        elif expires is not None and phone.min_se_s is not None and expires.seconds < phone.min_se_s:
            self._refuse(transaction, 422, [("Min-SE", str(phone.min_se_s))], now)
        else:
            self._call(phone, transaction, gate, now)

    def _call(self, phone: Phone, transaction: ServerTransaction, gate: DigestGate, now: float) -> None:
        try:
            lines = self._open_lines(phone)
        except MediaError:
            self._refuse(transaction, 503, [], now)
            return
        forks = [self._connect(phone, transaction, gate, line, fork) for fork, line in enumerate(lines)]
        for call in forks:
            self._calls[call] = forks
            call.begin(now)

    def _open_lines(self, phone: Phone) -> list[Line]:
        lines: list[Line] = []
        try:
            while len(lines) < phone.forks:
                lines.append(self._open_line(phone))
        except MediaError:
            for line in lines:
                line.close()
            raise
        return lines

    def _connect(
        self, phone: Phone, transaction: ServerTransaction, gate: DigestGate, line: Line, fork: int
    ) -> PhoneCall:
        invite = transaction.request
        negotiator = PhoneNegotiator(
            phone, self._address[0], line.port, session_id=int(self._new_token()[:12], 16)
        )
        context = PhoneContext(
            layer=self.endpoint.layer,
            new_token=self._new_token,
            negotiator=negotiator,
            on_event=lambda event: self._events.append((call, event)),
            contact=f"<sip:{phone.number}@{self._address[0]}:{self._address[1]}>",
            user_agent=_USER_AGENT,
            session_timer=SessionTimerPolicy(min_se_s=phone.min_se_s or _SHORTEST_MIN_SE_S),
            q850=phone.q850,
        )
        session = self.endpoint.answer(context, transaction)
        self._guard(session, gate)
        heard = Heard(
            number=phone.number,
            caller=invite.from_.uri.user_text,
            call_id=invite.call_id if not fork else f"{invite.call_id}+{fork}",
            outcome="",
            invited_at=self._unix_ms(),
        )
        around = CallSurroundings(self.endpoint.wire.timers, line, negotiator, self._on_over)
        call = PhoneCall(phone, session, around, heard)
        self._announce(heard)
        return call

    def _gate(self, phone: Phone, call_id: str) -> DigestGate:
        """The gate of one call; callers that never come back with credentials are forgotten in the end."""
        if call_id not in self._gates:
            self._gates[call_id] = DigestGate(phone, self._new_token)
            if len(self._gates) > _REMEMBERED_GATES:
                self._gates.popitem(last=False)
        return self._gates[call_id]

    def _guard(self, session: AnsweringSession, gate: DigestGate) -> None:
        """Put the gate in front of the session for everything that arrives inside the dialog."""
        register = session.context.register
        session.context.register = lambda call_id, tag, user: register(
            call_id, tag, _GuardedDialog(user, gate, self._refuse)
        )

    def _refuse(
        self, transaction: ServerTransaction, status: int, headers: list[tuple[str, str]], now: float
    ) -> None:
        response = build_response(
            transaction.request, transaction.source, status, to_tag=self._new_token(), headers=headers
        )
        transaction.respond(response, now)

    def _on_over(self, call: PhoneCall, heard: Heard, audio: bytes) -> None:
        self._calls.pop(call, None)
        self._gates.pop(call.session.invite.call_id, None)
        self._report(heard, audio)


class _GuardedDialog:
    """A dialog user behind a digest gate."""

    def __init__(
        self,
        user: DialogUser,
        gate: DigestGate,
        refuse: Callable[[ServerTransaction, int, list[tuple[str, str]], float], None],
    ) -> None:
        self._user = user
        self._gate = gate
        self._refuse = refuse
        gate.dialog_begins()

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        if self._gate.admits(transaction.request):
            self._user.on_request(transaction, now)
        else:
            status, header = self._gate.challenge()
            self._refuse(transaction, status, [header], now)

    def on_ack(self, ack: Request, now: float) -> None:
        self._user.on_ack(ack, now)

    def on_message(self, *, sent: bool, data: bytes, peer: Address, now: float) -> None:
        self._user.on_message(sent=sent, data=data, peer=peer, now=now)


def _number(invite: Request) -> str:
    """The digits that were dialled, without plus sign and separators; empty if the Request-URI has none."""
    try:
        user = invite.request_uri.user_text
    except SipParseError:
        return ""
    return "".join(filter(str.isdigit, user.partition(";")[0]))
