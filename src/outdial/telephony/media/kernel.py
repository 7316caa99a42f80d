"""Calls into libc that Python has no name for."""

import ctypes
import os
import platform
import socket
import struct

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_TIMERSLACK = 29
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
_SCHED_ATTR = struct.Struct("IIQiIQQQ")
_SHORTEST_SLICE_NS = 100_000
_NOWHERE = struct.pack("H14x", socket.AF_UNSPEC)


def set_timer_slack(nanoseconds: int) -> None:
    """How late a sleep of this thread may end to save power (prctl(2)); the default of 50 µs is too much."""
    _libc.prctl(_PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0)


def prefer_this_process() -> str:
    """Ask the kernel to run this process as soon as it wakes; returns what it granted.

    Audio is late or on time, and everything else on the machine can wait a millisecond. With CAP_SYS_NICE
    that is the lowest real-time priority (the kernel still leaves 5 % of a core to others). Without, it is a
    short time slice, which since Linux 6.12 lets a waking process interrupt one with a longer slice.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        number = _SCHED_SETATTR.get(platform.machine())
        attributes = _SCHED_ATTR.pack(_SCHED_ATTR.size, os.SCHED_OTHER, 0, 0, 0, _SHORTEST_SLICE_NS, 0, 0)
        if number is None or _libc.syscall(number, 0, attributes, 0):
            return "default"
        return "short slice"
    return "real-time"


def disconnect(sock: socket.socket) -> None:
    """Undo connect(2) on a UDP socket, so that every source is heard again; the port stays bound.

    Python cannot spell an AF_UNSPEC address for an IPv4 socket. Raises :class:`OSError`.
    """
    if _libc.connect(sock.fileno(), _NOWHERE, len(_NOWHERE)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
