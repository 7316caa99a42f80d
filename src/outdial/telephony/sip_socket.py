"""The UDP socket of an endpoint, without asyncio's datagram transport, which copies and schedules too much.

Errors that the network reports (ICMP: port or host unreachable) are read from the error queue and name the
address that they are about, with the beginning of the datagram that did not arrive, so that a dead carrier is
known in milliseconds and not after 32 seconds.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable

from outdial.sip.transport import Address

_IP_RECVERR = 11
_IP_MTU_DISCOVER, _IP_PMTUDISC_DONT = 10, 0
_NO_ROOM = (errno.ENOBUFS, errno.ENOMEM)
"""The queue of the network interface is full, which the kernel tells only who asked for errors."""
_BATCH = 64
_TRIES = 3
_BUFFER_BYTES = 4 * 1024 * 1024
"""A burst of answers must not be lost while the loop is busy; the kernel caps it at its own limit."""


class SipSocket:
    """One bound UDP socket on the running event loop."""

    def __init__(
        self,
        bind: Address,
        on_datagram: Callable[[bytes, Address], None],
        on_unreachable: Callable[[Address, bytes], None],
    ) -> None:
        """Bind; raises OSError with the address when that fails.

        `on_unreachable` gets the destination and the datagram, or as much of it as the network quoted.
        """
        self._on_datagram = on_datagram
        self._on_unreachable = on_unreachable
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            # A link that is too narrow for a large INVITE cuts it, and does not make it an error.
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_DONT)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
            self._socket.bind(bind)
        except OSError as error:
            self._socket.close()
            raise OSError(error.errno, f"cannot bind UDP {bind[0]}:{bind[1]}: {error.strerror}") from error
        self._loop = asyncio.get_running_loop()
        self._watched = self._socket.fileno()
        self._loop.add_reader(self._watched, self._readable)
        self._closed = False

    @property
    def address(self) -> Address:
        """The address that the socket is bound to."""
        host, port = self._socket.getsockname()
        return host, port

    def send(self, data: bytes, destination: Address) -> None:
        """Send one datagram. A full buffer drops it, as the network may: SIP sends again by itself."""
        for _ in range(_TRIES):
            try:
                self._socket.sendto(data, destination)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NO_ROOM:
                    return
                # Mostly news of an earlier datagram, perhaps to another peer: then this one was not sent.
                self._watch_anew()
                if not self._read_errors():
                    self._loop.call_soon(self._on_unreachable, destination, data)
                    return
            else:
                return

    def close(self) -> None:
        """Close it; idempotent."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._watched)
            self._socket.close()

    def _readable(self) -> None:
        failed = False
        for _ in range(_BATCH):
            if self._closed:
                return
            try:
                data, source = self._socket.recvfrom(65535)
            except BlockingIOError:
                break
            except OSError:
                failed = True
                self._read_errors()
                continue
            self._on_datagram(data, source)
        if self._read_errors() or failed:
            self._watch_anew()

    def _watch_anew(self) -> None:
        """Without this it is deaf after its first error: libuv, below uvloop, stops to watch it then."""
        if not self._closed:
            self._loop.remove_reader(self._watched)
            self._loop.add_reader(self._watched, self._readable)

    def _read_errors(self) -> int:
        """Pass on what the network said; returns how many messages there were."""
        count = 0
        with contextlib.suppress(OSError):
            while True:
                quoted, *_, destination = self._socket.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
                count += 1
                if destination:
                    self._loop.call_soon(self._on_unreachable, (destination[0], destination[1]), quoted)
        return count


def address_towards(peer: Address) -> str:
    """Return our IPv4 address on the way to `peer`; raises OSError when there is no route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(peer)
        host: str = probe.getsockname()[0]
        return host
