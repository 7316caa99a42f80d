"""Taking a call: the answerer's side of INVITE (RFC 3261 §13.3)."""

from collections.abc import Sequence
from enum import Enum

from outdial.errors import SdpError
from outdial.sip.dialog import Dialog
from outdial.sip.message import Request, Response
from outdial.sip.responses import ALLOW, build_response
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.session.challenge import Authenticator
from outdial.sip.session.context import SessionContext
from outdial.sip.session.established import EstablishedSession
from outdial.sip.session.events import Answered, Failed, FailureCause, MediaChanged
from outdial.sip.session.success_retransmission import SuccessRetransmission
from outdial.sip.state_table import StateTable


class State(Enum):
    """Where an incoming call stands."""

    RINGING = "Ringing"
    """The INVITE has no final response yet."""
    ACCEPTED = "Accepted"
    """200 sent, the ACK is due."""
    CONFIRMED = "Confirmed"
    ENDED = "Ended"


class Input(Enum):
    """What can happen to an incoming call."""

    ACCEPT = "accept"
    REJECT = "reject"
    CANCEL = "CANCEL"
    ACK = "ACK"
    NO_ACK = "no ACK for 64*T1"


class Action(Enum):
    """What an incoming call does on a transition."""

    SEND_SUCCESS = "send 200 until it is acknowledged"
    SEND_FAILURE = "send the failure"
    SEND_TERMINATED = "send 487, report cancelled"
    CONFIRM = "stop repeating 200, report answered"
    ABANDON = "send BYE"


_S, _I, _A = State, Input, Action

ANSWERING: StateTable[State, Input, Action] = StateTable(
    name="incoming call",
    states=State,
    inputs=Input,
    transitions={
        (_S.RINGING, _I.ACCEPT): (_S.ACCEPTED, (_A.SEND_SUCCESS,)),
        (_S.RINGING, _I.REJECT): (_S.ENDED, (_A.SEND_FAILURE,)),
        (_S.RINGING, _I.CANCEL): (_S.ENDED, (_A.SEND_TERMINATED,)),
        (_S.ACCEPTED, _I.ACK): (_S.CONFIRMED, (_A.CONFIRM,)),
        (_S.ACCEPTED, _I.NO_ACK): (_S.ENDED, (_A.ABANDON,)),
    },
    ignored=frozenset(
        {
            (_S.RINGING, _I.ACK),
            (_S.RINGING, _I.NO_ACK),
            (_S.ACCEPTED, _I.ACCEPT),
            (_S.ACCEPTED, _I.REJECT),
            (_S.ACCEPTED, _I.CANCEL),  # too late (§9.2): the caller hangs up with BYE
            *((_S.CONFIRMED, symbol) for symbol in _I),
        }
    ),
    final=_S.ENDED,
)


class AnsweringSession:
    """One incoming call. Made from its INVITE, it answers nothing by itself."""

    def __init__(self, context: SessionContext, transaction: ServerTransaction) -> None:
        self.context = context
        self.invite = transaction.request
        self.local_tag = context.new_token()
        self.state = State.RINGING
        self.established: EstablishedSession | None = None
        self._transaction = transaction
        self._delayed_offer = not self.invite.sdp
        self._retransmission: SuccessRetransmission | None = None
        self._failure: Response | None = None
        self._body: bytes | None = None
        transaction.owner = self

    def start(self, now: float) -> None:
        """Begin to take requests of the dialog; the INVITE becomes the first line of the trace."""
        source, data = self._transaction.source, self._transaction.data
        self.context.register(self.invite.call_id, self.local_tag, self)
        self.on_message(sent=False, data=data, peer=source, now=now)

    def on_message(self, *, sent: bool, data: bytes, peer: tuple[str, int], now: float) -> None:
        """Show the messages of the INVITE transaction in the trace."""
        self.context.on_message(sent=sent, data=data, peer=peer, now=now)

    def progress(self, status: int, now: float, *, early_media: bool = False) -> None:
        """Send a provisional response, with our answer in it if `early_media`. Raises SdpError then."""
        if self.state is State.RINGING:
            headers = [("Contact", self.context.contact), ("User-Agent", self.context.user_agent)]
            body = self._answer_body() if early_media else b""
            self._transaction.respond(self._response(status, headers, body), now)

    def accept(self, now: float) -> None:
        """Answer with 200. An offer that we cannot use is refused with 488 instead."""
        self._feed(Input.ACCEPT, now)

    def reject(
        self, status: int, now: float, *, headers: Sequence[tuple[str, str]] = (), reason: str | None = None
    ) -> None:
        """Refuse with a status of 300 or above."""
        self._failure = self._response(status, headers, reason=reason)
        self._feed(Input.REJECT, now)

    def hang_up(self, now: float) -> None:
        """End the conversation, or decline while it rings."""
        if self.established is not None:
            self.established.hang_up(now)
        else:
            self.reject(480, now)

    def on_cancel(self, now: float) -> None:
        """Take the caller's CANCEL, which has been answered."""
        self._feed(Input.CANCEL, now)

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        """Take a request inside the dialog."""
        if self.established is not None:
            if transaction.request.method == "BYE" and self._retransmission is not None:
                self._retransmission.stop()
            self.established.on_request(transaction, now)
        else:
            transaction.owner = self.context
            transaction.respond(build_response(transaction.request, transaction.source, 481), now)

    def on_ack(self, ack: Request, now: float) -> None:
        """Take the ACK of the 200, or of a re-INVITE's."""
        if self._retransmission is not None and ack.cseq.number == self._retransmission.sequence:
            self._ack = ack
            self._feed(Input.ACK, now)
        elif self.established is not None:
            self.established.on_ack(ack, now)

    def _feed(self, symbol: Input, now: float) -> None:
        self.state, actions = ANSWERING.step(self.state, symbol)
        for action in actions:
            self._act(action, now)
        if self.state is State.ENDED and self.established is None:
            self.context.forget(self.invite.call_id, self.local_tag)

    def _act(self, action: Action, now: float) -> None:
        match action:
            case Action.SEND_SUCCESS:
                self._send_success(now)
            case Action.SEND_FAILURE:
                assert self._failure is not None
                self._transaction.respond(self._failure, now)
            case Action.SEND_TERMINATED:
                self._transaction.respond(self._response(487), now)
                self.context.on_event(Failed(FailureCause.CANCELLED, 487))
            case Action.CONFIRM:
                self._confirm()
            case Action.ABANDON:
                assert self.established is not None
                self.established.not_acknowledged(now)

    def _send_success(self, now: float) -> None:
        try:
            body = self._answer_body()
        except SdpError as error:
            self._transaction.respond(self._response(488), now)
            self.state = State.ENDED
            self.context.on_event(Failed(FailureCause.INCOMPATIBLE_MEDIA, 488, str(error)))
            return
        dialog = Dialog.from_request(self.invite, self.local_tag, self._transaction.source)
        dialog.keep_to_peer = self.context.keep_to_peer
        self.established = EstablishedSession(
            self.context,
            dialog,
            self.local_tag,
            Authenticator(self.context.credentials, self.context.new_token),
            we_called=False,
            allowed=self.invite.headers.get_all("Allow"),
        )
        headers = [
            ("Contact", self.context.contact),
            ("Allow", ALLOW),
            ("Supported", "timer"),
            *self.established.timer.agree_as_answerer(self.invite, now),
        ]
        response = self._response(200, headers, body)
        self._retransmission = SuccessRetransmission(
            self.context.layer.wire, self._transaction, response, lambda now: self._feed(Input.NO_ACK, now)
        )
        self._retransmission.start(now)

    def _confirm(self) -> None:
        assert self._retransmission is not None
        self._retransmission.stop()
        self.context.on_event(Answered())
        if self._delayed_offer:
            try:
                self.context.negotiator.accept_answer(self._ack.sdp)
            except SdpError:
                return
            self.context.on_event(MediaChanged())

    def _answer_body(self) -> bytes:
        """Return our side of the media, agreed once: a 183 and the 200 must say the same."""
        if self._body is None:
            negotiator = self.context.negotiator
            self._body = negotiator.offer() if self._delayed_offer else negotiator.answer(self.invite.sdp)
        return self._body

    def _response(
        self,
        status: int,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        reason: str | None = None,
    ) -> Response:
        return build_response(
            self.invite,
            self._transaction.source,
            status,
            reason=reason,
            to_tag=self.local_tag if status > 100 else None,
            headers=headers,
            body=body,
        )
