"""A classic BPF program that lets the kernel drop the audio that nobody listens to (performance.md).

It passes telephone-event and the sample of ``rtp.reception`` (8 packets in a row of each 256). A filter on a
UDP socket sees the UDP header first, so that the RTP header starts at byte 8.
"""

import ctypes
import socket
import struct
from collections.abc import Sequence

from outdial.rtp.reception import SAMPLE_MASK

_SO_ATTACH_FILTER, _SO_DETACH_FILTER, _SO_MEMINFO = 26, 27, 55
"""From asm-generic/socket.h; Python's socket module does not name them."""
_LOAD_BYTE, _AND, _JUMP_IF_EQUAL, _RETURN = 0x30, 0x54, 0x15, 0x06
_PAYLOAD_TYPE_AT, _SEQUENCE_LOW_AT = 8 + 1, 8 + 3
_MEMINFO = struct.Struct("9I")
_DROPS = 8
"""SK_MEMINFO_DROPS of linux/sock_diag.h."""


def program(event_payload_types: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """The instructions (code, jump if true, jump if false, operand)."""
    sample = [
        (_LOAD_BYTE, 0, 0, _SEQUENCE_LOW_AT),
        (_AND, 0, 0, SAMPLE_MASK),
        (_JUMP_IF_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, 0xFFFF),
        (_RETURN, 0, 0, 0),
    ]
    if not event_payload_types:
        return sample
    # A match jumps over the comparisons that are left and the three instructions of the sample's test.
    comparisons = [
        (_JUMP_IF_EQUAL, len(event_payload_types) - 1 - index + 3, 0, payload_type)
        for index, payload_type in enumerate(event_payload_types)
    ]
    return [(_LOAD_BYTE, 0, 0, _PAYLOAD_TYPE_AT), (_AND, 0, 0, 0x7F), *comparisons, *sample]


class PacketFilter:
    """The filter of one socket, and the count of what it has dropped."""

    __slots__ = ("_base", "_dropped", "_sock", "attached")

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._base: int | None = 0
        self._dropped = 0
        """By filters that are detached by now."""
        self.attached = False

    def attach(self, event_payload_types: Sequence[int]) -> None:
        """Start dropping; raises :class:`OSError` where the kernel refuses."""
        instructions = program(event_payload_types)
        code = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
        buffer = ctypes.create_string_buffer(code, len(code))
        self._sock.setsockopt(
            socket.SOL_SOCKET,
            _SO_ATTACH_FILTER,
            struct.pack("HL", len(instructions), ctypes.addressof(buffer)),
        )
        self._base = self._kernel_count()
        self.attached = True

    def detach(self) -> None:
        """Let everything through again."""
        if self.attached:
            self._sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
            self._dropped = self.dropped() or 0
            self.attached = False

    def dropped(self) -> int | None:
        """Packets dropped since the socket was opened, by the filter or for want of buffer; None where the
        kernel does not tell.
        """
        if not self.attached:
            return self._dropped
        count = self._kernel_count()
        return (
            None
            if count is None or self._base is None
            else self._dropped + (count - self._base & 0xFFFF_FFFF)
        )

    def _kernel_count(self) -> int | None:
        try:
            answer = self._sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        except OSError:
            return None
        return int(_MEMINFO.unpack(answer)[_DROPS]) if len(answer) == _MEMINFO.size else None
