"""re-INVITE in both directions: hold and back, new media addresses, session refresh (RFC 3261 §14)."""

from typing import TYPE_CHECKING

from outdial.errors import SdpError
from outdial.sip.message import Request, Response
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.session.events import MediaChanged
from outdial.sip.session.forks import Acknowledgements
from outdial.sip.session.outgoing_request import OutgoingRequest
from outdial.sip.session.success_retransmission import SuccessRetransmission
from outdial.sip.timers import Timer

if TYPE_CHECKING:
    from outdial.sip.session.established import EstablishedSession

GONE = (408, 481)
"""A far end that answers a request in the dialog like this has lost the call (§12.2.1.2)."""


class OutgoingReinvite:
    """A re-INVITE of ours: one at a time, tried again after glare."""

    def __init__(self, session: "EstablishedSession") -> None:
        self._session = session
        self._acknowledgements = Acknowledgements(session.context)
        self._acknowledged = False
        self.under_way = False
        """Whether it waits for its answer; after glare it only waits for its next try (§14.1)."""
        self._request = OutgoingRequest(
            session.context,
            session.dialog,
            session.authenticator,
            "INVITE",
            self._on_done,
            self._describe,
            lambda: session.is_up,
        )
        self._glare_timer: Timer | None = None

    def send(self, now: float) -> None:
        """Send it; while one of the far end is open, wait as after glare (§14.1)."""
        if self._session.incoming_reinvite is not None:
            self._wait(now)
        else:
            self.under_way = True
            self._request.send(now)

    def stop(self, now: float) -> None:
        """Give up trying again, and waiting: the session is over."""
        self._session.context.layer.wire.timers.cancel(self._glare_timer)
        self._request.abandon(now)

    def on_timer(self, _kind: object, now: float) -> None:
        """Try again after glare."""
        self.send(now)

    def _describe(self, request: Request) -> None:
        session = self._session
        session.context.describe(request)
        for name, value in session.timer.refresh_headers():
            request.headers.add(name, value)
        request.headers.add("Content-Type", "application/sdp")
        request.body = session.context.negotiator.offer()

    def _on_done(self, response: Response | None, now: float) -> None:
        session = self._session
        self.under_way = False
        if response is not None and response.status < 300:
            self._on_success(response, now)
        elif not session.is_up:
            return  # it crossed a BYE: nothing is to be tried again
        elif response is not None and response.status == 491:
            self._wait(now)
        elif response is not None and response.status == 422 and session.timer.lengthen(response):
            self.send(now)
        else:
            session.outgoing_reinvite = None
            if response is None or response.status in GONE:
                session.dialog_gone(now)
            else:
                session.timer.refresh_again(now)

    def _on_success(self, response: Response, now: float) -> None:
        session = self._session
        if self._acknowledged:
            self._acknowledgements.repeat(session.dialog.remote_tag, now)
            return
        self._acknowledged = True
        session.dialog.refresh_target(response)
        assert self._request.request is not None
        self._acknowledgements.send(session.dialog, self._request.request, now)
        session.outgoing_reinvite = None
        if not session.is_up:
            return
        session.timer.agree_as_caller(response, now)
        try:
            session.context.negotiator.accept_answer(response.sdp)
        except SdpError:
            # The session goes on as it was (§14.1); nothing that we could say would be understood.
            return
        session.context.on_event(MediaChanged())

    def _wait(self, now: float) -> None:
        """Wait as §14.1 says: 2.1 to 4 s if the Call-ID is ours, else 0 to 2 s, in steps of 10 ms."""
        steps = int(self._session.context.new_token()[:8], 16)
        delay = 2.1 + steps % 191 / 100 if self._session.we_called else steps % 201 / 100
        self._glare_timer = self._session.context.layer.wire.timers.start(now + delay, self, "glare")


class IncomingReinvite:
    """A re-INVITE of the far end (§14.2), with an offer or without one (delayed offer)."""

    def __init__(self, session: "EstablishedSession", transaction: ServerTransaction) -> None:
        self._session = session
        self._transaction = transaction
        self._delayed_offer = not transaction.request.sdp
        self._retransmission: SuccessRetransmission | None = None

    def answer(self, now: float) -> None:
        """Answer at once: 200, or 491 and 500 where two changes meet, 488 for media that cannot be."""
        session, transaction = self._session, self._transaction
        if session.reinvite_under_way:
            session.respond(transaction, 491, now)
        elif session.incoming_reinvite is not None:
            session.respond(transaction, 500, now, headers=[("Retry-After", "1")])
        elif session.timer.refuses(transaction.request):
            session.respond(transaction, 422, now, headers=[("Min-SE", str(session.timer.min_se_s))])
        else:
            self._accept(now)

    def stop(self) -> None:
        """The session is over: repeat the 2xx no more."""
        if self._retransmission is not None:
            self._retransmission.stop()

    def on_ack(self, ack: Request, now: float) -> None:
        """Take the ACK, and in it the answer to a delayed offer."""
        if self._retransmission is None or ack.cseq.number != self._retransmission.sequence:
            return
        session = self._session
        self._retransmission.stop()
        session.incoming_reinvite = None
        if self._delayed_offer:
            try:
                session.context.negotiator.accept_answer(ack.sdp)
            except SdpError:
                return  # the session goes on with the media that it had
            session.context.on_event(MediaChanged())

    def _accept(self, now: float) -> None:
        session, request = self._session, self._transaction.request
        context = session.context
        try:
            body = (
                context.negotiator.offer() if self._delayed_offer else context.negotiator.answer(request.sdp)
            )
        except SdpError as error:
            warning = f'399 outdial "{_quotable(str(error))}"'
            session.respond(self._transaction, 488, now, headers=[("Warning", warning)])
            return
        session.dialog.refresh_target(request)
        headers = [("Contact", context.contact), *session.timer.agree_as_answerer(request, now)]
        response = session.response_to(self._transaction, 200, headers=headers, body=body)
        session.incoming_reinvite = self
        wire = context.layer.wire
        self._retransmission = SuccessRetransmission(wire, self._transaction, response, self._on_missing_ack)
        self._retransmission.start(now)
        if not self._delayed_offer:
            context.on_event(MediaChanged())

    def _on_missing_ack(self, now: float) -> None:
        self._session.incoming_reinvite = None
        self._session.not_acknowledged(now)


def _quotable(text: str) -> str:
    return " ".join(text.replace("\\", "/").replace('"', "'").split())
