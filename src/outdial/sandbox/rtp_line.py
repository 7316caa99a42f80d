"""A phone's RTP and RTCP on real sockets of the running event loop.

Simple on purpose: the phones prove what the dialer sends; many calls at once are measured against sipp.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import replace

from outdial.errors import RtpParseError
from outdial.rtp.clock import report_interval_s
from outdial.rtp.rtcp_session import RtcpSession
from outdial.sandbox.heard import Heard
from outdial.sandbox.listener import Listener
from outdial.sandbox.phone import Phone, Voice
from outdial.sandbox.rtp_ports import RtpPorts
from outdial.sandbox.speaker import Speaker
from outdial.sdp.negotiation import AgreedMedia

_CLOCK_RATE = 8_000
_REPORT_EVERY_S = 2.0
"""Mean time between RTCP reports: calls in tests are short."""
_TOO_LATE_S = 0.5
"""A loop that was busy for longer than this does not send all that it missed in one burst."""


class RtpLine:
    """A :class:`outdial.sandbox.phone_call.Line` on two sockets, or four behind NAT."""

    def __init__(
        self,
        phone: Phone,
        ports: RtpPorts,
        new_token: Callable[[], str],
        unix_ms: Callable[[], int],
        *,
        record: bool,
    ) -> None:
        """Open the sockets. Raises :class:`outdial.errors.NoFreePort`."""
        self._phone = phone
        self._unix_ms = unix_ms
        self._random = int(new_token()[:16], 16)
        self._record = record
        self._loop = asyncio.get_running_loop()
        self._announced = ports.open()
        # Behind NAT packets leave through another pair; what is sent to the announced one is lost.
        self._rtp, self._rtcp = ports.open() if phone.behind_nat else self._announced
        self._agreed: AgreedMedia | None = None
        self._speaker: Speaker | None = None
        self._listener: Listener | None = None
        self._reports: RtcpSession | None = None
        self._next_packet: asyncio.TimerHandle | None = None
        self._next_report: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        """The RTP port that goes into SDP."""
        port: int = self._announced[0].getsockname()[1]
        return port

    @property
    def last_heard_at(self) -> float | None:
        """When the last RTP packet arrived, None before the first."""
        return None if self._listener is None else self._listener.last_packet_at

    def connect(self, agreed: AgreedMedia) -> None:
        """Speak and listen as agreed; again after every change."""
        self._agreed = agreed
        if self._speaker is not None and self._listener is not None:
            self._speaker.change(agreed)
            self._listener.change(agreed)
            return
        ssrc, sequence = self._random & 0xFFFF_FFFF, self._random >> 32 & 0xFFFF
        self._speaker = Speaker(
            self._phone,
            agreed,
            ssrc=ssrc,
            sequence_number=sequence,
            timestamp=self._random >> 16 & 0xFFFF_FFFF,
        )
        self._listener = Listener(agreed, keep_audio=self._record)
        self._reports = RtcpSession(ssrc, "phone@sandbox", _CLOCK_RATE, sequence)
        self._loop.add_reader(self._rtp, self._on_rtp)
        self._loop.add_reader(self._rtcp, self._on_rtcp)
        if self._phone.voice is not Voice.NOTHING:
            self._send_packet(self._loop.time())
            self._plan_report()

    def press(self, digits: str) -> None:
        """Press keys, one after the other."""
        if self._speaker is not None:
            self._speaker.press(digits)

    def hear(self, heard: Heard, answered_at: float | None) -> tuple[Heard, bytes]:
        """``heard`` with what the line knows, and what it heard as wire bytes of ``heard.codec``."""
        if self._listener is None or self._speaker is None or self._reports is None:
            return heard, b""
        audio = self._listener.finish()
        origin = answered_at or 0.0
        reception, round_trip_s = self._listener.reception, self._reports.round_trip_s
        return replace(
            heard,
            codec=self._listener.codec,
            ptime_ms=self._listener.ptime_ms,
            digits=self._listener.digits,
            packets=reception.packets_received,
            lost=max(reception.lost, 0),
            jitter_ms=round(reception.jitter_s * 1_000, 2),
            first_packet_ms=_since(origin, self._listener.first_packet_at),
            first_sound_ms=_since(origin, self._listener.first_sound_at),
            packets_sent=self._speaker.packets_sent,
            round_trip_ms=None if round_trip_s is None else round(round_trip_s * 1_000, 2),
        ), audio

    def close(self) -> None:
        """Say goodbye, stop, and give the ports back."""
        if self._speaker is not None and self._speaker.packets_sent:
            self._send_report(goodbye=True)
        for handle in (self._next_packet, self._next_report):
            if handle is not None:
                handle.cancel()
        for sock in {self._rtp, self._rtcp, *self._announced}:
            self._loop.remove_reader(sock)
            sock.close()

    def _on_rtp(self) -> None:
        for datagram in _read_all(self._rtp):
            if self._listener is not None and self._speaker is not None:
                payload = self._listener.receive(datagram, self._loop.time())
                if payload is not None:
                    self._speaker.echo(payload)

    def _on_rtcp(self) -> None:
        for datagram in _read_all(self._rtcp):
            if self._reports is not None:
                with contextlib.suppress(RtpParseError):
                    self._reports.receive(datagram, self._unix_ms() / 1_000)

    def _send_packet(self, due: float) -> None:
        if self._speaker is None or self._agreed is None:
            return
        datagram = self._speaker.next_packet()
        if datagram is not None:
            _send(self._rtp, datagram, self._agreed.remote_address, self._agreed.remote_port)
        now = self._loop.time()
        due = max(due, now - _TOO_LATE_S) + self._speaker.ptime_ms / 1_000
        self._next_packet = self._loop.call_at(due, self._send_packet, due)

    def _plan_report(self) -> None:
        chance = self._unix_ms() % 1_000 / 1_000
        self._next_report = self._loop.call_later(report_interval_s(_REPORT_EVERY_S, chance), self._report)

    def _report(self) -> None:
        self._send_report(goodbye=False)
        self._plan_report()

    def _send_report(self, *, goodbye: bool) -> None:
        if self._agreed is None or self._reports is None or self._speaker is None or self._listener is None:
            return
        datagram = self._reports.report(
            self._speaker.sent, self._listener.reception, self._unix_ms() / 1_000, goodbye=goodbye
        )
        _send(self._rtcp, datagram, self._agreed.remote_rtcp_address, self._agreed.remote_rtcp_port)


def _read_all(sock: socket.socket) -> list[bytes]:
    datagrams = []
    with contextlib.suppress(OSError):  # nothing more to read, or an ICMP error of something sent before
        while True:
            datagrams.append(sock.recv(2_048))
    return datagrams


def _send(sock: socket.socket, datagram: bytes, address: str, port: int) -> None:
    with contextlib.suppress(OSError):  # a phone does not notice that nobody listens
        sock.sendto(datagram, (address, port))


def _since(origin: float, at: float | None) -> int | None:
    return None if at is None else round((at - origin) * 1_000)
