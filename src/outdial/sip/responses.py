"""Building responses (RFC 3261 §8.2.6) and finding where they go (§18.2.2, RFC 3581)."""

from collections.abc import Iterable
from types import MappingProxyType

from outdial.sip.headers.via import Via
from outdial.sip.message import Headers, Request, Response
from outdial.sip.transport import Address

ALLOWED_METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "NOTIFY", "MESSAGE")
"""What our side understands inside a dialog; sent as `Allow`."""

ALLOW = ", ".join(ALLOWED_METHODS)

REASON_PHRASES = MappingProxyType(
    {
        100: "Trying",
        180: "Ringing",
        183: "Session Progress",
        200: "OK",
        202: "Accepted",
        400: "Bad Request",
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed",
        407: "Proxy Authentication Required",
        415: "Unsupported Media Type",
        420: "Bad Extension",
        422: "Session Interval Too Small",
        480: "Temporarily Unavailable",
        481: "Call/Transaction Does Not Exist",
        486: "Busy Here",
        487: "Request Terminated",
        488: "Not Acceptable Here",
        491: "Request Pending",
        500: "Server Internal Error",
        501: "Not Implemented",
        503: "Service Unavailable",
        600: "Busy Everywhere",
        603: "Decline",
        607: "Unwanted",
        608: "Rejected",
    }
)


def received_via(via: Via, source: Address) -> Via:
    """Mark the top Via with where the request came from (§18.2.1; `rport` by RFC 3581 §4)."""
    parameters = via.parameters
    if parameters.has("rport"):
        parameters = parameters.with_("rport", str(source[1])).with_("received", source[0])
    elif via.host != source[0]:
        parameters = parameters.with_("received", source[0])
    return Via(via.transport, via.host, via.port, parameters)


def reply_address(via: Via, source: Address) -> Address:
    """Where responses go: to the source if `rport` was asked for, else to its address and the Via's port."""
    if via.parameters.has("rport"):
        return source
    return source[0], via.port or 5060


def build_response(
    request: Request,
    source: Address,
    status: int,
    *,
    reason: str | None = None,
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    """Build a response to `request`, which came from `source`.

    Via, From, Call-ID, CSeq and Record-Route are copied; `to_tag` is added where the request's To has none.
    A body is SDP.
    """
    vias = request.headers.get_all("Via")
    out = Headers([("Via", str(received_via(request.top_via, source)))])
    for via in vias[1:]:
        out.add("Via", via)
    if status > 100:
        for route in request.headers.get_all("Record-Route"):
            out.add("Record-Route", route)
    out.add("From", request.headers.get("From") or "")
    to = request.headers.get("To") or ""
    if to_tag is not None and request.to_tag is None:
        to = f"{to};tag={to_tag}"
    out.add("To", to)
    out.add("Call-ID", request.call_id)
    out.add("CSeq", request.headers.get("CSeq") or "")
    for name, value in headers:
        out.add(name, value)
    if body:
        out.set("Content-Type", "application/sdp")
    return Response(status, reason or REASON_PHRASES.get(status, "Unknown"), out, body)
