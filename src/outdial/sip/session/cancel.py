"""CANCEL (RFC 3261 §9.1): give up an INVITE that has not been answered.

Only the table in `calling` decides when: never before a provisional response, and a 2xx that crosses it is
acknowledged and hung up.
"""

from outdial.sip.client_transaction import ClientTransaction
from outdial.sip.headers.cseq import CSeq
from outdial.sip.message import Headers, Request, Response
from outdial.sip.session.context import SessionContext
from outdial.sip.transport import Address


def send_cancel(context: SessionContext, invite: ClientTransaction, now: float) -> None:
    """Send a CANCEL with the INVITE's Via, route, addresses and CSeq number."""
    original = invite.request
    headers = Headers([("Max-Forwards", "70")])
    for route in original.headers.get_all("Route"):
        headers.add("Route", route)
    headers.add("From", original.headers.get("From") or "")
    headers.add("To", original.headers.get("To") or "")
    headers.add("Call-ID", original.call_id)
    headers.add("CSeq", str(CSeq(original.cseq.number, "CANCEL")))
    request = Request("CANCEL", original.uri, headers)
    context.layer.send_request(request, invite.destination, _Cancel(context), now, via=str(original.top_via))


class _Cancel:
    """The user of a CANCEL's transaction: its answer says nothing, the INVITE's final response does."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    def on_message(self, *, sent: bool, data: bytes, peer: Address, now: float) -> None:
        """Show the CANCEL and its answer in the trace."""
        self._context.on_message(sent=sent, data=data, peer=peer, now=now)

    def on_response(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Take the answer, which changes nothing."""

    def on_no_response(self, transaction: ClientTransaction, now: float, *, transport_failed: bool) -> None:
        """Take the silence: the INVITE's own give-up timer bounds the wait."""
