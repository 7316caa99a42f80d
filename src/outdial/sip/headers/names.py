"""Header names: the usual spelling, the compact forms (RFC 3261 §7.3.3) and which values are comma lists."""

from outdial.sip.headers.text import TOKEN

_USUAL = (
    "Accept", "Accept-Contact", "Accept-Encoding", "Accept-Language", "Alert-Info", "Allow", "Allow-Events",
    "Authentication-Info", "Authorization", "Call-ID", "Call-Info", "Contact", "Content-Disposition",
    "Content-Encoding", "Content-Language", "Content-Length", "Content-Type", "CSeq", "Date", "Diversion",
    "Error-Info", "Event", "Expires", "From", "Geolocation", "History-Info", "Identity", "In-Reply-To",
    "Max-Forwards", "MIME-Version", "Min-Expires", "Min-SE", "Organization", "P-Access-Network-Info",
    "P-Asserted-Identity", "P-Charging-Vector", "P-Early-Media", "P-Preferred-Identity", "Path", "Priority",
    "Privacy", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Require", "RAck", "Reason",
    "Record-Route", "Refer-To", "Referred-By", "Reject-Contact", "Remote-Party-ID", "Reply-To",
    "Request-Disposition", "Require", "Retry-After", "Route", "RSeq", "Server", "Service-Route",
    "Session-Expires", "Subject", "Subscription-State", "Supported", "Timestamp", "To", "Unsupported",
    "User-Agent", "Via", "Warning", "WWW-Authenticate",
)  # fmt: skip

_COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition", "e":
    "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported", "l":
    "Content-Length", "m": "Contact", "o": "Event", "r": "Refer-To", "s": "Subject", "t": "To", "u":
    "Allow-Events", "v": "Via", "x": "Session-Expires", "y": "Identity",
}  # fmt: skip

LIST_KEYS = frozenset({
    "accept", "accept-contact", "accept-encoding", "accept-language", "alert-info", "allow", "allow-events",
    "call-info", "contact", "content-encoding", "content-language", "diversion", "error-info",
    "geolocation", "history-info", "in-reply-to", "p-asserted-identity", "p-preferred-identity", "path",
    "proxy-require", "reason", "record-route", "reject-contact", "remote-party-id", "request-disposition",
    "require", "route", "service-route", "supported", "unsupported", "via", "warning",
})  # fmt: skip
"""Keys whose value may be a comma list. Others hold commas of their own (Date, Subject, the credentials)."""

_BY_KEY = {usual.lower(): (usual.lower(), usual) for usual in _USUAL}
KNOWN: dict[str, tuple[str, str]] = {
    **_BY_KEY,
    **{usual: _BY_KEY[usual.lower()] for usual in _USUAL},
    **{usual.upper(): _BY_KEY[usual.lower()] for usual in _USUAL},
    **{short: _BY_KEY[usual.lower()] for short, usual in _COMPACT.items()},
    **{short.upper(): _BY_KEY[usual.lower()] for short, usual in _COMPACT.items()},
}
"""Spelling → (key, usual spelling), so that the common spellings cost one dictionary access."""


def identify(name: str) -> tuple[str, str] | None:
    """Return (key, spelling) of a header name in any case, long or compact; None when it is not a token.

    The key is what names are compared by: lower case, long form. An unknown name keeps the spelling it came
    with. Space around the name is forgiven (`To : …` is legal SIP).
    """
    name = name.strip()
    if TOKEN.fullmatch(name) is None:
        return None
    key = name.lower()
    return KNOWN.get(key) or (key, name)
