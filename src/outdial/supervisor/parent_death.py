"""A role never outlives the supervisor that started it."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(parent_pid: int) -> bool:
    """Ask the kernel to send SIGTERM when the parent process ends; False when the parent is gone already.

    Linux only (prctl(2), PR_SET_PDEATHSIG). The check afterwards closes the gap between the fork and this
    call.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    return os.getppid() == parent_pid
