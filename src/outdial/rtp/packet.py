"""The RTP packet (RFC 3550 §5.1), read with care and written fast."""

import struct
from dataclasses import dataclass

from outdial.errors import RtpParseError

VERSION = 2
HEADER_SIZE = 12
PLAIN = 0x8000
"""First 16 bits of a header: version 2, no padding, extension, CSRC or marker; add the payload type."""
MARKER = 0x0080
"""The marker bit within those 16 bits."""

pack_header = struct.Struct("!HHII").pack
"""``pack_header(PLAIN | marker | payload_type, sequence_number, timestamp, ssrc)`` → the 12 header bytes.

Every value has to be within its field. The media worker calls this for each packet it sends.
"""

_HEADER = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet: header fields in RFC spelling, and the payload without padding and extension."""

    payload_type: int
    """0 to 127."""
    sequence_number: int
    """0 to 65535."""
    timestamp: int
    """32 bits, in units of the payload type's clock rate."""
    ssrc: int
    """32 bits."""
    payload: bytes
    marker: bool = False

    @classmethod
    def parse(cls, datagram: bytes) -> "RtpPacket":
        """Read a datagram; raises :class:`RtpParseError` and nothing else.

        CSRCs, a header extension and padding are checked against the length and dropped.
        """
        if len(datagram) < HEADER_SIZE:
            raise RtpParseError(f"an RTP packet has at least 12 bytes, this one {len(datagram)}")
        first, second, sequence_number, timestamp, ssrc = _HEADER.unpack_from(datagram)
        if first >> 6 != VERSION:
            raise RtpParseError(f"RTP version {first >> 6}, not 2")
        start = HEADER_SIZE + 4 * (first & 0x0F)
        if first & 0x10:
            start += _extension_size(datagram, start)
        end = len(datagram)
        if first & 0x20:
            end -= datagram[-1]
            if not datagram[-1]:
                raise RtpParseError("the padding bit is set, but the padding length is 0")
        if start > end:
            raise RtpParseError("CSRCs, extension and padding are longer than the packet")
        return cls(second & 0x7F, sequence_number, timestamp, ssrc, datagram[start:end], bool(second & 0x80))

    def to_bytes(self) -> bytes:
        """The datagram, without CSRCs, extension or padding."""
        first = PLAIN | self.payload_type | (MARKER if self.marker else 0)
        return pack_header(first, self.sequence_number, self.timestamp, self.ssrc) + self.payload


def _extension_size(datagram: bytes, start: int) -> int:
    if len(datagram) < start + _EXTENSION.size:
        raise RtpParseError("the extension bit is set, but the packet ends before the extension's length")
    _, words = _EXTENSION.unpack_from(datagram, start)
    return int(_EXTENSION.size + 4 * words)
