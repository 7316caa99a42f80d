"""Hanging up: BYE in both directions (RFC 3261 §15.1)."""

from outdial.sip.dialog import Dialog
from outdial.sip.headers.reason import Reason
from outdial.sip.message import Message
from outdial.sip.session.challenge import Authenticator
from outdial.sip.session.context import SessionContext
from outdial.sip.session.outgoing_request import Completion, OutgoingRequest


def send_bye(
    context: SessionContext, dialog: Dialog, authenticator: Authenticator, on_done: Completion, now: float
) -> None:
    """Send a BYE. Whatever the answer, the dialog is over for us (§15.1.1)."""
    OutgoingRequest(context, dialog, authenticator, "BYE", on_done).send(now)


def release_cause(message: Message) -> int | None:
    """Return the Q.850 cause of a Reason header (RFC 3326) in a BYE or a response, None without one."""
    for reason in Reason.parse_all(message.headers.get_all("Reason")):
        if reason.is_q850:
            return reason.cause
    return None
