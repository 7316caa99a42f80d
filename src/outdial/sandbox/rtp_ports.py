"""Pairs of UDP sockets for the phones' RTP and RTCP."""

import contextlib
import itertools
import socket

from outdial.errors import NoFreePort

Pair = tuple[socket.socket, socket.socket]


class RtpPorts:
    """Hands out pairs of sockets, RTP on an even port and RTCP on the next, round and round the range."""

    def __init__(self, address: str, port_min: int, port_max: int) -> None:
        self._address = address
        self._ports = range(port_min + port_min % 2, port_max, 2)
        self._next = itertools.cycle(self._ports)

    def open(self) -> Pair:
        """Bind the next pair that is free. Raises :class:`NoFreePort`."""
        for _ in self._ports:
            port = next(self._next)
            with contextlib.suppress(OSError):
                return self._bind(port)
        raise NoFreePort(f"no free pair of RTP ports from {self._ports.start} to {self._ports.stop}")

    def _bind(self, port: int) -> Pair:
        rtp = _udp(self._address, port)
        try:
            return rtp, _udp(self._address, port + 1)
        except OSError:
            rtp.close()
            raise


def _udp(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock
