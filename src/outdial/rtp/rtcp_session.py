"""One leg's RTCP: the reports that it sends, and what the far end's reports say (RFC 3550 §6)."""

from dataclasses import dataclass

from outdial.rtp.clock import middle_32, ntp_from_unix, round_trip_s, short_ntp, signed_32
from outdial.rtp.reception import Reception
from outdial.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    parse_compound,
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What we have sent so far, for a sender report."""

    rtp_timestamp: int
    """The RTP timestamp of this moment, 32 bits."""
    packets: int
    octets: int
    """Payload bytes."""


class RtcpSession:
    """``first_sequence`` is the sequence number of our first packet. Times are Unix seconds (NTP's clock)."""

    def __init__(self, ssrc: int, cname: str, clock_rate: int, first_sequence: int) -> None:
        self._ssrc = ssrc
        self._description = SourceDescription(ssrc, cname).to_bytes()
        self._clock_rate = clock_rate
        self._first_sequence = first_sequence
        self._last_sr = 0
        self._last_sr_at = 0.0
        self._remote_packet_count = 0
        self.remote_loss: float | None = None
        """Fraction of our packets that the far end missed, since the start."""
        self.remote_jitter_s: float | None = None
        self.round_trip_s: float | None = None

    def report(self, sent: Sent | None, reception: Reception, now: float, *, goodbye: bool = False) -> bytes:
        """A compound packet: SR (RR if ``sent`` is None: we send nothing), then SDES, then maybe BYE."""
        block = self._block(reception, now)
        blocks = () if block is None else (block,)
        first: SenderReport | ReceiverReport
        if sent is None:
            first = ReceiverReport(self._ssrc, blocks)
        else:
            ntp = ntp_from_unix(now)
            first = SenderReport(
                self._ssrc,
                ntp,
                sent.rtp_timestamp,
                sent.packets & 0xFFFF_FFFF,
                sent.octets & 0xFFFF_FFFF,
                blocks,
            )
        compound = first.to_bytes() + self._description
        return compound + Goodbye((self._ssrc,)).to_bytes() if goodbye else compound

    def receive(self, datagram: bytes, now: float) -> bool:
        """Take the far end's compound packet; raises :class:`RtpParseError`.

        True if it shows that the far end sends media: a sender report whose packet count has moved. A
        receiver report only says that somebody listens.
        """
        sends = False
        for packet in parse_compound(datagram):
            if isinstance(packet, SenderReport):
                self._last_sr = middle_32(packet.ntp)
                self._last_sr_at = now
                sends = sends or packet.packet_count != self._remote_packet_count
                self._remote_packet_count = packet.packet_count
            if isinstance(packet, SenderReport | ReceiverReport):
                for block in packet.blocks:
                    if block.ssrc == self._ssrc:
                        self._learn(block, now)
        return sends

    def _block(self, reception: Reception, now: float) -> ReportBlock | None:
        if reception.ssrc is None:
            return None
        return ReportBlock(
            reception.ssrc,
            reception.fraction_lost(),
            reception.lost,
            reception.highest_sequence,
            reception.jitter & 0xFFFF_FFFF,
            self._last_sr,
            short_ntp(now - self._last_sr_at) if self._last_sr else 0,
        )

    def _learn(self, block: ReportBlock, now: float) -> None:
        expected = signed_32(block.highest_sequence - self._first_sequence) + 1
        if expected > 0:
            self.remote_loss = min(max(0.0, block.packets_lost / expected), 1.0)
        self.remote_jitter_s = block.jitter / self._clock_rate
        round_trip = round_trip_s(
            arrival=middle_32(ntp_from_unix(now)),
            last_sr=block.last_sr,
            delay_since_last_sr=block.delay_since_last_sr,
        )
        if round_trip is not None:
            self.round_trip_s = round_trip
