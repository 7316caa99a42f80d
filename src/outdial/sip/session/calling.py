"""Placing a call: the caller's INVITE until it is answered, refused or given up (RFC 3261 §13.2).

The table says what happens to an attempt; the early dialogs, forks and digest rounds around it are in the
files of their names. Once answered, `established` takes over.
"""

from dataclasses import dataclass
from enum import Enum

from outdial.errors import SdpError, SipParseError
from outdial.sip.client_transaction import ClientTransaction
from outdial.sip.dialog import Dialog
from outdial.sip.headers.retry_after import RetryAfter
from outdial.sip.message import Headers, Request, Response
from outdial.sip.responses import build_response
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.session.bye import release_cause
from outdial.sip.session.cancel import send_cancel
from outdial.sip.session.challenge import CHALLENGE_STATUSES, Authenticator
from outdial.sip.session.context import SessionContext
from outdial.sip.session.established import EstablishedSession
from outdial.sip.session.events import Answered, AnsweredLate, Failed, FailureCause, Progress
from outdial.sip.session.forks import Acknowledgements, end_fork
from outdial.sip.session.session_timer import minimum_of, offer_session_timer
from outdial.sip.state_table import StateTable
from outdial.sip.timers import Timer
from outdial.sip.transport import Address, Wire

_MAX_EARLY_DIALOGS = 16
"""Forks whose early media description is remembered; a 2xx without a body then confirms it."""
_MAX_LENGTHENINGS = 3
"""A far end that asks for a longer session interval each time would be asked for ever."""


class State(Enum):
    """Where an outgoing call attempt stands."""

    CALLING = "Calling"
    """INVITE sent, nothing heard."""
    PROCEEDING = "Proceeding"
    """A provisional response came, so a CANCEL is allowed."""
    CANCEL_PENDING = "Cancel pending"
    """We want to give up, but §9.1 forbids CANCEL before a provisional response."""
    CANCELLING = "Cancelling"
    """CANCEL sent, the final response is due."""
    ANSWERED = "Answered"
    ENDED = "Ended"


class Input(Enum):
    """What can happen to an outgoing call attempt."""

    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    UNUSABLE_SUCCESS = "2xx with media that we cannot use"
    CHALLENGE = "401 or 407 that we can answer"
    TOO_BRIEF = "422"
    FAILURE = "other failure"
    NO_RESPONSE = "Timer B or transport error"
    HANG_UP = "hang up or ring timeout"
    GIVE_UP = "no final response after CANCEL"


class Action(Enum):
    """What an outgoing call attempt does on a transition."""

    REPORT_PROGRESS = "report progress"
    ACCEPT = "send ACK, establish the session"
    AUTHENTICATE = "send INVITE with credentials"
    LENGTHEN = "send INVITE with a longer session interval"
    CANCEL = "send CANCEL"
    REFUSE = "send ACK and BYE, report cancelled"
    REFUSE_MEDIA = "send ACK and BYE, report incompatible media"
    END_FORK = "send ACK and BYE"
    ABANDON = "wait for the INVITE no more"
    REPORT_FAILURE = "report the failure"
    REPORT_NO_RESPONSE = "report no response"
    REPORT_CANCELLED = "report cancelled"


_S, _I, _A = State, Input, Action

CALLING: StateTable[State, Input, Action] = StateTable(
    name="outgoing call attempt",
    states=State,
    inputs=Input,
    transitions={
        (_S.CALLING, _I.PROVISIONAL): (_S.PROCEEDING, (_A.REPORT_PROGRESS,)),
        (_S.CALLING, _I.SUCCESS): (_S.ANSWERED, (_A.ACCEPT,)),
        (_S.CALLING, _I.UNUSABLE_SUCCESS): (_S.ENDED, (_A.REFUSE_MEDIA,)),
        (_S.CALLING, _I.CHALLENGE): (_S.CALLING, (_A.AUTHENTICATE,)),
        (_S.CALLING, _I.TOO_BRIEF): (_S.CALLING, (_A.LENGTHEN,)),
        (_S.CALLING, _I.FAILURE): (_S.ENDED, (_A.REPORT_FAILURE,)),
        (_S.CALLING, _I.NO_RESPONSE): (_S.ENDED, (_A.REPORT_NO_RESPONSE,)),
        (_S.CALLING, _I.HANG_UP): (_S.CANCEL_PENDING, ()),
        (_S.PROCEEDING, _I.PROVISIONAL): (_S.PROCEEDING, (_A.REPORT_PROGRESS,)),
        (_S.PROCEEDING, _I.SUCCESS): (_S.ANSWERED, (_A.ACCEPT,)),
        (_S.PROCEEDING, _I.UNUSABLE_SUCCESS): (_S.ENDED, (_A.REFUSE_MEDIA,)),
        (_S.PROCEEDING, _I.CHALLENGE): (_S.CALLING, (_A.AUTHENTICATE,)),
        (_S.PROCEEDING, _I.TOO_BRIEF): (_S.CALLING, (_A.LENGTHEN,)),
        (_S.PROCEEDING, _I.FAILURE): (_S.ENDED, (_A.REPORT_FAILURE,)),
        (_S.PROCEEDING, _I.NO_RESPONSE): (_S.ENDED, (_A.REPORT_NO_RESPONSE,)),
        (_S.PROCEEDING, _I.HANG_UP): (_S.CANCELLING, (_A.CANCEL,)),
        (_S.CANCEL_PENDING, _I.PROVISIONAL): (_S.CANCELLING, (_A.CANCEL,)),
        (_S.CANCEL_PENDING, _I.SUCCESS): (_S.ENDED, (_A.REFUSE,)),
        (_S.CANCEL_PENDING, _I.CHALLENGE): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCEL_PENDING, _I.TOO_BRIEF): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCEL_PENDING, _I.FAILURE): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCEL_PENDING, _I.NO_RESPONSE): (_S.ENDED, (_A.REPORT_NO_RESPONSE,)),
        (_S.CANCELLING, _I.SUCCESS): (_S.ENDED, (_A.REFUSE,)),
        (_S.CANCELLING, _I.CHALLENGE): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCELLING, _I.TOO_BRIEF): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCELLING, _I.FAILURE): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCELLING, _I.NO_RESPONSE): (_S.ENDED, (_A.REPORT_CANCELLED,)),
        (_S.CANCELLING, _I.GIVE_UP): (_S.ENDED, (_A.ABANDON, _A.REPORT_CANCELLED)),
        (_S.ANSWERED, _I.SUCCESS): (_S.ANSWERED, (_A.END_FORK,)),
        (_S.ENDED, _I.SUCCESS): (_S.ENDED, (_A.END_FORK,)),
    },
    ignored=frozenset(
        {
            (_S.CALLING, _I.GIVE_UP),
            (_S.PROCEEDING, _I.GIVE_UP),
            (_S.CANCEL_PENDING, _I.HANG_UP),
            (_S.CANCEL_PENDING, _I.UNUSABLE_SUCCESS),  # it is hung up whatever its media
            (_S.CANCEL_PENDING, _I.GIVE_UP),
            (_S.CANCELLING, _I.PROVISIONAL),
            (_S.CANCELLING, _I.HANG_UP),
            (_S.CANCELLING, _I.UNUSABLE_SUCCESS),  # it is hung up whatever its media
            *((_S.ANSWERED, symbol) for symbol in _I if symbol is not _I.SUCCESS),
            *((_S.ENDED, symbol) for symbol in _I if symbol is not _I.SUCCESS),
        }
    ),
)


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """Whom to call and as whom; every value is a header value or URI, ready to be sent."""

    uri: str
    """Request-URI, for instance `sip:918867135000@192.0.2.9`."""
    from_: str
    """From without a tag, for instance `"Shop" <sip:918068@192.0.2.1>`."""
    to: str
    destination: Address
    """The trunk's signalling address."""
    call_id: str
    headers: tuple[tuple[str, str], ...] = ()
    """Identity, privacy and custom headers."""
    route: str | None = None
    ring_timeout_s: float = 60.0
    """From the INVITE until we give up waiting for an answer."""


class CallingSession:
    """One outgoing call attempt, from INVITE to the last fork."""

    def __init__(self, context: SessionContext, call: OutgoingCall) -> None:
        self._context = context
        self._call = call
        self._local_tag = context.new_token()
        self._authenticator = Authenticator(context.credentials, context.new_token)
        self._authentication = self._authenticator.begin()
        self._acknowledgements = Acknowledgements(context)
        self._session_interval = context.session_timer.interval_s
        self._min_se = context.session_timer.min_se_s
        self._lengthenings = 0
        self._sequence = 0
        self._transaction: ClientTransaction | None = None
        self._early_media: dict[str | None, bytes] = {}
        self._failure = Failed(FailureCause.NO_RESPONSE)
        self._cancel_cause = FailureCause.CANCELLED
        self._ring_timer: Timer | None = None
        self._give_up_timer: Timer | None = None
        self.state = State.CALLING
        self.established: EstablishedSession | None = None
        """The session after the answer; it still exists when it has ended."""

    def start(self, now: float) -> None:
        """Send the INVITE and start the ring timeout.

        Raises `LocalProtocolError` if a header value cannot be sent, and leaves nothing behind then.
        """
        self._send_invite(now)
        self._context.register(self._call.call_id, self._local_tag, self)
        self._ring_timer = self._wire.timers.start(now + self._call.ring_timeout_s, self, Input.HANG_UP)

    def hang_up(self, now: float) -> None:
        """Give up, or end the conversation. Allowed at any time, any number of times."""
        if self.established is not None:
            self.established.hang_up(now)
        else:
            self._feed(Input.HANG_UP, now)

    def on_message(self, *, sent: bool, data: bytes, peer: Address, now: float) -> None:
        """Show the messages of the INVITE transaction in the trace."""
        self._context.on_message(sent=sent, data=data, peer=peer, now=now)

    def on_timer(self, kind: object, now: float) -> None:
        """Take the ring timeout or the give-up timer."""
        assert isinstance(kind, Input)
        if kind is Input.HANG_UP:
            self._cancel_cause = FailureCause.RING_TIMEOUT
        self._feed(kind, now)

    def on_response(self, _transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take a response to the INVITE, or a late 2xx to one that it replaced."""
        if 200 <= response.status < 300:
            self._on_success(response, now)
        elif response.status < 200:
            if response.sdp and len(self._early_media) < _MAX_EARLY_DIALOGS:
                self._early_media[response.to_tag] = response.sdp
            self._feed(Input.PROVISIONAL, now, response)
        else:
            self._feed(self._classify_failure(response), now, response)

    def on_no_response(self, _transaction: ClientTransaction, now: float, *, transport_failed: bool) -> None:
        """Take the silence of the far end, or a network that refused."""
        cause = FailureCause.TRANSPORT_FAILED if transport_failed else FailureCause.NO_RESPONSE
        self._failure = Failed(cause)
        self._feed(Input.NO_RESPONSE, now)

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        """Take a request inside the dialog; before the answer only a refusal is right (§12.2.2)."""
        if self.established is not None:
            self.established.on_request(transaction, now)
            return
        status = 491 if transaction.request.method in ("UPDATE", "INVITE") else 481
        transaction.owner = self._context
        transaction.respond(build_response(transaction.request, transaction.source, status), now)

    def on_ack(self, ack: Request, now: float) -> None:
        """Take the ACK of a re-INVITE's 2xx."""
        if self.established is not None:
            self.established.on_ack(ack, now)

    def _on_success(self, response: Response, now: float) -> None:
        to_tag = response.to_tag
        if self._acknowledgements.knows(to_tag):
            self._acknowledgements.repeat(to_tag, now)
        elif self.state in (State.CALLING, State.PROCEEDING):
            usable = self._negotiate(response)
            self._feed(Input.SUCCESS if usable else Input.UNUSABLE_SUCCESS, now, response)
        else:
            self._feed(Input.SUCCESS, now, response)

    def _negotiate(self, response: Response) -> bool:
        """Agree on media with a 2xx; one without a body confirms the early media of its own dialog."""
        try:
            self._context.negotiator.accept_answer(
                response.sdp or self._early_media.get(response.to_tag, b"")
            )
        except SdpError as error:
            self._failure = Failed(
                FailureCause.INCOMPATIBLE_MEDIA, response.status, str(error), picked_up=True
            )
            return False
        return True

    def _classify_failure(self, response: Response) -> Input:
        if response.status in CHALLENGE_STATUSES and self.state in (State.CALLING, State.PROCEEDING):
            if self._authentication.take(response):
                return Input.CHALLENGE
            self._failure = _failed(FailureCause.AUTHENTICATION_FAILED, response)
            return Input.FAILURE
        if response.status == 422:
            wanted = minimum_of(response)
            if wanted is not None and wanted > self._min_se and self._lengthenings < _MAX_LENGTHENINGS:
                self._lengthenings += 1
                self._min_se = wanted
                self._session_interval = max(self._session_interval, wanted)
                return Input.TOO_BRIEF
        self._failure = _failed(FailureCause.REJECTED, response)
        return Input.FAILURE

    def _feed(self, symbol: Input, now: float, response: Response | None = None) -> None:
        self.state, actions = CALLING.step(self.state, symbol)
        for action in actions:
            self._act(action, now, response)
        if self.state is State.ENDED and self.established is None:
            self._stop_waiting()
            self._context.forget(self._call.call_id, self._local_tag)

    def _act(self, action: Action, now: float, response: Response | None) -> None:
        match action:
            case Action.REPORT_PROGRESS:
                assert response is not None
                if response.status > 100:
                    progress = Progress(response.status, response.reason, early_media=bool(response.sdp))
                    self._context.on_event(progress)
            case Action.ACCEPT:
                assert response is not None
                self._accept(response, now)
            case Action.AUTHENTICATE | Action.LENGTHEN:
                self._send_invite(now)
            case Action.CANCEL:
                self._cancel(now)
            case Action.ABANDON:
                assert self._transaction is not None
                self._transaction.abandon(now)
            case Action.REFUSE | Action.REFUSE_MEDIA | Action.END_FORK:
                assert response is not None
                self._end_fork(response, now)
                self._report_fork(action, response)
            case Action.REPORT_FAILURE | Action.REPORT_NO_RESPONSE:
                self._context.on_event(self._failure)
            case Action.REPORT_CANCELLED:
                status, reason = (response.status, response.reason) if response is not None else (None, "")
                self._context.on_event(Failed(self._cancel_cause, status, reason))

    def _report_fork(self, action: Action, response: Response) -> None:
        if action is Action.REFUSE:
            self._context.on_event(Failed(self._cancel_cause, response.status, picked_up=True))
        elif action is Action.REFUSE_MEDIA:
            self._context.on_event(self._failure)
        elif self.established is None:
            self._context.on_event(AnsweredLate())

    def _send_invite(self, now: float) -> None:
        self._sequence += 1
        call = self._call
        headers = Headers([("Max-Forwards", "70")])
        if call.route is not None:
            headers.add("Route", call.route)
        headers.add("From", f"{call.from_};tag={self._local_tag}")
        headers.add("To", call.to)
        headers.add("Call-ID", call.call_id)
        headers.add("CSeq", f"{self._sequence} INVITE")
        invite = Request("INVITE", call.uri, headers, self._context.negotiator.offer())
        self._context.describe(invite)
        for name, value in offer_session_timer(self._session_interval, self._min_se):
            headers.add(name, value)
        for name, value in call.headers:
            headers.add(name, value)
        headers.add("Content-Type", "application/sdp")
        self._authenticator.authorize(invite)
        self._transaction = self._context.send(invite, call.destination, self, now)

    def _accept(self, response: Response, now: float) -> None:
        assert self._transaction is not None
        invite = self._transaction.request
        dialog = Dialog.from_response(
            invite, response, self._call.destination, keep_to_peer=self._context.keep_to_peer
        )
        self._acknowledgements.send(dialog, invite, now)
        self._stop_waiting()
        self.established = EstablishedSession(
            self._context,
            dialog,
            self._local_tag,
            self._authenticator,
            we_called=True,
            allowed=response.headers.get_all("Allow"),
        )
        self.established.timer.agree_as_caller(response, now)
        self._context.on_event(Answered())

    def _end_fork(self, response: Response, now: float) -> None:
        assert self._transaction is not None
        peer = self._call.destination
        end_fork(
            self._context,
            self._acknowledgements,
            self._authenticator,
            self._transaction.request,
            response,
            peer,
            now,
        )

    def _cancel(self, now: float) -> None:
        assert self._transaction is not None
        timeout = self._wire.timer_values.transaction_timeout
        self._give_up_timer = self._wire.timers.start(now + timeout, self, Input.GIVE_UP)
        send_cancel(self._context, self._transaction, now)

    def _stop_waiting(self) -> None:
        self._wire.timers.cancel(self._ring_timer)
        self._wire.timers.cancel(self._give_up_timer)

    @property
    def _wire(self) -> Wire:
        return self._context.layer.wire


def _failed(cause: FailureCause, response: Response) -> Failed:
    q850, _ = release_cause(response)
    return Failed(
        cause,
        response.status,
        response.reason,
        q850,
        _retry_after(response),
        tuple(response.headers.get_all("Contact")) if response.status < 400 else (),
    )


def _retry_after(response: Response) -> int | None:
    try:
        return RetryAfter.parse(response.headers.get("Retry-After") or "").seconds
    except SipParseError:
        return None
