"""ACK: of a failure, by the transaction (RFC 3261 §17.1.1.3), and of a success, by the dialog (§13.2.2.4)."""

from outdial.sip.headers.cseq import CSeq
from outdial.sip.message import Headers, Request, Response


def ack_for_failure(invite: Request, response: Response) -> Request:
    """Build the ACK of a 300-699 response: the INVITE's branch, route and CSeq number, the response's To."""
    headers = Headers([("Via", str(invite.top_via)), ("Max-Forwards", "70")])
    for route in invite.headers.get_all("Route"):
        headers.add("Route", route)
    headers.add("From", invite.headers.get("From") or "")
    headers.add("To", response.headers.get("To") or "")
    headers.add("Call-ID", invite.call_id)
    headers.add("CSeq", str(CSeq(invite.cseq.number, "ACK")))
    return Request("ACK", invite.uri, headers)
