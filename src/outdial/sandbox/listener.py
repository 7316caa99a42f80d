"""What a phone hears: audio put in order, keys, loss and jitter, and when it all began. Without sockets."""

from outdial.audio.clip import BYTES_PER_MS, SILENCE_BYTES
from outdial.errors import RtpParseError
from outdial.rtp.packet import RtpPacket
from outdial.rtp.reception import Reception
from outdial.rtp.telephone_event import Digit, Signal, TelephoneEventReceiver
from outdial.rtp.timeline import Timeline
from outdial.sdp.negotiation import AgreedMedia

_CLOCK_RATE = 8_000


class Listener:
    """One stream. ``keep_audio`` off keeps the figures only."""

    def __init__(self, agreed: AgreedMedia, *, keep_audio: bool = True) -> None:
        self.codec = agreed.codec.name
        """The codec of the first agreement: a recording has one."""
        self.digits = ""
        self.first_packet_at: float | None = None
        self.last_packet_at: float | None = None
        self.first_sound_at: float | None = None
        self.ptime_ms: int | None = None
        """Audio in the last packet of audio."""
        self.reception = Reception(_CLOCK_RATE)
        self._agreed = agreed
        self._keep_audio = keep_audio
        self._timeline = Timeline(bytes((SILENCE_BYTES[self.codec],)))
        self._audio: list[bytes] = []
        self._keys = TelephoneEventReceiver(agreed.telephone_event_rate)

    def change(self, agreed: AgreedMedia) -> None:
        """Go on as a re-INVITE agreed."""
        self._agreed = agreed

    def receive(self, datagram: bytes, now: float) -> bytes | None:
        """Take a datagram; returns its audio, None if it holds none. What is no RTP is passed over."""
        try:
            packet = RtpPacket.parse(datagram)
            return self._take(packet, now)
        except RtpParseError:
            return None

    def finish(self) -> bytes:
        """Everything that was heard, from the first packet on, as wire bytes of ``codec``; keys end here."""
        self._note(self._keys.flush())
        self._audio.append(self._timeline.flush())
        return b"".join(self._audio)

    def _take(self, packet: RtpPacket, now: float) -> bytes | None:
        if self.first_packet_at is None:
            self.first_packet_at = now
        self.last_packet_at = now
        self._note(self._keys.expire(now))
        is_key = packet.payload_type == self._agreed.telephone_event_payload_type
        timestamp = None if is_key else packet.timestamp
        self.reception.receive(packet.ssrc, packet.sequence_number, timestamp, now)
        if is_key:
            self._note(self._keys.receive(packet.ssrc, packet.timestamp, packet.payload, now))
            return None
        if packet.payload_type != self._agreed.payload_type or self._agreed.codec.name != self.codec:
            return None
        if self.first_sound_at is None and packet.payload.strip(bytes((SILENCE_BYTES[self.codec],))):
            self.first_sound_at = now
        self.ptime_ms = len(packet.payload) // BYTES_PER_MS
        if self._keep_audio:
            self._audio.append(self._timeline.receive(packet.ssrc, packet.timestamp, packet.payload, now))
        return packet.payload

    def _note(self, signals: list[Signal]) -> None:
        self.digits += "".join(signal.digit for signal in signals if isinstance(signal, Digit))
