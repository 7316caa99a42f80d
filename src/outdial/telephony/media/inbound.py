"""What one stream hears: whom it listens to, what arrives and what is lost, digits, the recording."""

import socket

from outdial.errors import RtpParseError
from outdial.rtp.packet import RtpPacket
from outdial.rtp.reception import Reception
from outdial.rtp.telephone_event import Digit, DigitStarted, Signal, TelephoneEventReceiver
from outdial.telephony.media.g711_mix import LAWS, translate
from outdial.telephony.media.host import Host
from outdial.telephony.media.kernel import disconnect
from outdial.telephony.media.latch import Address, Latch, Latching
from outdial.telephony.media.listener import Listener
from outdial.telephony.media.packet_filter import PacketFilter
from outdial.telephony.media.protocol import Connect, KeyDown, KeyPressed, LatchedTo

_LARGEST = 2048
"""Bytes; longer datagrams are cut off. 60 ms of G.711 with every extension is far below."""
_MOST_OF_THE_REST = 128
"""Datagrams: more than two seconds, so that a flood does not keep a stream from closing."""
_CLOCK_RATE = 8000
_COMFORT_NOISE = 13
"""RFC 3389: some senders use it unasked."""


class Inbound:
    """The receiving side of the RTP socket; it also decides where to send (:attr:`target`)."""

    def __init__(self, stream: int, sock: socket.socket, host: Host, *, filtered: bool) -> None:
        self._stream = stream
        self._sock = sock
        self._host = host
        self._listeners: list[Listener] = []
        self._latch = Latch(host.config.latch_window_s)
        self._filter = PacketFilter(sock)
        self._event_payload_types: list[int] = []
        self._audio_payload_types: list[int] = []
        self._other_codecs: dict[int, str] = {}
        self._codec = ""
        self._accepted: frozenset[int] = frozenset()
        self._silence = 0xFF
        self._events: TelephoneEventReceiver | None = None
        self._event_rate = 0
        self._expiry_armed = False
        self.reception = Reception(_CLOCK_RATE, sampled=filtered)
        self.heard_at = host.now()
        """When the last sign of RTP was noticed, or since when it is waited for."""
        self.connected = False
        """Whether the socket is connected to :attr:`target`."""

    @property
    def target(self) -> Address:
        """Where to send RTP."""
        return self._latch.target

    @property
    def filtering(self) -> bool:
        """Whether the kernel drops audio."""
        return self._filter.attached

    def connect(self, agreed: Connect) -> None:
        """Take what SDP agreed on; the stream latches anew."""
        if self.connected:
            self._filter.detach()
            disconnect(self._sock)
            self.connected = False
        self._latch.expect((agreed.address, agreed.port))
        self._audio_payload_types = agreed.accepted_payload_types
        self._event_payload_types = agreed.event_payload_types
        self._codec = agreed.codec
        self._other_codecs = {number: codec for codec, number in agreed.other_codecs.items()}
        self._accepted = frozenset(
            (
                *agreed.accepted_payload_types,
                *agreed.event_payload_types,
                *self._other_codecs,
                _COMFORT_NOISE,
            )
        )
        self._silence = agreed.silence
        if agreed.event_payload_types and agreed.event_rate != self._event_rate:
            self._end_digit()
            self._event_rate = agreed.event_rate
            self._events = TelephoneEventReceiver(agreed.event_rate)
        self.heard_at = self._host.now()

    def readable(self, now: float) -> bool:
        """Take one datagram from the socket; True if the address to send to, or the way, has changed."""
        try:
            datagram, source = self._sock.recvfrom(_LARGEST)
        except OSError:
            # An ICMP error for a packet of ours; the far end may open its port later.
            return False
        try:
            packet = RtpPacket.parse(datagram)
        except RtpParseError:
            return False
        if packet.payload_type not in self._accepted:
            return False
        latching = self._latch.packet_from(source, now)
        if latching is Latching.FOREIGN:
            return False
        self._take(packet, now)
        if latching is Latching.KEEP:
            return False
        if latching is Latching.LOCK:
            self._lock()
        return True

    def take_rest(self, now: float) -> None:
        """Take what has arrived and was not read yet: a key that was pressed just before the end is in it."""
        for _ in range(_MOST_OF_THE_REST):
            try:
                self._sock.recv(1, socket.MSG_PEEK)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error; it is gone when it was read
            self.readable(now)

    def rtp_flows(self) -> bool:
        """Whether the kernel has filtered packets since it was last asked."""
        return self.reception.note_dropped(self._filter.dropped())

    def add(self, listener: Listener) -> None:
        """Let somebody listen from now on: the kernel drops nothing any more."""
        self._listeners.append(listener)
        self._adjust_filter()

    def remove(self, listener: Listener) -> None:
        """Let somebody listen no more, who closes what it has; nothing happens if it does not listen."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            self._adjust_filter()

    def close(self) -> None:
        """End a running digit and whoever listens."""
        self._end_digit()
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.close()

    def _lock(self) -> None:
        try:
            self._sock.connect(self._latch.target)
        except OSError as error:
            # The stream goes on unconnected and unfiltered: sources are compared anyway.
            self._host.note_problem("latch_incomplete", error)
        else:
            self.connected = True
            self._adjust_filter()
        self._host.emit(LatchedTo(self._stream, *self._latch.target))

    def _adjust_filter(self) -> None:
        """Let the kernel drop audio exactly while nobody listens and the source is known."""
        wanted = self.connected and not self._listeners
        try:
            if wanted and not self._filter.attached:
                self._filter.attach(self._event_payload_types)
            elif not wanted:
                self._filter.detach()
        except OSError as error:
            self._host.note_problem("filter_not_set", error)

    def _take(self, packet: RtpPacket, now: float) -> None:
        self.heard_at = now
        dropped = self._filter.dropped()
        is_event = packet.payload_type in self._event_payload_types
        timestamp = None if is_event else packet.timestamp
        self.reception.receive(packet.ssrc, packet.sequence_number, timestamp, now, dropped)
        if is_event:
            self._take_event(packet, now)
        elif self._listeners and (audio := self._audio_of(packet)) is not None:
            for listener in self._listeners:
                listener.receive(packet.ssrc, packet.timestamp, audio, self._silence, now)

    def _audio_of(self, packet: RtpPacket) -> bytes | None:
        """What was said, in the agreed codec; None of noise, and of a codec that cannot be translated."""
        if packet.payload_type in self._audio_payload_types:
            return packet.payload
        codec = self._other_codecs.get(packet.payload_type)
        if codec is None or codec not in LAWS or self._codec not in LAWS:
            return None
        return translate(packet.payload, codec, self._codec)

    def _take_event(self, packet: RtpPacket, now: float) -> None:
        if self._events is None:
            return
        try:
            self._tell(self._events.receive(packet.ssrc, packet.timestamp, packet.payload, now))
        except RtpParseError:
            return
        deadline = self._events.deadline
        if deadline is not None and not self._expiry_armed:
            self._expiry_armed = True
            self._host.timers.add(deadline, self._expire_digit)

    def _expire_digit(self, now: float) -> float | None:
        if self._events is None:
            return None
        self._tell(self._events.expire(now))
        deadline = self._events.deadline
        self._expiry_armed = deadline is not None
        return deadline

    def _end_digit(self) -> None:
        if self._events is not None:
            self._tell(self._events.flush())

    def _tell(self, signals: list[Signal]) -> None:
        for signal in signals:
            match signal:
                case DigitStarted(digit):
                    self._host.emit(KeyDown(self._stream, digit))
                case Digit(digit, duration_ms):
                    self._host.emit(KeyPressed(self._stream, digit, duration_ms))
