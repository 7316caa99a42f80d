"""The ears of every callee: one bound pair of UDP sockets that all SDP answers name.

A bound socket, because the kernel answers packets to an unbound port with ICMP errors, each of which costs
the sender more than the packet. It answers the first packet of each stream, so that the sender latches as it
does to a real phone; a kernel filter counts and drops the rest, but for one stream in 32, whose packets are
timed by the kernel's receive timestamps. RTCP is taken and not read.

``python -m bench.rtp_sink PORT`` prints "ready", and at the end of its standard input one line of JSON.
"""

import contextlib
import json
import select
import socket
import struct
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from bench.arrivals import (
    AND,
    DROP_ALL,
    JUMP_IF_EQUAL,
    LOAD_BYTE,
    LOAD_HALF,
    RETURN,
    attach,
    dropped,
    listen_timed,
    receive,
)
from bench.child import Child
from bench.far_end import HOST, free_ports
from bench.report import percentile

_SAMPLED_PORTS = 0x3E
"""RTP ports are even: one in 32 has none of these bits."""
_FILTER = (
    (LOAD_BYTE, 0, 0, 8 + 1),
    (AND, 0, 0, 0x80),  # the marker: the first packet of a talk spurt
    (JUMP_IF_EQUAL, 3, 0, 0x80),
    (LOAD_HALF, 0, 0, 0),  # the source port
    (AND, 0, 0, _SAMPLED_PORTS),
    (JUMP_IF_EQUAL, 0, 1, 0),
    (RETURN, 0, 0, 0xFFFF),
    (RETURN, 0, 0, 0),
)
_RTP = struct.Struct("!BBHII")
_CLOCK_RATE = 8000
_LOOK_EVERY_S = 0.002
"""Now and then, instead of waiting: a sender to a real network does not pay for waking its receiver."""


@dataclass(frozen=True)
class Heard:
    """What arrived; lateness is against each stream's own earliest packet, in milliseconds."""

    packets: int
    timed: int
    streams_timed: int
    lost: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


class RtpSink(Child):
    """The process, as a context; `stop` ends it and tells what it heard."""

    def __init__(self) -> None:
        self.port = free_ports(2, even=True)
        super().__init__("bench.rtp_sink", self.port)

    def stop(self) -> Heard:
        """End it."""
        return Heard(**self.end())


@contextlib.contextmanager
def deaf_ports(count: int) -> Iterator[int]:
    """So many bound ports in a row whose kernel filter drops everything; the first one."""
    first = free_ports(count)
    with contextlib.ExitStack() as stack:
        for port in range(first, first + count):
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.bind((HOST, port))
            attach(sock, DROP_ALL)
        yield first


class _Streams:
    def __init__(self) -> None:
        self._times: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
        self.timed = 0

    def add(self, at: float, ssrc: int, timestamp: int, sequence: int) -> None:
        self._times[ssrc].append((at, timestamp, sequence))
        self.timed += 1

    def heard(self, packets: int) -> Heard:
        late: list[float] = []
        lost = 0
        for stream in self._times.values():
            _, first, sequence = stream[0]
            # How far behind its own clock each packet came, from any origin; the earliest one has the least.
            offsets = [at - (timestamp - first & 0xFFFF_FFFF) / _CLOCK_RATE for at, timestamp, _ in stream]
            best = min(offsets)
            late += [(offset - best) * 1000 for offset in offsets]
            lost += max((number - sequence & 0xFFFF) + 1 for _, _, number in stream) - len(stream)
        if not late:
            return Heard(packets, 0, 0, 0, 0.0, 0.0, 0.0, 0.0)
        p50, p99, p999 = (round(percentile(late, percent), 3) for percent in (50, 99, 99.9))
        return Heard(packets, self.timed, len(self._times), lost, p50, p99, p999, round(max(late), 3))


def serve(port: int) -> None:
    """Listen until the standard input ends."""
    rtp, rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    rtp.bind((HOST, port))
    rtcp.bind((HOST, port + 1))
    rtp.setblocking(False)
    listen_timed(rtp)
    attach(rtp, _FILTER)
    print("ready", flush=True)
    streams, answered, read = _Streams(), set(), 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        time.sleep(_LOOK_EVERY_S)
        while True:
            try:
                packet, source, at = receive(rtp)
            except BlockingIOError:
                break
            read += 1
            _, _, sequence, timestamp, ssrc = _RTP.unpack_from(packet)
            if ssrc not in answered:
                answered.add(ssrc)
                rtp.sendto(packet, source)
            if not source[1] & _SAMPLED_PORTS:
                streams.add(at, ssrc, timestamp, sequence)
    heard = streams.heard(read + dropped(rtp))
    print(json.dumps({name: getattr(heard, name) for name in Heard.__dataclass_fields__}))


if __name__ == "__main__":
    serve(int(sys.argv[1]))
