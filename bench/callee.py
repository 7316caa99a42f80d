"""What a callee of a benchmark says in SIP: as little as a call needs."""

import re

from bench.far_end import HOST

_COPIED = re.compile(r"^(?:Via|From|To|Call-ID|CSeq): .*$", re.MULTILINE)
_SDP = """v=0
o=phone 1 1 IN IP4 {host}
s=-
c=IN IP4 {host}
t=0 0
m=audio {port} RTP/AVP {types}
a=rtpmap:8 PCMA/8000
{keys}a=ptime:20
"""
_KEYS = "a=rtpmap:101 telephone-event/8000\n"


def answer_sdp(rtp_port: int, *, keys: bool = False) -> str:
    """The body of a 200: PCMA, and with `keys` telephone-event as 101."""
    text = _SDP.format(host=HOST, port=rtp_port, types="8 101" if keys else "8", keys=_KEYS if keys else "")
    return text.replace("\n", "\r\n")


def audio_port(invite: str) -> int:
    """Where the caller of an INVITE listens."""
    media = re.search(r"^m=audio (\d+) ", invite, re.MULTILINE)
    assert media is not None
    return int(media[1])


def response(request: str, status: str, *, port: int, body: str = "") -> bytes:
    """A response to a request that came to `port`."""
    copied = _COPIED.findall(request.replace("\r", ""))
    lines = [line + ";tag=callee" if re.match(r"To: (?!.*tag=)", line) else line for line in copied]
    lines.append(f"Contact: <sip:{HOST}:{port}>")
    if body:
        lines.append("Content-Type: application/sdp")
    head = "\r\n".join([f"SIP/2.0 {status}", *lines, f"Content-Length: {len(body)}"])
    return f"{head}\r\n\r\n{body}".encode()
