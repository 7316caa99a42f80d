"""Callees who press a key every few seconds and hear what follows: one light process for hundreds of calls.

Each picks up at once, sends audio (silence) as a phone does, presses 1 again and again (RFC 4733, the end
three times) and at last 0. All audio comes from and goes to one bound pair of UDP sockets; a kernel filter
counts what arrives and lets through only packets with the marker bit, the first ones of talk spurts: one for
each prompt, with the kernel's time of its arrival. Calls share the numbers in their headers, so that a packet
is made once for all calls of a tick.

``python -m bench.key_phones SIP_PORT RTP_PORT KEYS EVERY_MS`` prints "ready", and at the end of its standard
input one line of JSON.
"""

import json
import re
import select
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from bench.arrivals import DROP_ALL, MARKED_RTP, attach, dropped, listen_timed, receive
from bench.callee import answer_sdp, audio_port, response
from bench.child import Child
from bench.far_end import HOST, free_port, free_ports

from outdial.rtp.packet import HEADER_SIZE, MARKER, PLAIN, pack_header
from outdial.rtp.telephone_event import telephone_event_packets

KEY_MS = 100
_PTIME_MS, _SAMPLES = 20, 160
_SLOTS = 4
"""Of a packet time, over which calls are spread."""
_TICK_S = _PTIME_MS / 1000 / _SLOTS
_FIRST_KEY_MS = 1_000
_SILENCE = b"\xd5" * _SAMPLES
_PCMA, _EVENT, _SSRC = 8, 101, 0x0B5E55ED
_END = 0x80
_AGAIN, _ENOUGH = (tuple(telephone_event_packets(key, KEY_MS, ptime_ms=_PTIME_MS)) for key in "10")


@dataclass(slots=True)
class Pressed:
    """What all callees did and heard."""

    answered: int = 0
    """Calls that were acknowledged."""
    keys: int = 0
    """1 was pressed, and its end sent."""
    acted_upon: int = 0
    """Of these, those that a prompt followed before the next key."""
    ended: int = 0
    """Calls that were hung up after the last key."""
    packets: int = 0
    """RTP that arrived."""
    delays_ms: list[float] = field(default_factory=list)
    """From the first packet of a key's end to the first one of the next prompt; without those keys that the
    server took for over before, because this process was held up."""


class KeyPhones(Child):
    """The process, as a context; `stop` ends it and tells what happened."""

    def __init__(self, keys: int, every_ms: int) -> None:
        self.port = free_port()
        super().__init__("bench.key_phones", self.port, free_ports(2, even=True), keys, every_ms)

    def stop(self) -> Pressed:
        """End it."""
        return Pressed(**self.end())


@dataclass(slots=True)
class _Call:
    far_end: tuple[str, int]
    """Where its audio goes."""
    slot: int
    key_at: int = 0
    """The packet time at which the next key goes down."""
    keys_left: int = 0
    awaits: bool = False
    """Whether 1 was pressed, and no prompt has followed yet."""
    end_sent: float = 0.0
    """When the end of that key was sent, Unix seconds; 0 while it is down."""


class _Phones:
    def __init__(self, port: int, rtp_port: int, keys: int, every_ms: int) -> None:
        self._sip, self._rtp, self._rtcp = (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) for _ in range(3)
        )
        self._port = port
        self._sip.bind((HOST, port))
        self._sip.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._rtp.bind((HOST, rtp_port))
        self._rtcp.bind((HOST, rtp_port + 1))
        listen_timed(self._rtp)
        attach(self._rtp, MARKED_RTP)
        attach(self._rtcp, DROP_ALL)
        self._sdp = answer_sdp(rtp_port, keys=True)
        self._keys = keys
        self._every = every_ms // _PTIME_MS
        self._calls: dict[str, _Call] = {}
        """By Call-ID."""
        self._talking: tuple[dict[str, _Call], ...] = tuple({} for _ in range(_SLOTS))
        self._by_far_end: dict[tuple[str, int], _Call] = {}
        self._read = 0
        self.pressed = Pressed()

    def tick(self, number: int) -> None:
        """Send what is due, and look what has come."""
        now, slot = divmod(number, _SLOTS)
        self._send(now, self._talking[slot].values())
        self._hear()
        self._take_requests(now)

    def result(self) -> Pressed:
        """Of everything so far."""
        self.pressed.packets = self._read + dropped(self._rtp)
        return self.pressed

    def _send(self, now: int, calls: Iterable[_Call]) -> None:
        audio = pack_header(PLAIN | _PCMA, now & 0xFFFF, now * _SAMPLES & 0xFFFF_FFFF, _SSRC) + _SILENCE
        send = self._rtp.sendto
        for call in calls:
            if now < call.key_at:
                send(audio, call.far_end)
            else:
                self._send_key(now, call)

    def _send_key(self, now: int, call: _Call) -> None:
        packets = _AGAIN if call.keys_left else _ENOUGH
        position = now - call.key_at
        packet = packets[position]
        first_word = PLAIN | _EVENT | (MARKER if packet.marker else 0)
        header = pack_header(first_word, now & 0xFFFF, call.key_at * _SAMPLES & 0xFFFF_FFFF, _SSRC)
        ends = packet.payload[1] & _END and not packets[position - 1].payload[1] & _END
        if call.keys_left and not position:
            call.awaits, call.end_sent = True, 0.0
        if call.keys_left and ends:
            self.pressed.keys += 1
            call.end_sent = time.time()
        self._rtp.sendto(header + packet.payload, call.far_end)
        if position == len(packets) - 1:
            call.key_at = call.key_at + self._every if call.keys_left else sys.maxsize
            call.keys_left -= 1

    def _hear(self) -> None:
        while True:
            try:
                packet, source, at = receive(self._rtp)
            except BlockingIOError:
                return
            self._read += 1
            call = self._by_far_end.get(source)
            if call is not None and call.awaits and packet[HEADER_SIZE:] != _SILENCE:
                call.awaits = False
                self.pressed.acted_upon += 1
                if 0 < call.end_sent <= at:
                    self.pressed.delays_ms.append(round((at - call.end_sent) * 1000, 2))

    def _take_requests(self, now: int) -> None:
        while True:
            try:
                data, source = self._sip.recvfrom(4096)
            except BlockingIOError:
                return
            text = data.decode()
            method = text.split(" ", 1)[0]
            call_id = re.search(r"^Call-ID: *(\S+)", text, re.MULTILINE)
            assert call_id is not None
            if method == "INVITE":
                self._ring(call_id[1], text)
                self._sip.sendto(response(text, "200 OK", port=self._port, body=self._sdp), source)
            elif method == "ACK":
                self._talk(call_id[1], now)
            elif method == "BYE":
                self._part(call_id[1])
                self._sip.sendto(response(text, "200 OK", port=self._port), source)

    def _ring(self, call_id: str, invite: str) -> None:
        slot = len(self._calls) % _SLOTS
        self._calls.setdefault(call_id, _Call((HOST, audio_port(invite)), slot))

    def _talk(self, call_id: str, now: int) -> None:
        call = self._calls[call_id]
        if call_id not in self._talking[call.slot] and not call.key_at:
            call.key_at = now + _FIRST_KEY_MS // _PTIME_MS
            call.keys_left = self._keys
            self._talking[call.slot][call_id] = self._by_far_end[call.far_end] = call
            self.pressed.answered += 1

    def _part(self, call_id: str) -> None:
        call = self._calls[call_id]
        if self._talking[call.slot].pop(call_id, None) is not None:
            self.pressed.ended += call.keys_left < 0
            del self._by_far_end[call.far_end]


def serve(port: int, rtp_port: int, keys: int, every_ms: int) -> None:
    """Be called until the standard input ends."""
    phones = _Phones(port, rtp_port, keys, every_ms)
    print("ready", flush=True)
    started, tick = time.monotonic(), 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        tick += 1
        time.sleep(max(0.0, started + tick * _TICK_S - time.monotonic()))
        phones.tick(tick)
    print(json.dumps(asdict(phones.result())))


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
