"""The packets that a phone sends, one for each packet time: its voice, silence, or keys. Without sockets."""

from collections import deque

from outdial.audio.clip import BYTES_PER_MS, silence
from outdial.rtp.packet import RtpPacket
from outdial.rtp.rtcp_session import Sent
from outdial.rtp.telephone_event import EventPacket, telephone_event_packets
from outdial.sandbox.phone import Phone, Voice
from outdial.sandbox.voices import murmur_on_the_wire
from outdial.sdp.negotiation import AgreedMedia

_ECHO_PACKETS = 10
"""More than this waits for the echo only when the caller sends faster than the phone; then the oldest is
lost."""


_LARGEST_PAYLOAD = 60 * BYTES_PER_MS


class Speaker:
    """One stream. ``next_packet`` is to be called every ``ptime_ms``."""

    def __init__(
        self, phone: Phone, agreed: AgreedMedia, *, ssrc: int, sequence_number: int, timestamp: int
    ) -> None:
        self.ssrc = ssrc
        self.first_sequence = sequence_number
        self.packets_sent = 0
        self._octets_sent = 0
        self._phone = phone
        self._agreed = agreed
        self._sequence_number = sequence_number
        self._timestamp = timestamp
        murmur = murmur_on_the_wire(phone.number, agreed.codec.name) if phone.voice is Voice.MURMUR else b""
        self._voice_size = len(murmur)
        self._voice = (
            murmur + murmur[:_LARGEST_PAYLOAD]
        )  # so that no packet has to be put together at the seam
        self._spoken = 0
        self._echo: deque[bytes] = deque(maxlen=_ECHO_PACKETS)
        self._keys: deque[EventPacket | None] = deque()
        """What the next packet times hold in place of the voice; None is the pause between two keys."""
        self._key_timestamp = 0

    @property
    def ptime_ms(self) -> int:
        """Milliseconds from packet to packet."""
        return self._agreed.ptime_ms

    @property
    def sent(self) -> Sent:
        """For a sender report."""
        return Sent(self._timestamp, self.packets_sent, self._octets_sent)

    def change(self, agreed: AgreedMedia) -> None:
        """Go on as a re-INVITE agreed; sequence numbers and timestamps continue."""
        self._agreed = agreed

    def press(self, digits: str) -> None:
        """Queue keys; without an agreed telephone-event nothing can be pressed."""
        if self._agreed.telephone_event_payload_type is None:
            return
        ptime_ms = self._agreed.ptime_ms
        for digit in digits:
            self._keys += telephone_event_packets(
                digit, self._phone.digit_ms, rate=self._agreed.telephone_event_rate, ptime_ms=ptime_ms
            )
            self._keys += [None] * -(-self._phone.digit_gap_ms // ptime_ms)

    def echo(self, payload: bytes) -> None:
        """Say this, if the phone is an echo."""
        if self._phone.voice is Voice.ECHO:
            self._echo.append(payload)

    def next_packet(self) -> bytes | None:
        """The datagram of this packet time; None when the direction forbids to send. Time passes all the
        same."""
        key = self._keys.popleft() if self._keys else None
        packet = self._audio() if key is None else self._key(key)
        self._timestamp = self._timestamp + self._agreed.ptime_ms * 8 & 0xFFFF_FFFF
        if not self._agreed.direction.sends:
            return None
        self._sequence_number = self._sequence_number + 1 & 0xFFFF
        self.packets_sent += 1
        self._octets_sent += len(packet.payload)
        return packet.to_bytes()

    def _audio(self) -> RtpPacket:
        size = self._agreed.ptime_ms * BYTES_PER_MS
        if self._echo:
            payload = self._echo.popleft()
        elif self._voice:
            start = self._spoken % self._voice_size
            payload = self._voice[start : start + size]
            self._spoken += size
        else:
            payload = silence(self._agreed.codec.name, self._agreed.ptime_ms)
        marker = self.packets_sent == 0
        return RtpPacket(
            self._agreed.payload_type, self._sequence_number, self._timestamp, self.ssrc, payload, marker
        )

    def _key(self, key: EventPacket) -> RtpPacket:
        if key.marker:
            self._key_timestamp = self._timestamp
        timestamp = self._key_timestamp + key.timestamp_offset & 0xFFFF_FFFF
        payload_type = self._agreed.telephone_event_payload_type or 0
        return RtpPacket(payload_type, self._sequence_number, timestamp, self.ssrc, key.payload, key.marker)
