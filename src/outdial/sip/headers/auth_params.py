"""What the credentials headers share: a scheme and a comma list of `name=value` (RFC 3261 §25.1, RFC
7616)."""

import re

from outdial.errors import SipParseError
from outdial.sip.headers.text import split_outside_quotes, unquote

_SCHEME = re.compile(r"\s*([A-Za-z0-9\-]+)\s+(.*)", re.DOTALL)


def parse_auth_params(text: str) -> tuple[str, dict[str, str]]:
    """Return (scheme, parameters by lower-case name, unquoted). Raises `SipParseError` without a scheme.

    Of a parameter that comes twice the first counts. Pieces without `=` are skipped.
    """
    match = _SCHEME.fullmatch(text)
    if match is None:
        raise SipParseError(f"no authentication scheme in {text[:40]!r}")
    scheme, rest = match.groups()
    found: dict[str, str] = {}
    for piece in split_outside_quotes(rest, ","):
        name, equals, value = piece.partition("=")
        if equals:
            found.setdefault(name.strip().lower(), unquote(value.strip()))
    return scheme, found
