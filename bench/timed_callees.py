"""Callees who pick up at once and note when what came, by the kernel's time of arrival.

A few lines of UDP in the benchmark's own process. One bound pair of sockets takes the audio of all calls; a
kernel filter lets through only packets with the marker bit, which are a stream's first one and the first one
of the sound, so that hundreds of calls at a time cost next to nothing.
"""

import asyncio
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bench.arrivals import DROP_ALL, MARKED_RTP, attach, listen_timed, receive
from bench.callee import answer_sdp, audio_port, response
from bench.far_end import HOST, free_ports

_SILENCE = b"\xd5" * 160
"""20 ms of PCMA."""


@dataclass(slots=True)
class Times:
    """Of one call, Unix seconds."""

    requested: float = 0.0
    accepted: float = 0.0
    invite: float = 0.0
    ack: float = 0.0
    rtp: float = 0.0
    audio: float = 0.0
    bye: float = 0.0
    told: float = 0.0
    over: asyncio.Event = field(default_factory=asyncio.Event)


class TimedCallees:
    """They answer any number of calls, each to another phone number. A context; made in a running loop."""

    def __init__(self) -> None:
        self._sip = self._bind(self._on_sip)
        rtp = free_ports(2, even=True)
        self._rtp = self._bind(self._on_rtp, rtp)
        self._rtcp = self._bind(lambda _data, _source, _at: None, rtp + 1)
        attach(self._rtp, MARKED_RTP)
        attach(self._rtcp, DROP_ALL)
        self.port: int = self._sip.getsockname()[1]
        self._expected: dict[str, Times] = {}
        """By phone number."""
        self._by_far_end: dict[tuple[str, int], Times] = {}
        """By where the audio comes from."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sock in (self._sip, self._rtp, self._rtcp):
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()

    def expect(self, number: str, times: Times) -> None:
        """Note the times of the next call to a phone number."""
        self._expected[number] = times

    def _bind(self, take: Callable[[bytes, tuple[str, int], float], None], port: int = 0) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        listen_timed(sock)
        sock.bind((HOST, port))

        def readable() -> None:
            take(*receive(sock))

        asyncio.get_running_loop().add_reader(sock, readable)
        return sock

    def _on_sip(self, data: bytes, source: tuple[str, int], at: float) -> None:
        text = data.decode()
        called = re.search(r"^To: .*?sip:(\d+)@", text, re.MULTILINE)
        assert called is not None
        times = self._expected[called[1]]
        method = text.split(" ", 1)[0]
        if method == "INVITE":
            times.invite = times.invite or at
            self._by_far_end[HOST, audio_port(text)] = times
            self._respond(text, source, "180 Ringing")
            self._respond(text, source, "200 OK", answer_sdp(self._rtp.getsockname()[1]))
        elif method == "ACK":
            times.ack = times.ack or at
        elif method == "BYE":
            times.bye = times.bye or at
            self._respond(text, source, "200 OK")
            times.over.set()

    def _respond(self, request: str, source: tuple[str, int], status: str, body: str = "") -> None:
        self._sip.sendto(response(request, status, port=self.port, body=body), source)

    def _on_rtp(self, data: bytes, source: tuple[str, int], at: float) -> None:
        times = self._by_far_end[source]
        if not times.rtp:
            times.rtp = at
            self._rtp.sendto(data, source)
        if not times.audio and data[12:] != _SILENCE:
            times.audio = at
