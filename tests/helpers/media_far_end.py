"""A far end for media tests: sockets that a test plays by hand, and polling with a deadline."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from types import TracebackType

from outdial.rtp.packet import RtpPacket
from outdial.sdp.agreement import AgreedMedia
from outdial.sdp.codec import PCMU, Codec
from outdial.sdp.direction import Direction

_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("qq")


async def until(condition: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Wait until a condition holds that other processes bring about; AssertionError if it never does."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.005)


class FarEnd:
    """An RTP socket, and an RTCP socket one port above it."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        while True:
            self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.rtp.bind((address, 0))
            self.address: tuple[str, int] = self.rtp.getsockname()
            try:
                self.rtcp.bind((address, self.address[1] + 1))
                break
            except OSError:
                self.close()
        self.rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.rtp.setblocking(False)
        self.rtcp.setblocking(False)
        self.arrivals: list[float] = []
        """When the kernel got each packet that :meth:`take` returned, in seconds."""
        self.packets: list[RtpPacket] = []
        """Everything that was taken."""
        self._sequence_number = 1000
        self._sent = 0

    def __enter__(self) -> "FarEnd":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()

    def agreed(
        self,
        *,
        codec: Codec = PCMU,
        ptime_ms: int = 20,
        direction: Direction = Direction.SENDRECV,
        event_payload_type: int | None = 101,
        event_rate: int = 8000,
        address: tuple[str, int] | None = None,
    ) -> AgreedMedia:
        """What SDP would have agreed on with this far end."""
        host, port = address or self.address
        return AgreedMedia(
            remote_address=host,
            remote_port=port,
            remote_rtcp_address=host,
            remote_rtcp_port=port + 1,
            codec=codec,
            payload_type=codec.payload_type,
            ptime_ms=ptime_ms,
            telephone_event_payload_type=event_payload_type,
            telephone_event_rate=event_rate,
            direction=direction,
        )

    def take(self) -> list[RtpPacket]:
        """The RTP packets that have come since the last call."""
        taken: list[RtpPacket] = []
        while True:
            try:
                datagram, controls, _, _ = self.rtp.recvmsg(2048, 128)
            except BlockingIOError:
                self.packets += taken
                return taken
            for _, kind, data in controls:
                if kind == _SO_TIMESTAMPNS:
                    seconds, nanoseconds = _TIMESPEC.unpack(data[: _TIMESPEC.size])
                    self.arrivals.append(seconds + nanoseconds / 1e9)
            taken.append(RtpPacket.parse(datagram))

    def reports(self) -> list[bytes]:
        """The RTCP datagrams that have come since the last call."""
        taken: list[bytes] = []
        while True:
            try:
                taken.append(self.rtcp.recv(2048))
            except BlockingIOError:
                return taken

    async def hear(self, count: int) -> list[RtpPacket]:
        """Wait for so many packets from now on."""
        heard: list[RtpPacket] = []

        def enough() -> bool:
            heard.extend(self.take())
            return len(heard) >= count

        await until(enough)
        return heard

    def say(
        self,
        port: int,
        payload: bytes = bytes(160),
        *,
        payload_type: int = 0,
        sequence_number: int | None = None,
        timestamp: int | None = None,
        ssrc: int = 77,
    ) -> None:
        """Send one packet to a stream's port; numbers and timestamps go on from the last one."""
        if sequence_number is None:
            sequence_number = self._sequence_number
            self._sequence_number = self._sequence_number + 1 & 0xFFFF
        if timestamp is None:
            timestamp = self._sent * 160
            self._sent += 1
        packet = RtpPacket(payload_type, sequence_number, timestamp, ssrc, payload)
        self.rtp.sendto(packet.to_bytes(), ("127.0.0.1", port))
