"""Calls into libc that Python has no name for."""

import ctypes
import os
import socket
import struct

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_TIMERSLACK = 29
_NOWHERE = struct.pack("H14x", socket.AF_UNSPEC)


def set_timer_slack(nanoseconds: int) -> None:
    """How late a sleep of this thread may end to save power (prctl(2)); the default of 50 µs is too much."""
    _libc.prctl(_PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0)


def disconnect(sock: socket.socket) -> None:
    """Undo connect(2) on a UDP socket, so that every source is heard again; the port stays bound.

    Python cannot spell an AF_UNSPEC address for an IPv4 socket. Raises :class:`OSError`.
    """
    if _libc.connect(sock.fileno(), _NOWHERE, len(_NOWHERE)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
