"""RTCP: sender and receiver reports, SDES with CNAME, BYE, as compound packets (RFC 3550 §6)."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from outdial.errors import RtpParseError
from outdial.rtp.packet import VERSION


class _Type(IntEnum):
    SENDER_REPORT = 200
    RECEIVER_REPORT = 201
    SOURCE_DESCRIPTION = 202
    GOODBYE = 203


_CNAME = 1
_MAX_TEXT = 255
_COMMON = struct.Struct("!BBH")
_WORD = struct.Struct("!I")
_SENDER_INFO = struct.Struct("!QIII")
_BLOCK = struct.Struct("!IIIIII")


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says about one source (RFC 3550 §6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Since the last report, in 1/256."""
    packets_lost: int
    """Since the start; 24 bits signed, negative when there were duplicates."""
    highest_sequence: int
    """Cycles in the upper 16 bits, sequence number in the lower."""
    jitter: int
    """In units of the RTP clock."""
    last_sr: int
    """Middle 32 bits of the last sender report's NTP time; 0 if there was none."""
    delay_since_last_sr: int
    """In 1/65536 s."""

    def to_bytes(self) -> bytes:
        """The 24 bytes of the block; ``packets_lost`` is clipped to its field."""
        lost = min(max(self.packets_lost, -0x80_0000), 0x7F_FFFF) & 0xFF_FFFF
        return _BLOCK.pack(
            self.ssrc,
            self.fraction_lost << 24 | lost,
            self.highest_sequence,
            self.jitter,
            self.last_sr,
            self.delay_since_last_sr,
        )

    @classmethod
    def parse(cls, body: bytes, offset: int) -> "ReportBlock":
        """Read the block at ``offset``; the caller has checked the length."""
        ssrc, loss, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, offset)
        lost = loss & 0xFF_FFFF
        return cls(
            ssrc, loss >> 24, lost - 0x100_0000 if lost & 0x80_0000 else lost, highest, jitter, last_sr, delay
        )


@dataclass(frozen=True, slots=True)
class SenderReport:
    """SR (§6.4.1): the sender's clock and counts, and what it receives."""

    ssrc: int
    ntp: int
    """64-bit NTP timestamp."""
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    blocks: tuple[ReportBlock, ...] = ()

    def to_bytes(self) -> bytes:
        """The packet with its header."""
        info = _SENDER_INFO.pack(self.ntp, self.rtp_timestamp, self.packet_count, self.octet_count)
        blocks = b"".join(block.to_bytes() for block in self.blocks)
        return _packet(_Type.SENDER_REPORT, len(self.blocks), _WORD.pack(self.ssrc) + info + blocks)


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """RR (§6.4.2): the report of somebody who sends no media at the moment."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()

    def to_bytes(self) -> bytes:
        """The packet with its header."""
        blocks = b"".join(block.to_bytes() for block in self.blocks)
        return _packet(_Type.RECEIVER_REPORT, len(self.blocks), _WORD.pack(self.ssrc) + blocks)


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """SDES (§6.5) with the one item that is mandatory, for one source."""

    ssrc: int
    cname: str
    """The canonical name; empty if the packet had none."""

    def to_bytes(self) -> bytes:
        """The packet with its header."""
        text = self.cname.encode()[:_MAX_TEXT]
        chunk = _WORD.pack(self.ssrc) + bytes((_CNAME, len(text))) + text
        return _packet(_Type.SOURCE_DESCRIPTION, 1, chunk + bytes(4 - len(chunk) % 4))


@dataclass(frozen=True, slots=True)
class Goodbye:
    """BYE (§6.6): these sources have left."""

    ssrcs: tuple[int, ...]

    def to_bytes(self) -> bytes:
        """The packet with its header, without a reason text."""
        return _packet(_Type.GOODBYE, len(self.ssrcs), b"".join(_WORD.pack(ssrc) for ssrc in self.ssrcs))


RtcpPacket = SenderReport | ReceiverReport | SourceDescription | Goodbye


def parse_compound(datagram: bytes) -> list[RtcpPacket]:
    """Read a compound packet; unknown packet types (APP, feedback, XR) are passed over.

    Raises :class:`RtpParseError`, and nothing else, unless every packet has version 2 and fits (§A.2). That
    the first one is a report is not asked for: reduced-size RTCP (RFC 5506) is accepted.
    """
    packets: list[RtcpPacket] = []
    offset = 0
    if not datagram:
        raise RtpParseError("an empty datagram is not RTCP")
    while offset < len(datagram):
        if len(datagram) - offset < _COMMON.size:
            raise RtpParseError("an RTCP packet ends within its header")
        first, packet_type, words = _COMMON.unpack_from(datagram, offset)
        if first >> 6 != VERSION:
            raise RtpParseError(f"RTCP version {first >> 6}, not 2")
        end = offset + 4 + 4 * words
        if end > len(datagram):
            raise RtpParseError("an RTCP packet is longer than its datagram")
        body = datagram[offset + 4 : _without_padding(datagram, offset + 4, end) if first & 0x20 else end]
        packet = _parse_one(packet_type, first & 0x1F, body)
        if packet is not None:
            packets.append(packet)
        offset = end
    return packets


def _packet(packet_type: int, count: int, body: bytes) -> bytes:
    return _COMMON.pack(VERSION << 6 | count, packet_type, len(body) // 4) + body


def _without_padding(datagram: bytes, start: int, end: int) -> int:
    padding = datagram[end - 1] if end > start else 0
    if not 0 < padding <= end - start:
        raise RtpParseError("the padding bit of an RTCP packet is set, but its padding does not fit")
    return end - padding


def _parse_one(packet_type: int, count: int, body: bytes) -> RtcpPacket | None:
    match packet_type:
        case _Type.SENDER_REPORT:
            _need(body, 24 + count * _BLOCK.size, "sender report")
            (ssrc,) = _WORD.unpack_from(body)
            ntp, rtp_timestamp, packet_count, octet_count = _SENDER_INFO.unpack_from(body, 4)
            return SenderReport(ssrc, ntp, rtp_timestamp, packet_count, octet_count, _blocks(body, 24, count))
        case _Type.RECEIVER_REPORT:
            _need(body, 4 + count * _BLOCK.size, "receiver report")
            (ssrc,) = _WORD.unpack_from(body)
            return ReceiverReport(ssrc, _blocks(body, 4, count))
        case _Type.SOURCE_DESCRIPTION:
            return _parse_description(body) if count else None
        case _Type.GOODBYE:
            _need(body, 4 * count, "BYE")
            return Goodbye(struct.unpack_from(f"!{count}I", body))
        case _:
            return None


def _blocks(body: bytes, start: int, count: int) -> tuple[ReportBlock, ...]:
    return tuple(ReportBlock.parse(body, start + index * _BLOCK.size) for index in range(count))


def _parse_description(body: bytes) -> SourceDescription:
    """The first chunk's CNAME: a source of ours has one peer, so that further chunks are a mixer's."""
    _need(body, 4, "SDES chunk")
    (ssrc,) = _WORD.unpack_from(body)
    offset = 4
    while offset < len(body) and body[offset]:
        _need(body, offset + 2, "SDES item")
        kind, length = body[offset], body[offset + 1]
        _need(body, offset + 2 + length, "SDES item")
        if kind == _CNAME:
            return SourceDescription(ssrc, body[offset + 2 : offset + 2 + length].decode(errors="replace"))
        offset += 2 + length
    return SourceDescription(ssrc, "")


def _need(body: bytes, size: int, what: str) -> None:
    if len(body) < size:
        raise RtpParseError(f"a {what} of {len(body)} bytes should have at least {size}")
