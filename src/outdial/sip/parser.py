"""From a datagram to a message: split into lines, and nothing else until somebody asks (RFC 3261 §7, §18.3).

What is forgiven, because real far ends do it: empty lines before the message, LF alone as line end, folded
lines, space before the colon, header names in any case and form, lines that are no header, a missing empty
line at the end, a missing reason phrase, extra space in the start line, bytes that are not UTF-8 (they are
read as Latin-1), a Content-Length that is missing, unreadable or larger than the body. A body longer than
its Content-Length is cut, as §18.3 says.
"""

import re

from outdial.errors import KeepAlive, SipParseError
from outdial.sip.headers.collection import Headers
from outdial.sip.headers.text import TOKEN
from outdial.sip.message import Message, Request, Response

__all__ = ["KeepAlive", "parse_message"]

_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(r"(?:\n[ \t]+)+")
_VERSION = "SIP/2.0"


def parse_message(datagram: bytes) -> Message:
    """Read one datagram.

    Raises `KeepAlive` for a datagram of nothing but line ends or zero bytes, else `SipParseError` when the
    start line is not SIP/2.0. Headers are not looked at: the message's properties do that.
    """
    if datagram[:1] in b"\r\n\0":  # an empty datagram too
        datagram = datagram.lstrip(b"\r\n\0")
        if not datagram:
            raise KeepAlive("a keep-alive, not a message")
    head, end, body = datagram.partition(b"\r\n\r\n")
    text = _decode(head)
    lines = text.split("\r\n")
    breaks = len(lines) - 1
    folded = "\n " in text or "\n\t" in text
    if folded or not end or text.count("\n") != breaks or text.count("\r") != breaks:
        lines, body = _read_irregular(datagram)
    start_line = lines[0]
    headers = Headers.from_lines(lines[1:])
    if body:
        body = _cut(body, headers)
    if start_line[:4].upper() == "SIP/":
        status, reason = _read_status_line(start_line)
        return Response(status, reason, headers, body)
    method, uri = _read_request_line(start_line)
    return Request(method, uri, headers, body)


def _decode(head: bytes) -> str:
    try:
        return head.decode()
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _read_irregular(datagram: bytes) -> tuple[list[str], bytes]:
    """Split off the body at the first empty line, whichever line ends it is made of, and unfold the rest.

    LF alone ends a line; a CR elsewhere counts as space.
    """
    empty_line = _EMPTY_LINE.search(datagram)
    head, body = datagram, b""
    if empty_line:
        head, body = datagram[: empty_line.start()], datagram[empty_line.end() :]
    text = _decode(head).replace("\r\n", "\n").replace("\r", " ")
    return _FOLD.sub(" ", text).split("\n"), body


def _cut(body: bytes, headers: Headers) -> bytes:
    length = headers.get("content-length")
    if length and length.isascii() and length.isdigit() and len(length) <= 9:
        return body[: int(length)]
    return body


def _read_status_line(line: str) -> tuple[int, str]:
    version, _, rest = line.partition(" ")
    if version.upper() != _VERSION:
        raise SipParseError(f"unsupported version in the status line {line[:80]!r}")
    code, _, reason = rest.strip().partition(" ")
    if len(code) != 3 or not code.isascii() or not code.isdigit() or not "100" <= code <= "699":
        raise SipParseError(f"not a status code in the status line {line[:80]!r}")
    return int(code), reason.strip()


def _read_request_line(line: str) -> tuple[str, str]:
    parts = line.split()
    if len(parts) != 3:
        raise SipParseError(f"not a SIP start line: {line[:80]!r}")
    method, uri, version = parts
    if version.upper() != _VERSION:
        raise SipParseError(f"unsupported version in the request line {line[:80]!r}")
    if TOKEN.fullmatch(method) is None:
        raise SipParseError(f"not a method in the request line {line[:80]!r}")
    return method, uri
