"""UPDATE in both directions (RFC 3311): change or refresh a session without a re-INVITE."""

from typing import TYPE_CHECKING

from outdial.errors import SdpError
from outdial.sip.message import Request, Response
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.session.events import MediaChanged
from outdial.sip.session.outgoing_request import OutgoingRequest
from outdial.sip.session.reinvite import GONE

if TYPE_CHECKING:
    from outdial.sip.session.established import EstablishedSession


def send_update(session: "EstablishedSession", now: float) -> None:
    """Refresh the session timer with an UPDATE that carries no offer (RFC 4028 §7.4)."""

    def describe(request: Request) -> None:
        session.context.describe(request)
        for name, value in session.timer.refresh_headers():
            request.headers.add(name, value)

    def on_done(response: Response | None, now: float) -> None:
        if not session.is_up:
            return  # it crossed a BYE
        if response is None or response.status in GONE:
            session.dialog_gone(now)
        elif response.status < 300:
            session.dialog.refresh_target(response)
            session.timer.agree_as_caller(response, now)
        elif response.status == 422 and session.timer.lengthen(response):
            send_update(session, now)
        else:
            session.update_refused(now)

    OutgoingRequest(
        session.context,
        session.dialog,
        session.authenticator,
        "UPDATE",
        on_done,
        describe,
        lambda: session.is_up,
    ).send(now)


def answer_update(session: "EstablishedSession", transaction: ServerTransaction, now: float) -> None:
    """Answer an UPDATE (§5.2): with an answer if it offers, 491 on glare, 488 for media that cannot be."""
    request = transaction.request
    negotiator = session.context.negotiator
    if session.timer.refuses(request):
        session.respond(transaction, 422, now, headers=[("Min-SE", str(session.timer.min_se_s))])
        return
    body = b""
    if request.sdp:
        if session.reinvite_under_way:
            session.respond(transaction, 491, now)
            return
        if session.incoming_reinvite is not None:
            session.respond(transaction, 500, now, headers=[("Retry-After", "1")])
            return
        try:
            body = negotiator.answer(request.sdp)
        except SdpError:
            session.respond(transaction, 488, now)
            return
    session.dialog.refresh_target(request)
    headers = [("Contact", session.context.contact), *session.timer.agree_as_answerer(request, now)]
    session.respond(transaction, 200, now, headers=headers, body=body)
    if body:
        session.context.on_event(MediaChanged())
