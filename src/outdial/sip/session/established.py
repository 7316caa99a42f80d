"""A call that is up: everything inside the dialog until one side hangs up (RFC 3261 §12.2, §14, §15)."""

from collections.abc import Sequence
from enum import Enum

from outdial.sip.dialog import Dialog
from outdial.sip.message import Request, Response
from outdial.sip.responses import build_response
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.session.bye import release_cause, send_bye
from outdial.sip.session.challenge import Authenticator
from outdial.sip.session.context import SessionContext
from outdial.sip.session.events import EndCause, Ended
from outdial.sip.session.in_dialog import answer_in_dialog
from outdial.sip.session.reinvite import IncomingReinvite, OutgoingReinvite
from outdial.sip.session.session_timer import SessionTimer
from outdial.sip.session.update import answer_update, send_update
from outdial.sip.state_table import StateTable


class State(Enum):
    """Where an established session stands."""

    CONFIRMED = "Confirmed"
    ENDING = "Ending"
    """BYE sent, its answer is due."""
    ENDED = "Ended"


class Input(Enum):
    """What can happen to an established session."""

    HANG_UP = "hang up"
    BYE = "BYE"
    BYE_DONE = "answer to our BYE, or none"
    DIALOG_GONE = "481 or 408 to a request"
    EXPIRED = "session timer expired"
    NOT_ACKNOWLEDGED = "no ACK for our 2xx"


class Action(Enum):
    """What an established session does on a transition."""

    SEND_BYE = "send BYE"
    REPORT_HUNG_UP = "report hung up by us"
    REPORT_FAR_END = "report hung up by the far end"
    REPORT_GONE = "report dialog gone"
    REPORT_EXPIRED = "report expired"
    REPORT_NOT_ACKNOWLEDGED = "report not acknowledged"


_S, _I, _A = State, Input, Action

ESTABLISHED: StateTable[State, Input, Action] = StateTable(
    name="established session",
    states=State,
    inputs=Input,
    transitions={
        (_S.CONFIRMED, _I.HANG_UP): (_S.ENDING, (_A.SEND_BYE, _A.REPORT_HUNG_UP)),
        (_S.CONFIRMED, _I.BYE): (_S.ENDED, (_A.REPORT_FAR_END,)),
        # §12.2.1.2: the far end has lost the call; a BYE may still reach a proxy on the way.
        (_S.CONFIRMED, _I.DIALOG_GONE): (_S.ENDING, (_A.SEND_BYE, _A.REPORT_GONE)),
        (_S.CONFIRMED, _I.EXPIRED): (_S.ENDING, (_A.SEND_BYE, _A.REPORT_EXPIRED)),
        (_S.CONFIRMED, _I.NOT_ACKNOWLEDGED): (_S.ENDING, (_A.SEND_BYE, _A.REPORT_NOT_ACKNOWLEDGED)),
        (_S.ENDING, _I.BYE_DONE): (_S.ENDED, ()),
    },
    ignored=frozenset(
        {
            (_S.CONFIRMED, _I.BYE_DONE),
            (_S.ENDING, _I.HANG_UP),
            (_S.ENDING, _I.BYE),  # both sides hung up at once; the BYE is answered all the same
            (_S.ENDING, _I.DIALOG_GONE),
            (_S.ENDING, _I.EXPIRED),
            (_S.ENDING, _I.NOT_ACKNOWLEDGED),
        }
    ),
    final=_S.ENDED,
)

_REPORTS = {
    _A.REPORT_HUNG_UP: EndCause.HUNG_UP,
    _A.REPORT_GONE: EndCause.DIALOG_GONE,
    _A.REPORT_EXPIRED: EndCause.EXPIRED,
    _A.REPORT_NOT_ACKNOWLEDGED: EndCause.NOT_ACKNOWLEDGED,
}


class EstablishedSession:
    """The part of a session that caller and answerer have in common."""

    def __init__(
        self,
        context: SessionContext,
        dialog: Dialog,
        local_tag: str,
        authenticator: Authenticator,
        *,
        we_called: bool,
        allowed: Sequence[str],
    ) -> None:
        self.context = context
        self.dialog = dialog
        self.authenticator = authenticator
        self.we_called = we_called
        """Whether the Call-ID is ours, which decides who waits longer after glare (§14.1)."""
        self.state = State.CONFIRMED
        self.timer = SessionTimer(
            context.layer.wire.timers, context.session_timer.min_se_s, self._refresh, self._on_expiry
        )
        self.outgoing_reinvite: OutgoingReinvite | None = None
        self.incoming_reinvite: IncomingReinvite | None = None
        self._local_tag = local_tag
        self._far_end_updates = any(method.strip().upper() == "UPDATE" for method in allowed)
        self._bye: Request | None = None

    @property
    def is_up(self) -> bool:
        """Whether neither side has hung up."""
        return self.state is State.CONFIRMED

    @property
    def reinvite_under_way(self) -> bool:
        """Whether a re-INVITE of ours waits for its answer."""
        return self.outgoing_reinvite is not None and self.outgoing_reinvite.under_way

    def hang_up(self, now: float) -> None:
        """Send a BYE, unless the session is over already."""
        self._feed(Input.HANG_UP, now)

    def reinvite(self, now: float) -> None:
        """Offer the media anew with a re-INVITE (hold, or a refresh); waits for one that is under way."""
        if self.is_up and self.outgoing_reinvite is None:
            self.outgoing_reinvite = OutgoingReinvite(self)
            self.outgoing_reinvite.send(now)

    def dialog_gone(self, now: float) -> None:
        """Take the news that the far end does not know the dialog any more."""
        self._feed(Input.DIALOG_GONE, now)

    def not_acknowledged(self, now: float) -> None:
        """Take the news that a 2xx of ours was never acknowledged (§13.3.1.4)."""
        self._feed(Input.NOT_ACKNOWLEDGED, now)

    def on_request(self, transaction: ServerTransaction, now: float) -> None:
        """Take a request of the far end inside the dialog (§12.2.2)."""
        context, request = self.context, transaction.request
        transaction.owner = context
        context.on_message(sent=False, data=transaction.data, peer=transaction.source, now=now)
        if self.dialog.remote_tag not in (None, request.from_tag):
            # A fork that lost has our tag and Call-ID too (§12.2.2): its BYE must not end the winner's call.
            self.respond(transaction, 481, now)
        elif not self.dialog.accepts_sequence(request):
            self.respond(transaction, 500, now, headers=[("Retry-After", "1")])
        elif request.method == "BYE":
            self._bye = request
            self.respond(transaction, 200, now)
            self._feed(Input.BYE, now)
        elif not self.is_up:
            self.respond(transaction, 481, now)
        elif request.method == "INVITE":
            IncomingReinvite(self, transaction).answer(now)
        elif request.method == "UPDATE":
            answer_update(self, transaction, now)
        else:
            answer_in_dialog(self, transaction, now)

    def on_ack(self, ack: Request, now: float) -> None:
        """Take the ACK of a re-INVITE's 2xx."""
        if self.incoming_reinvite is not None and self.is_up:
            self.incoming_reinvite.on_ack(ack, now)

    def respond(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        """Answer a request of the far end."""
        transaction.respond(self.response_to(transaction, status, headers=headers, body=body), now)

    def response_to(
        self,
        transaction: ServerTransaction,
        status: int,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """Build an answer without sending it."""
        return build_response(
            transaction.request,
            transaction.source,
            status,
            headers=[*headers, ("User-Agent", self.context.user_agent)],
            body=body,
        )

    def _refresh(self, now: float) -> None:
        """Refresh the session timer (RFC 4028 §7.4), by UPDATE where the far end knows it."""
        if not self.is_up:
            return
        if self._far_end_updates:
            send_update(self, now)
        else:
            self.reinvite(now)

    def update_refused(self, now: float) -> None:
        """Take the refusal of an UPDATE in spite of the far end's Allow: re-INVITE from now on."""
        self._far_end_updates = False
        self.reinvite(now)

    def _on_expiry(self, now: float) -> None:
        self._feed(Input.EXPIRED, now)

    def _feed(self, symbol: Input, now: float) -> None:
        self.state, actions = ESTABLISHED.step(self.state, symbol)
        for action in actions:
            if action is Action.SEND_BYE:
                send_bye(self.context, self.dialog, self.authenticator, self._on_bye_done, now)
            elif action is Action.REPORT_FAR_END:
                assert self._bye is not None
                self.context.on_event(Ended(EndCause.FAR_END_HUNG_UP, release_cause(self._bye)))
            else:
                self.context.on_event(Ended(_REPORTS[action]))
        if actions:
            self._release(now)
        if self.state is State.ENDED:
            self.context.forget(self.dialog.call_id, self._local_tag)

    def _on_bye_done(self, _response: Response | None, now: float) -> None:
        self._feed(Input.BYE_DONE, now)

    def _release(self, now: float) -> None:
        """Disarm every timer: nothing of the session may outlive it."""
        self.timer.stop()
        if self.outgoing_reinvite is not None:
            self.outgoing_reinvite.stop(now)
        if self.incoming_reinvite is not None:
            self.incoming_reinvite.stop()
