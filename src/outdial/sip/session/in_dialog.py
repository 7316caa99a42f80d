"""Requests inside a dialog that change nothing in it: OPTIONS, INFO, NOTIFY, MESSAGE and the unknown."""

from typing import TYPE_CHECKING

from outdial.sip.responses import ALLOW
from outdial.sip.server_transaction import ServerTransaction
from outdial.sip.session.events import InfoReceived

if TYPE_CHECKING:
    from outdial.sip.session.established import EstablishedSession

KNOWN_METHODS = ("PRACK", "REFER", "SUBSCRIBE", "PUBLISH", "REGISTER")
"""Methods of SIP that a call of ours does not take: 405, where a word that is no method gets 501."""


def answer_in_dialog(session: "EstablishedSession", transaction: ServerTransaction, now: float) -> None:
    """Answer by method (RFC 3261 §8.2.1)."""
    request = transaction.request
    match request.method:
        case "OPTIONS":
            session.respond(transaction, 200, now, headers=capabilities())
        case "INFO":
            session.respond(transaction, 200, now)
            content_type = (request.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
            session.context.on_event(InfoReceived(content_type, request.body))
        case "NOTIFY" | "MESSAGE":
            # We subscribed to nothing, but a refusal makes some carriers hang up.
            session.respond(transaction, 200, now)
        case method if method in KNOWN_METHODS:
            session.respond(transaction, 405, now, headers=[("Allow", ALLOW)])
        case _:
            session.respond(transaction, 501, now, headers=[("Allow", ALLOW)])


def capabilities() -> list[tuple[str, str]]:
    """Return what an OPTIONS is answered with (§11.2)."""
    return [("Allow", ALLOW), ("Accept", "application/sdp, application/dtmf-relay"), ("Supported", "timer")]
