"""What the kernel does with datagrams for a far end: it filters, counts and times them.

What a filter drops costs no wake-up and no copy, and is still counted; what is let through has the kernel's
own time of arrival, whenever it is read.
"""

import ctypes
import socket
import struct
from collections.abc import Sequence

SO_TIMESTAMPNS = 35
_SO_ATTACH_FILTER, _SO_MEMINFO = 26, 55
"""From asm-generic/socket.h; Python's socket module does not name them."""
_MEMINFO = struct.Struct("9I")
_DROPS = 8
_TIMESPEC = struct.Struct("qq")
_BUFFER = 4 << 20

LOAD_BYTE, LOAD_HALF, AND, JUMP_IF_EQUAL, RETURN = 0x30, 0x28, 0x54, 0x15, 0x06
"""Instructions of classic BPF; offsets begin with the UDP header."""
DROP_ALL = ((RETURN, 0, 0, 0),)
MARKED_RTP = (
    (LOAD_BYTE, 0, 0, 8 + 1),
    (AND, 0, 0, 0x80),
    (JUMP_IF_EQUAL, 1, 0, 0x80),
    (RETURN, 0, 0, 0),
    (RETURN, 0, 0, 0xFFFF),
)
"""The first packets of talk spurts, which have the marker bit (RFC 3551 §4.1), and no others."""


def attach(sock: socket.socket, program: Sequence[tuple[int, int, int, int]]) -> None:
    """Let the kernel decide by a program of (code, jump if true, jump if false, value)."""
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    sock.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(buffer))
    )


def listen_timed(sock: socket.socket) -> None:
    """Have what arrives timed, and kept until it is read now and then."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def receive(sock: socket.socket) -> tuple[bytes, tuple[str, int], float]:
    """The next datagram, who sent it, and when it arrived, in Unix seconds. Raises BlockingIOError."""
    data, control, _, source = sock.recvmsg(4096, 64)
    seconds, nanoseconds = _TIMESPEC.unpack(control[0][2])
    return data, source, seconds + nanoseconds / 1e9


def dropped(sock: socket.socket) -> int:
    """Datagrams that did not come through."""
    figures = sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
    count: int = _MEMINFO.unpack(figures)[_DROPS]
    return count
