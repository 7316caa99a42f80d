"""Placing a call: the caller's INVITE until it is answered, refused or given up (RFC 3261 §13.2).

The table in `call_attempt` says what happens; the early dialogs, forks and digest rounds around it are in the
files of their names. Once answered, `established` takes over.
"""

from dataclasses import dataclass

from outdial.domain.q850 import is_about_the_callee
from outdial.errors import SdpError
from outdial.sip.client_transaction import ClientTransaction, InviteState
from outdial.sip.dialog import Dialog
from outdial.sip.headers.retry_after import retry_after_of
from outdial.sip.message import Headers, Request, Response
from outdial.sip.responses import build_response
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.session.bye import release_cause
from outdial.sip.session.call_attempt import CALLING, Action, Input, State
from outdial.sip.session.cancel import send_cancel
from outdial.sip.session.challenge import CHALLENGE_STATUSES, Authenticator
from outdial.sip.session.context import SessionContext
from outdial.sip.session.established import EstablishedSession
from outdial.sip.session.events import Answered, AnsweredLate, Failed, FailureCause, NextAddress, Progress
from outdial.sip.session.forks import Acknowledgements, end_fork
from outdial.sip.session.session_timer import minimum_of, offer_session_timer
from outdial.sip.timers import Timer
from outdial.sip.transport import Address, Wire

_MAX_EARLY_DIALOGS = 16
"""Forks whose early media description is remembered; a 2xx without a body then confirms it."""
_OVER = (State.ANSWERED, State.ENDED)
_MAX_LENGTHENINGS = 3
"""A far end that asks for a longer session interval each time would be asked for ever."""


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """Whom to call and as whom; every value is a header value or URI, ready to be sent."""

    uri: str
    """Request-URI, for instance `sip:918867135000@192.0.2.9`."""
    from_: str
    """From without a tag, for instance `"Shop" <sip:918068@192.0.2.1>`."""
    to: str
    destinations: tuple[Address, ...]
    """The trunk's signalling addresses, in the order in which they are tried; at least one."""
    call_id: str
    headers: tuple[tuple[str, str], ...] = ()
    """Identity, privacy and custom headers."""
    route: str | None = None
    ring_timeout_s: float = 60.0
    """From the INVITE until we give up waiting for an answer; anew for each address."""


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
        self._place = 0
        self._alerted = False
        """Anything above 100 came: somebody's phone may ring, so no other address is tried."""
        self._transaction: ClientTransaction | None = None
        self._cancelled: set[str] = set()
        """Branches of the INVITEs for which CANCEL was sent."""
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
        self._wait_for_answer(now)

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
        if kind is Input.HANG_UP and self.state is State.CALLING and self._another_is_left:
            assert self._transaction is not None
            self._transaction.expire(now)  # not even 100 Trying: this is silence, and no ringing
            return
        if kind is Input.HANG_UP and self.state in (State.CALLING, State.PROCEEDING):
            self._cancel_cause = FailureCause.RING_TIMEOUT
        self._feed(kind, now)

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take a response to the INVITE, or a late one to an INVITE that it replaced."""
        if 200 <= response.status < 300:
            self._on_success(transaction, response, now)
        elif response.status >= 300:
            self._feed(self._classify_failure(response), now, response)
        elif transaction is not self._transaction:
            self._cancel(transaction, now)  # an address that was given up lets a phone ring
        else:
            self._alerted |= response.status > 100
            if response.sdp and len(self._early_media) < _MAX_EARLY_DIALOGS:
                self._early_media[response.to_tag] = response.sdp
            self._feed(Input.PROVISIONAL, now, response)

    def on_no_response(self, _transaction: ClientTransaction, now: float, *, transport_failed: bool) -> None:
        """Take the silence of the far end, or a network that refused."""
        cause = FailureCause.TRANSPORT_FAILED if transport_failed else FailureCause.NO_RESPONSE
        self._failure = Failed(cause)
        self._feed(Input.NEXT_ADDRESS if self._another_is_left else Input.NO_RESPONSE, now)

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        """Take a request inside the dialog.

        Before the answer only a refusal is right (§12.2.2), but to a BYE: who hangs up has answered (§15).
        """
        if self.established is not None:
            self.established.on_request(transaction, now)
            return
        method = transaction.request.method
        status = 200 if method == "BYE" else 491 if method in ("UPDATE", "INVITE") else 481
        transaction.owner = self._context
        transaction.respond(build_response(transaction.request, transaction.source, status), now)
        if method == "BYE":
            self._feed(Input.BYE, now)

    def on_ack(self, ack: Request, now: float) -> None:
        """Take the ACK of a re-INVITE's 2xx."""
        if self.established is not None:
            self.established.on_ack(ack, now)

    @property
    def destination(self) -> Address:
        """The address that the INVITE went to last."""
        return self._call.destinations[self._place]

    @property
    def _another_is_left(self) -> bool:
        return not self._alerted and self._place + 1 < len(self._call.destinations)

    def _on_success(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        to_tag = response.to_tag
        if self._acknowledgements.knows(to_tag):
            self._acknowledgements.repeat(to_tag, now)
        elif self.state in (State.CALLING, State.PROCEEDING):
            usable = self._negotiate(response)
            symbol = Input.SUCCESS if usable else Input.UNUSABLE_SUCCESS
            self._feed(symbol, now, response, transaction)
        else:
            self._feed(Input.SUCCESS, now, response, transaction)

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
        if response.status == 503 and self._another_is_left and not is_about_the_callee(self._failure.q850):
            return Input.NEXT_ADDRESS
        return Input.FAILURE

    def _feed(
        self,
        symbol: Input,
        now: float,
        response: Response | None = None,
        answered: ClientTransaction | None = None,
    ) -> None:
        """Run the table; `answered` is the INVITE that a 2xx belongs to."""
        before = self.state
        self.state, actions = CALLING.step(self.state, symbol)
        for action in actions:
            self._act(action, now, response, answered or self._transaction)
        if self.state in _OVER and before not in _OVER:
            self._settle(now)

    def _settle(self, now: float) -> None:
        """Wait for nothing more, and let no phone ring: a late answer of an earlier address may have come."""
        self._stop_waiting()
        if self._transaction is not None and self._transaction.state is InviteState.PROCEEDING:
            self._cancel(self._transaction, now)
        if self.established is None:
            self._context.forget(self._call.call_id, self._local_tag)

    def _act(
        self, action: Action, now: float, response: Response | None, transaction: ClientTransaction | None
    ) -> None:
        assert transaction is not None
        match action:
            case Action.REPORT_PROGRESS:
                assert response is not None
                if response.status > 100:
                    progress = Progress(response.status, response.reason, early_media=bool(response.sdp))
                    self._context.on_event(progress)
            case Action.ACCEPT:
                assert response is not None
                self._accept(transaction, response, now)
            case Action.AUTHENTICATE | Action.LENGTHEN:
                self._send_invite(now)
            case Action.TRY_NEXT:
                self._try_next(now)
            case Action.CANCEL:
                self._cancel(transaction, now)
            case Action.ABANDON:
                if not transaction.terminated:
                    transaction.abandon(now)
            case Action.REFUSE | Action.REFUSE_MEDIA | Action.END_FORK:
                assert response is not None
                self._end_fork(transaction, response, now)
                self._report_fork(action, response)
            case Action.REPORT_FAILURE | Action.REPORT_NO_RESPONSE:
                self._context.on_event(self._failure)
            case Action.REPORT_CANCELLED | Action.REPORT_PICKED_UP | Action.REPORT_HUNG_UP:
                self._report_over(action, response)

    def _report_over(self, action: Action, response: Response | None) -> None:
        cause = FailureCause.HUNG_UP if action is Action.REPORT_HUNG_UP else self._cancel_cause
        status, reason = (response.status, response.reason) if response is not None else (None, "")
        picked_up = action is not Action.REPORT_CANCELLED
        self._context.on_event(Failed(cause, status, reason, picked_up=picked_up))

    def _report_fork(self, action: Action, response: Response) -> None:
        if action is Action.REFUSE:
            self._context.on_event(Failed(self._cancel_cause, response.status, picked_up=True))
        elif action is Action.REFUSE_MEDIA:
            self._context.on_event(self._failure)
        elif self.established is None:
            self._context.on_event(AnsweredLate())

    def _try_next(self, now: float) -> None:
        """Send the same request to the next address, in a transaction of its own (RFC 3263 §4.3).

        Its CSeq is the same, too: where both addresses lead to one phone, the second INVITE is known there as
        another copy of the first (RFC 3261 §8.2.2.2), and does not ring again.
        """
        failed = self.destination
        self._place += 1
        self._sequence -= 1
        self._authentication = self._authenticator.begin()
        self._context.on_event(NextAddress(failed, self._failure, self.destination))
        self._send_invite(now)
        self._wait_for_answer(now)

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
        self._transaction = self._context.send(invite, self.destination, self, now)

    def _accept(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        invite = transaction.request
        dialog = Dialog.from_response(
            invite, response, transaction.destination, keep_to_peer=self._context.keep_to_peer
        )
        self._acknowledgements.send(dialog, invite, now)
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

    def _end_fork(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        end_fork(
            self._context,
            self._acknowledgements,
            self._authenticator,
            transaction.request,
            response,
            transaction.destination,
            now,
        )

    def _cancel(self, transaction: ClientTransaction, now: float) -> None:
        """Send CANCEL, once; and see to it that the current INVITE ends even if nothing comes back."""
        if transaction is self._transaction:
            self._wire.timers.cancel(self._give_up_timer)
            timeout = self._wire.timer_values.transaction_timeout
            self._give_up_timer = self._wire.timers.start(now + timeout, self, Input.GIVE_UP)
        if transaction.branch not in self._cancelled:
            self._cancelled.add(transaction.branch)
            send_cancel(self._context, transaction, now)

    def _wait_for_answer(self, now: float) -> None:
        self._wire.timers.cancel(self._ring_timer)
        self._ring_timer = self._wire.timers.start(now + self._call.ring_timeout_s, self, Input.HANG_UP)

    def _stop_waiting(self) -> None:
        self._wire.timers.cancel(self._ring_timer)
        self._wire.timers.cancel(self._give_up_timer)

    @property
    def _wire(self) -> Wire:
        return self._context.layer.wire


def _failed(cause: FailureCause, response: Response) -> Failed:
    return Failed(
        cause,
        response.status,
        response.reason,
        release_cause(response),
        retry_after_of(response.headers),
        tuple(response.headers.get_all("Contact")) if response.status < 400 else (),
    )
